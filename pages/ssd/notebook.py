"""This page to take home: the pyramid of default boxes, who answers, which negatives stay, and what the grids find."""

from pages.ssd.pyramid import LARGEST, PYRAMIDS, SHAPES, SMALLEST, SSD300
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 14


def cells(state: State) -> list[Cell]:
    """The pyramid, the network, and where the truth is known matching and mining."""
    return [*_pyramid(state), *_network(state), *_loss(state), _questions()]


def _pyramid(state: State) -> list[Cell]:
    pyramid = PYRAMIDS[get(state, "ssd_grids", SSD300)]
    shapes = SHAPES[get(state, "ssd_shapes", "as published")]
    ratios = pyramid.ratios if shapes is None else (shapes,) * len(pyramid.grids)
    return [
        text("## The pyramid of default boxes"),
        notebook.picture(state, "ssd", SEED),
        notebook.boxes_drawn(),
        parameters(
            grids=list(pyramid.grids), ratios=[list(each) for each in ratios],
            smallest=get(state, SMALLEST, pyramid.scales[0]), largest=get(state, LARGEST, pyramid.scales[1]),
            steps=pyramid.steps and list(pyramid.steps), side=pyramid.side,
        ),
        code(
            """
            import torch

            from labs import default_boxes

            height, width = image.shape[:2]
            scales = default_boxes.scales(len(grids), smallest, largest, finest=smallest / 2)
            apart = steps and [step * width / side for step in steps]
            pyramid = default_boxes.default_boxes(grids, scales, ratios, height, width, apart)
            for size, number, scale in zip(grids, default_boxes.count(grids, ratios), scales):
                print(f"{size} x {size}: {number:,} boxes of {scale * width:.0f} px")
            print(f"{len(pyramid.boxes):,} default boxes")
            """
        ),
    ]  # fmt: skip


def _network(state: State) -> list[Cell]:
    return [
        text("## What the grids find"),
        parameters(threshold=get(state, "ssd_threshold", 0.4), overlap=get(state, "ssd_nms", 0.45)),
        code(
            """
            import scenes
            from models import catalog
            from models.networks import ssd

            found = catalog.load("ssd")(image)
            box, label, score = default_boxes.detect(found.raw_boxes, found.raw_scores, threshold, overlap)
            for index, name, value in zip(box.tolist(), label.tolist(), score.tolist()):
                size = ssd.GRIDS[int(found.defaults.grid_of[index])]
                print(f"{scenes.THINGS[name - 1]} {value:.2f}, grid {size} x {size}")

            plt.imshow(image)
            for level, colour in enumerate(["tab:cyan", "tab:orange", "tab:pink", "tab:green"]):
                mine = box[found.defaults.grid_of[box] == level]
                draw(plt.gca(), found.raw_boxes[mine], colour, linewidth=2)
            plt.show()
            """
        ),
    ]


def _loss(state: State) -> list[Cell]:
    if not notebook.is_scene(state, "ssd"):
        return []
    return [
        text("## Who answers, and which negatives stay"),
        parameters(matched_from=get(state, "ssd_iou", 0.5), negatives=get(state, "ssd_ratio", 3)),
        code(
            """
            from labs import hard_negative_mining
            from labs.boxes import iou_matrix

            boxes, labels = ssd.truth_of(view.instances)
            overlaps = iou_matrix(boxes, found.defaults.boxes)
            owner = default_boxes.match(overlaps, matched_from).owner
            print(f"{int((owner >= 0).sum())} of {len(owner):,} boxes answer for a thing from IoU {matched_from}")

            owner = default_boxes.match(overlaps).owner  # the loss matches at 0.5
            cost = hard_negative_mining.multibox_loss(
                found.logits, found.transforms, found.defaults.boxes, owner, boxes, labels, negatives
            )
            print(f"loss {float(cost.total):.3f}, {int(cost.negative.sum())} negatives stay")
            plt.imshow(image)
            draw(plt.gca(), found.defaults.boxes[cost.negative], "tab:red", linewidth=1)
            draw(plt.gca(), found.defaults.boxes[cost.positive], "tab:blue", linewidth=2)
            plt.show()
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "Leave the finest grid out of the pyramid. Which things of ten scenes have no default box with IoU 0.5 any "
        "more?",
        "Keep all negatives in the loss. Which share of it do the positives then have?",
    )
