"""This page to take home: the merge with its thresholds, its turns, the other order, and the quality of the map."""

from pages.panoptic.shared import ONE, SEED, Thresholds
from ui import notebook
from ui.notebook import Cell, State, code, get, is_scene, parameters, questions, text


def cells(state: State) -> list[Cell]:
    """What was seen, the merge turn by turn, the least sure first, and PQ where a truth is known."""
    plain = Thresholds()
    made = [
        text("## Things and stuff, merged"),
        notebook.picture(state, "panoptic", SEED),
        parameters(
            one_network=get(state, "panoptic_networks", ONE) == ONE,
            mask=get(state, "panoptic_mask", plain.mask), least_score=get(state, "panoptic_score", plain.least_score),
            most_taken=get(state, "panoptic_taken", plain.most_taken),
            least_area=get(state, "panoptic_area", plain.least_area),
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import numpy as np

            from labs import panoptic
            from models import catalog
            from scenes import CLASSES, STUFF

            if one_network:
                things = catalog.load("panoptic-fpn")(image)
                semantic = things.semantic
            else:
                things = catalog.load("detector")(image, keypoints=False)
                semantic = catalog.load("segmenter-bilinear")(image).labels
            masks = things.masks.numpy() >= mask
            labels, scores = things.labels.numpy() + len(STUFF) - 1, things.scores.numpy()
            found = panoptic.merge(semantic, range(len(STUFF)), masks, labels, scores, least_score, most_taken,
                                   least_area)

            figure, axes = plt.subplots(1, 3, figsize=(12, 4))
            for axis, (name, shown) in zip(axes, (("picture", image), ("classes", semantic),
                                                  ("segments", found.segments))):
                axis.imshow(shown, cmap="tab20", interpolation="nearest")
                axis.set_title(name)
                axis.axis("off")
            plt.show()
            """
        ),
        text("## Turn by turn"),
        code(
            """
            for turn in found.turns:
                print(f"{CLASSES[labels[turn.thing]]:12} score {scores[turn.thing]:.2f}: {turn.taken} of {turn.area} "
                      f"pixels taken, {turn.verdict}")
            for number, label in enumerate(found.classes, start=1):
                print(f"segment {number}: {CLASSES[label]}, {(found.segments == number).sum()} pixels")
            print(f"void: {(found.segments == panoptic.VOID).sum():,} pixels; dropped stuff: {found.dropped}")
            """
        ),
        text("## The least sure thing first"),
        code(
            """
            order = [turn.thing for turn in found.turns if turn.verdict != "score too low"][::-1]
            other = panoptic.merge(semantic, range(len(STUFF)), masks[order], labels[order], np.ones(len(order)),
                                   most_taken=most_taken, least_area=least_area)
            print(len(found.classes), "segments, and", len(other.classes), "in the other order")
            """
        ),
    ]  # fmt: skip
    if is_scene(state, "panoptic"):
        made += [
            text("## How good is it?"),
            code(
                """
                from labs import panoptic_quality

                truth = np.stack([view.semantic, view.panoptic], -1).astype(np.int64)
                judged = panoptic_quality.judge(truth, found.pairs(), things=range(len(STUFF), len(CLASSES)))
                quality = panoptic_quality.quality(panoptic_quality.tally(judged, len(CLASSES)))
                for name, pq, sq, rq in zip(CLASSES, quality.pq, quality.sq, quality.rq):
                    if not np.isnan(pq):
                        print(f"{name:12} PQ {pq:.3f} = SQ {sq:.3f} x RQ {rq:.3f}")
                print("mean PQ, SQ, RQ:", [round(value, 3) for value in quality.mean()])
                """
            ),
        ]
    made.append(
        questions(
            "Give two things the same score. Which of them keeps the pixels that both want, and why?",
            "Set the smallest stuff to the whole picture. What is left, and what does it do to PQ?",
        )
    )
    return made
