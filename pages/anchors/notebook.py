"""This page to take home: anchors, their labels, and what the region proposal network makes of them."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 0


def cells(state: State) -> list[Cell]:
    """Play with its labels, the network's maps, and its proposals."""
    return [*_play(state), *_network(state), *_proposals(state), _questions()]


def _play(state: State) -> list[Cell]:
    smallest, count = get(state, "anchors_smallest", 32), get(state, "anchors_sizes", 3)
    ratio = get(state, "anchors_ratio", 2.0)
    found = [
        text("## Play: anchors on a grid"),
        notebook.picture(state, "anchors", SEED),
        notebook.boxes_drawn(),
        parameters(
            stride=get(state, "anchors_stride", 16), sizes=tuple(smallest * 2**i for i in range(count)),
            ratios=(1.0,) if ratio == 1 else (1 / ratio, 1.0, ratio),
            convention=get(state, "anchors_convention", "torchvision"),
        ),
        code(
            """
            import torch

            from labs import anchors

            rows, columns = anchors.feature_size(*image.shape[:2], stride)
            base = anchors.base_anchors(sizes, ratios, convention)
            boxes = anchors.grid_anchors(base, rows, columns, stride, convention)
            print(f"{rows} x {columns} positions x K = {len(base)} = {len(boxes):,} anchors")

            place = rows // 2 * columns + columns // 2
            plt.imshow(image)
            draw(plt.gca(), boxes[place * len(base) : (place + 1) * len(base)], "orange")
            plt.title("the anchors of one position")
            plt.show()
            """
        ),
    ]  # fmt: skip
    if not notebook.is_scene(state, "anchors"):
        return found
    grid = get(state, "anchors_of", "The grid above") == "The grid above"
    return [
        *found,
        text("## What training tells each anchor to be"),
        parameters(positive=get(state, "anchors_positive", 0.7), negative=get(state, "anchors_negative", 0.3)),
        *([] if grid else [code(PYRAMID)]),
        code(
            """
            import numpy as np

            from labs.boxes import iou_matrix

            truths = torch.from_numpy(np.array([thing.box for thing in view.instances], np.float32).reshape(-1, 4))
            given = anchors.label_anchors(iou_matrix(truths, boxes), positive, negative)
            for name, label in (("positive", 1), ("ignored", -1), ("negative", 0)):
                print(f"{name}: {given.count(label):,} of {len(boxes):,}")

            plt.imshow(image)
            draw(plt.gca(), truths, "white", linewidth=3)
            draw(plt.gca(), boxes[given.label == 1][:120], "tab:blue")
            plt.title("truths (white) and positive anchors (blue)")
            plt.show()
            """
        ),
    ]


PYRAMID = """
# The anchors of the lab's detector instead of the grid's.
from models.networks.detector import ANCHOR_RATIOS, ANCHOR_SIZES, SIZE

boxes = []
for size, side in zip(ANCHOR_SIZES, (56, 28, 14, 7, 4)):
    boxes.append(anchors.grid_anchors(anchors.base_anchors(size, ANCHOR_RATIOS), side, side, SIZE // side))
boxes = torch.cat(boxes)
"""


def _network(state: State) -> list[Cell]:
    return [
        text("## On a real network"),
        parameters(level_name=get(state, "anchors_level", "surest")),
        code(
            """
            from models import catalog

            seen = catalog.load("detector")(image, masks=False, keypoints=False)
            sure = [float(each.objectness.max()) for each in seen.levels]
            names = [each.name for each in seen.levels]
            level = seen.levels[sure.index(max(sure)) if level_name == "surest" else names.index(level_name)]
            probability = level.objectness.sigmoid()
            print(f"{level.name}: stride {level.stride} px, best objectness {float(probability.max()):.3f}")
            figure, axes = plt.subplots(1, len(probability), figsize=(4 * len(probability), 4))
            for axis, chance in zip(axes, probability):
                axis.imshow(chance, cmap="inferno", vmin=0, vmax=1)
            plt.show()
            """
        ),
    ]


def _proposals(state: State) -> list[Cell]:
    return [
        text("## From all boxes to the proposals"),
        parameters(
            top=get(state, "anchors_top", 600), suppress=get(state, "anchors_nms", 0.7),
            keep=get(state, "anchors_keep", 300), drawn=get(state, "anchors_drawn", 10),
        ),
        code(
            """
            from labs import region_proposals

            logits = torch.cat([each.objectness.permute(1, 2, 0).flatten() for each in seen.levels])
            left = region_proposals.filter_proposals(
                seen.decoded, logits, seen.level_of, image.shape[:2], top, suppress, keep
            )
            print(f"{len(logits):,} boxes, {len(left.survivors):,} after suppression, {len(left.kept):,} proposals")
            figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
            for axis, name, chosen in zip(axes, ("before", "after"), (left.top[:drawn], left.kept[:drawn])):
                axis.imshow(image)
                axis.set_title(f"{name} suppression: the best {len(chosen)}")
                draw(axis, left.boxes[chosen], "tab:orange")
            plt.show()
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Choose sizes and ratios for which every truth of this scene has an anchor with IoU of at least 0.7. How many "
        "anchors does that take?",
        "Let the proposals pass without suppression (threshold 1). How many of the first ten lie on the same thing?",
    )
