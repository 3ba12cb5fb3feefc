"""This page to take home: two boxes, suppression with its verdicts, and average precision over held-out scenes."""

from models.recipes.scene_cache import held_out_seeds
from scenes import THINGS
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SCENE, SEED = 32, 3147
HELD = "_nms_held"  # in the session: a held-out scene, opened from the ranking


def cells(state: State) -> list[Cell]:
    """Every section on Lab World, in the page's order."""
    return [*_two_boxes(state), *_suppression(state), *_ranking(state), *_failures(state), _questions()]


def _two_boxes(state: State) -> list[Cell]:
    places = {box.id: box.xyxy for box in get(state, "iou_stage", [])}
    voc = get(state, "iou_pixels", "continuous") != "continuous"
    return [
        text("## Two boxes"),
        notebook.boxes_drawn(),
        parameters(
            truth=places.get("truth", (40.0, 40.0, 120.0, 120.0)),
            prediction=places.get("prediction", (50.0, 50.0, 130.0, 130.0)),
            convention="INCLUSIVE" if voc else "CONTINUOUS",
        ),
        code(
            f"""
            import torch

            import scenes
            from labs import boxes

            pixels = boxes.PixelConvention[convention]
            truth, prediction = (torch.tensor(box, dtype=torch.float64) for box in (truth, prediction))
            common, union = boxes.overlap(truth, prediction, pixels)
            iou = float(boxes.iou(truth, prediction, pixels))
            print(f"{{float(common):.1f}} / {{float(union):.1f}} = IoU {{iou:.3f}}, {{boxes.word(iou)}}")
            for name, measure in dict(GIoU=boxes.giou, DIoU=boxes.diou, CIoU=boxes.ciou).items():
                print(f"{{name}} {{float(measure(truth, prediction)):.3f}}")
            if iou > 0:
                print("transform", boxes.encode(truth, prediction).tolist())

            plt.imshow(scenes.render_image(scenes.sample({SCENE})))
            draw(plt.gca(), [truth.tolist()], "tab:blue", linewidth=3)
            draw(plt.gca(), [prediction.tolist()], "tab:orange", linewidth=3)
            plt.title(f"IoU {{iou:.3f}}")
            plt.show()
            """
        ),
    ]


RAW = """
import numpy as np

from labs import nms
from labs.matching import Detections, Truths, judge
from models import catalog
from models.inside import raw_boxes
from models.recipes.coco_metrics import IGNORED_BELOW


def truths_of(view):
    return Truths(
        np.array([thing.box for thing in view.instances], np.float64).reshape(-1, 4),
        np.array([scenes.THINGS.index(thing.label) + 1 for thing in view.instances], np.int64),
        crowd=np.array([thing.visible < IGNORED_BELOW for thing in view.instances], bool),
        areas=np.array([thing.mask.sum() for thing in view.instances], np.float64),
    )
"""
SUPPRESS = {
    "greedy": """
steps = nms.greedy(boxes, scores, nms_threshold, labels)
kept, final = nms.kept_indices(steps).tolist(), scores[nms.kept_indices(steps)]""",
    "soft, linear": """
steps = nms.soft(boxes, scores, nms.linear(nms_threshold), max(score_threshold, 0.001), labels)
kept, final = [step.kept for step in steps], torch.tensor([step.score for step in steps])""",
    "soft, Gaussian": """
steps = nms.soft(boxes, scores, nms.gaussian(0.5), max(score_threshold, 0.001), labels)
kept, final = [step.kept for step in steps], torch.tensor([step.score for step in steps])""",
}


def _is_scene(state: State) -> bool:
    return get(state, HELD, None) is not None or notebook.is_scene(state, "nms")


def _picture(state: State) -> Cell:
    """The held-out scene that was opened from the ranking, else the chosen picture."""
    held = get(state, HELD, None)
    if held is None:
        return notebook.picture(state, "nms", SEED)
    return code(f"import scenes\n\nview = scenes.render(scenes.sample({held}))\nimage = view.image")


def _suppression(state: State) -> list[Cell]:
    found = [
        text("## From raw boxes to verdicts"),
        _picture(state),
        code(RAW),
        parameters(
            nms_threshold=get(state, "nms_threshold", 0.5), score_threshold=get(state, "score_threshold", 0.3),
            match_iou=get(state, "match_iou", 0.5), rule=get(state, "judge_rule", "COCO"),
            detector=get(state, "nms_detector", "detector"),
        ),
        code(
            "raw = raw_boxes.raw_boxes(catalog.load(detector), image)\n"
            "boxes, scores, labels = raw.boxes, raw.scores, raw.labels\n"
            "some = scores >= score_threshold\n"
            "boxes, scores, labels = boxes[some], scores[some], labels[some]"
            + SUPPRESS[get(state, "nms_method", "greedy")]
            + '\nprint(f"{len(boxes)} raw boxes, {len(kept)} kept")'
        ),
        code(
            """
            figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
            for axis, name, some in zip(axes, ("raw", "kept"), (boxes, boxes[kept])):
                axis.imshow(image)
                axis.set_title(f"{len(some)} {name}")
                draw(axis, some, "tab:blue")
            plt.show()
            """
        ),
    ]  # fmt: skip
    if not _is_scene(state):
        return found
    return [
        *found,
        code(
            """
            truths = truths_of(view)
            detections = Detections(boxes[kept].numpy(), labels[kept].numpy(), final.numpy())
            judgement = judge(detections, truths, match_iou, rule)
            kinds = [verdict.kind for verdict in judgement.verdicts]
            for kind, label, score in zip(kinds, detections.labels, detections.scores):
                print(f"{scenes.THINGS[label - 1]} {score:.2f}: {kind}")
            print(f"{kinds.count('true')} true, {len(judgement.missed)} missed")
            """
        ),
    ]


def _ranking(state: State) -> list[Cell]:
    thing = get(state, "pr_class", "dog")
    shared = [] if _is_scene(state) else [code("import scenes")]
    return [
        text(f"## Precision and recall of {thing} over many scenes"),
        *shared,
        parameters(
            seeds=list(held_out_seeds(get(state, "pr_scenes", 20))), label=THINGS.index(thing) + 1,
            nms_threshold=get(state, "pr_nms", 0.5), iou=get(state, "pr_iou", 0.85), rule=get(state, "pr_rule", "COCO"),
            detector=get(state, "pr_detector", "detector"),
        ),
        code(
            """
            from labs import average_precision as ap

            network = catalog.load(detector)
            found, truths = [], []
            for seed in seeds:  # each is drawn and looked at: some seconds
                view = scenes.render(scenes.sample(seed))
                raw = raw_boxes.raw_boxes(network, view.image)
                some = raw.scores > 0.05
                boxes, scores, labels = raw.boxes[some], raw.scores[some], raw.labels[some]
                kept = nms.survivors(boxes, scores, nms_threshold, labels)[:40]
                found.append(Detections(boxes[kept].numpy(), labels[kept].numpy(), scores[kept].numpy()))
                truths.append(truths_of(view))
            ranked = ap.rank(ap.compare(found, truths, label), iou, rule)
            print(f"{ranked.truths} truths, {len(ranked)} detections")
            for name in ap.AP_RULES:
                print(f"{name}: {ap.average_precision(ranked, name):.3f}")

            precision, recall = ap.precision_recall(ranked.true, ranked.truths)
            plt.plot(recall, precision, ".:", color="gray", label="every detection")
            plt.step(recall, ap.envelope(precision), where="pre", label="best precision from here on")
            plt.xlabel("recall")
            plt.ylabel("precision")
            plt.ylim(0, 1.05)
            plt.legend()
            plt.show()
            """
        ),
    ]  # fmt: skip


def _failures(state: State) -> list[Cell]:
    return [
        text("## Where does it fail?"),
        parameters(
            seeds=list(held_out_seeds(get(state, "fails_scenes", 20))),
            detectors=list(dict.fromkeys((get(state, "fails_first", "ssd"), get(state, "fails_second", "yolo-cell")))),
            score_threshold=get(state, "fails_score", 0.3), foreground=get(state, "fails_iou", 0.5),
        ),
        code(
            """
            from labs import confusion_matrix, detection_errors

            names = [*scenes.THINGS, "background"]
            views = [scenes.render(scenes.sample(seed)) for seed in seeds]
            truths = [truths_of(view) for view in views]
            figure, axes = plt.subplots(1, len(detectors) + 1, figsize=(5 * len(detectors) + 5, 5))
            for place, detector in enumerate(detectors):
                network, found = catalog.load(detector), []
                for view in views:
                    raw = raw_boxes.raw_boxes(network, view.image)
                    some = raw.scores > 0.05
                    boxes, scores, labels = raw.boxes[some], raw.scores[some], raw.labels[some]
                    kept = nms.survivors(boxes, scores, 0.5, labels)[:40]
                    found.append(Detections(boxes[kept].numpy(), labels[kept].numpy(), scores[kept].numpy()))
                pairs = confusion_matrix.entries(found, truths, foreground, score_threshold)
                counts = confusion_matrix.matrix(pairs, len(scenes.THINGS))
                axes[place].imshow(confusion_matrix.shares(counts), vmin=0, vmax=1, cmap="Blues")
                for (row, column), count in np.ndenumerate(counts):
                    if count:
                        axes[place].text(column, row, count, ha="center", va="center")
                axes[place].set_title(detector)
                axes[place].set_xticks(range(9), names, rotation=90)
                axes[place].set_yticks(range(9), names)

                errors = detection_errors.above(detection_errors.sort_out(found, truths, foreground), score_threshold)
                ap_now = np.nanmean(detection_errors.average_precisions(errors, len(scenes.THINGS)))
                print(f"{detector}: AP {ap_now:.3f}")
                lost = detection_errors.lost(errors, len(scenes.THINGS))
                for kind, cost in lost.items():
                    print(f"  {kind}: {cost:.3f} AP")
                at = np.arange(len(lost)) + 0.4 * place
                axes[-1].bar(at, list(lost.values()), width=0.4, label=detector)
            axes[-1].set_xticks(np.arange(len(lost)) + 0.2, list(lost), rotation=90)
            axes[-1].set_ylabel("AP lost")
            axes[-1].legend()
            plt.tight_layout()
            plt.show()
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Remove every detection with a score below 0.5 from the ranking. What becomes of the AP by each rule, and why?",
        "At which NMS threshold is the AP of this class highest? Is it the same for a class whose things stand close "
        "together? When the IoU for a match goes from 0.5 to 0.9, which kind of error grows, for which detector?",
    )
