"""This page to take home: who answers for what, what the network says of the cells, and what that costs."""

from models.recipes.scene_cache import held_out_seeds
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 14


def cells(state: State) -> list[Cell]:
    """The grid, the network, and where the truth is known its loss."""
    return [*_grid(state), *_network(state), *_loss(state), _questions()]


SHAPES = """
# The anchors of the page's grid: k-means over the boxes of the first held-out scenes.
shapes = []
for seed in shaped_by:
    shapes += [np.clip(thing.box, 0, 224) for thing in scenes.sample(seed).objects]
shapes = torch.from_numpy(np.array(shapes, np.float32))
anchors = yolo_grid.anchor_shapes(shapes[:, 2:] - shapes[:, :2], predictors).round()
"""


def _grid(state: State) -> list[Cell]:
    layout = get(state, "yolo_layout", "cell")
    given = {
        "layout": layout, "cells": get(state, "yolo_s", 7), "predictors": get(state, "yolo_b", 3),
        "classes": get(state, "yolo_c", 8), "rule": get(state, "yolo_rule", "best"),
    }  # fmt: skip
    if layout == "anchor":
        given["shaped_by"] = list(held_out_seeds(20))
    found = [
        text("## The grid"),
        notebook.picture(state, "yolo", SEED),
        notebook.boxes_drawn(),
        parameters(**given),
        code(
            """
            import numpy as np
            import torch

            import scenes
            from labs import yolo_grid
            from labs.yolo_grid import Grid

            grid = Grid(cells, *image.shape[:2])
            numbers = yolo_grid.channels(layout, predictors, classes)
            print(f"{cells} x {cells} x {numbers} = {cells * cells * numbers:,} numbers")
            """
        ),
        code(SHAPES if layout == "anchor" else "anchors = None  # the boxes of a cell share its classes"),
    ]
    if not notebook.is_scene(state, "yolo"):
        return found
    return [
        *found,
        code(
            """
            things = view.instances
            truths = torch.from_numpy(np.array([thing.box for thing in things], np.float32).reshape(-1, 4))
            labels = torch.tensor([scenes.THINGS.index(thing.label) + 1 for thing in things], dtype=torch.int64)
            given = yolo_grid.assign(truths, labels, grid, anchors, rule)
            for thing, (row, column) in zip(things, given.cells.tolist()):
                print(f"{thing.label}: row {row}, column {column}")
            print(f"{len(given.collisions)} of {len(things)} things without a place")

            plt.imshow(image)
            width, height = grid.pitch.tolist()
            answers = [(c * width, r * height, (c + 1) * width, (r + 1) * height) for r, c in given.cells.tolist()]
            draw(plt.gca(), answers, "tab:blue", linewidth=3)
            draw(plt.gca(), truths, "white")
            plt.show()
            """
        ),
    ]


def _network(state: State) -> list[Cell]:
    return [
        text("## On a real network"),
        parameters(threshold=get(state, "yolo_threshold", 0.3), overlap=get(state, "yolo_nms", 0.5)),
        code(
            """
            from models import catalog

            found = catalog.load(f"yolo-{layout}")(image)
            boxes, classes_found, scores = yolo_grid.detect(found.prediction, found.grid, threshold, overlap)
            print(f"{len(boxes)} detections")
            for label, score in zip(classes_found.tolist(), scores.tolist()):
                print(f"{scenes.THINGS[label - 1]} {score:.2f}")

            figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
            axes[0].imshow(image)
            draw(axes[0], boxes, "tab:orange", linewidth=2)
            axes[1].imshow(found.prediction.confidence.amax(-1), cmap="inferno", vmin=0, vmax=1)
            axes[1].set_title("confidence of every cell")
            plt.show()
            """
        ),
    ]


def _loss(state: State) -> list[Cell]:
    if not notebook.is_scene(state, "yolo"):
        return []
    return [
        text("## The loss of this scene"),
        parameters(coord=get(state, "yolo_lambda_coord", 5.0), noobj=get(state, "yolo_lambda_noobj", 0.5)),
        code(
            """
            from labs import yolo_loss

            target = yolo_grid.encode(truths, labels, found.grid, found.anchors)
            cost = yolo_loss.loss(found.raw[None], [target], found.grid, found.predictors, found.anchors, coord, noobj)
            print(f"loss {float(cost.total):.3f}")
            figure, axes = plt.subplots(1, 4, figsize=(13, 3.5))
            for axis, (name, term) in zip(axes, cost.terms.items()):
                print(f"{name}: {float(term.sum()):.3f}")
                axis.imshow(term[0], cmap="inferno")
                axis.set_title(name, fontsize=9)
            plt.show()
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "How fine must the grid be until no two things of a hundred scenes share a cell? What does the output tensor "
        "cost then?",
        "Set the weight of the empty boxes to 0 in the loss. Which boxes would training leave alone, and what would "
        "the network say where nothing is?",
    )
