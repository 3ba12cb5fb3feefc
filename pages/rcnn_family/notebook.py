"""This page to take home: the proposals, one of them warped, R-CNN on them, its SVMs and its box regression."""

from pages.rcnn_family import notebook_faster, notebook_shared_map
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 3


def cells(state: State) -> list[Cell]:
    """What the page shows, section by section."""
    return [
        *_proposals(state), *_rcnn(), *_svm(state), *_boxes(state), *notebook_shared_map.cells(state),
        *notebook_faster.cells(state), _questions(),
    ]  # fmt: skip


def _proposals(state: State) -> list[Cell]:
    return [
        text("## One picture, one set of proposals, and one of them warped"),
        notebook.picture(state, "rcnn", SEED),
        parameters(
            mode=get(state, "rcnn_mode", "fast"), most=get(state, "rcnn_count", 100),
            number=get(state, "rcnn_proposal", 1), padding=get(state, "rcnn_padding", 16),
        ),
        notebook.boxes_drawn(),
        code(
            """
            import numpy as np
            import torch

            from labs import region_warp, selective_search

            found = selective_search.by_opencv(image, mode)
            area = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
            found = found[np.lexsort((*found.T, -area))]  # large ones rather first, as on the page
            order = np.random.default_rng(0).random(len(found)) * np.arange(1, len(found) + 1)
            boxes = torch.from_numpy(found[np.argsort(order)].astype(np.float32))[:most]
            box = boxes[number - 1]
            width, height = (box[2:] - box[:2]).tolist()
            print(f"{width:.0f} × {height:.0f} pixels, warped to {region_warp.PAPER_SIZE}")
            picture = torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
            figure, axes = plt.subplots(1, 4, figsize=(16, 4))
            axes[0].imshow(image)
            draw(axes[0], boxes.tolist(), "tab:blue")
            draw(axes[0], [box.tolist()], "orange", linewidth=3)
            for axis, way in zip(axes[1:], region_warp.WAYS):
                axis.imshow(region_warp.crops(picture, box[None], padding=padding, way=way)[0].permute(1, 2, 0))
                axis.set_title(way)
            plt.show()
            """
        ),
    ]  # fmt: skip


def _rcnn() -> list[Cell]:
    return [
        text("## R-CNN: the network once for every proposal"),
        code(
            """
            from models import catalog
            from scenes import THINGS

            network = catalog.load("rcnn")
            seen = network(image, boxes)
            for step, seconds in seen.steps.items():
                print(f"{step}: {1000 * seconds:.0f} ms")
            for label, score, at in zip(seen.labels.tolist(), seen.scores.tolist(), seen.boxes.tolist()):
                if score > 0:
                    print(f"{THINGS[label - 1]} {score:+.2f}", [round(edge) for edge in at])
            """
        ),
    ]


def _svm(state: State) -> list[Cell]:
    return [
        text("## One linear SVM: a margin as a sum over the cells of the crop"),
        parameters(region=get(state, "rcnn_region", 1), category=get(state, "rcnn_class", "car")),
        code(
            """
            index = THINGS.index(category)
            features = network.features(network.crops(image, boxes[region - 1][None]))
            head = network.module.head
            terms = head.svms.weight[index].cpu() * features[0] * float(head.scale)
            print(terms.view(128, 3, 3).sum(0).numpy().round(2))
            margin = float(terms.sum() + head.svms.bias[index].cpu())
            print(f"{category}: margin {margin:+.2f}".replace("-", "−"))
            """
        ),
    ]


def _boxes(state: State) -> list[Cell]:
    return [
        text("## Box regression: ridge least squares"),
        parameters(penalty=float(get(state, "rcnn_lambda", 1000))),
        code(
            "true = torch.tensor(np.array([thing.box for thing in view.instances]), dtype=torch.float32).reshape(-1, 4)"
            if notebook.is_scene(state, "rcnn")
            else "true = seen.boxes[seen.scores > 0]  # a photograph has no truth: what R-CNN itself is sure of"
        ),
        code(
            """
            from labs import box_regression
            from labs import boxes as box_lab

            near, t = box_regression.examples(boxes, true)
            if near.any():
                x = network.features(network.crops(image, boxes[near])) * float(head.scale)
                for each in (1.0, penalty, 1e6):
                    moved = box_lab.decode(box_regression.ridge(x, t, each)(x), boxes[near])
                    best = box_lab.iou_matrix(moved, true).amax(1).mean()
                    print(f"λ {each:g}: mean IoU {float(best):.3f} on the {len(x)} regions it learned from")
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "Shift the picture by 4 pixels and run selective search again: how many boxes stay the same?",
        "Set `boxes` to the true boxes of the scene. Which things does R-CNN still miss?",
    )
