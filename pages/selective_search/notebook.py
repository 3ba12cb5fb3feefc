"""This page to take home: the merges, one region's way up, several searches, and recall with precision on the scene."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 0
NAMES = {"Colour": "colour", "Texture": "texture", "Size": "size", "Fill": "fill"}
SUMS = {"C + T + S + F": ("colour", "texture", "size", "fill"), "T + S + F": ("texture", "size", "fill"),
        "S": ("size",), "F": ("fill",)}  # fmt: skip


def cells(state: State) -> list[Cell]:
    """Merge, climb, search more than once; and recall and precision where the things are known."""
    found = [*_merging(state), *_climbing(state), *_diversity(state)]
    if notebook.is_scene(state, "selective"):
        found += _recall(state)
    return [*found, _questions()]


def _merging(state: State) -> list[Cell]:
    alike = get(state, "selective_alike", list(NAMES))
    return [
        text("## Merge what is alike"),
        notebook.picture(state, "selective", SEED),
        parameters(
            space=get(state, "selective_space", "RGB"), scale=get(state, "selective_scale", 100),
            sigma=get(state, "selective_sigma", 0.8),
            use=tuple(name for shown, name in NAMES.items() if shown in alike),
            merges=get(state, "selective_merges", 0),
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import numpy as np

            from labs import region_tree, selective_search

            tree = selective_search.hierarchy(image, space, scale, sigma, use)
            merges = min(merges, len(tree.children))
            print(f"{tree.start} regions at the start, {tree.start + merges} boxes after {merges} merges")
            if merges < len(tree.children):
                for name, value in zip(selective_search.SIMILARITIES, tree.similarities[merges]):
                    print(f"next pair: {name} {value:.2f}")
            colours = tree.colours[region_tree.owners(tree, merges)].round().astype(np.uint8)
            plt.imshow(colours[tree.labels])
            plt.show()
            """
        ),
    ]  # fmt: skip


def _climbing(state: State) -> list[Cell]:
    return [
        text("## One region in the tree"),
        parameters(place=tuple(get(state, "_selective_place", (112, 112))), up=get(state, "selective_up", 4)),
        code(
            """
            column, row = place
            path = region_tree.path_up(tree, int(tree.labels[row, column]))
            region = path[min(up, len(path) - 1)]
            print(f"column {column}, row {row}: {len(path) - 1} steps up to the picture; region {region}, "
                  f"{tree.sizes[region]:,} px, box {tree.boxes[region].tolist()}")
            plt.imshow(np.where(region_tree.mask(tree, region)[..., None], image, image // 4))
            plt.show()
            """
        ),
    ]


def _diversity(state: State) -> list[Cell]:
    sums = get(state, "selective_sums", ["C + T + S + F"])
    return [
        text("## Search more than once"),
        parameters(
            spaces=list(get(state, "selective_spaces", ["RGB", "HSV"])),
            sums=[SUMS[each] for each in SUMS if each in sums],
            scales=list(get(state, "selective_scales", [50, 100])),
        ),
        code(
            """
            from itertools import product

            trees = [
                selective_search.hierarchy(image, space, scale, use=use)
                for space, use, scale in product(spaces, sums, scales)
            ]
            boxes = region_tree.ranked(trees, seed=0)
            print(f"{len(trees)} searches: {len(boxes)} different boxes; OpenCV's fast mode: "
                  f"{len(selective_search.by_opencv(image))}")
            """
        ),
    ]  # fmt: skip


def _recall(state: State) -> list[Cell]:
    return [
        text("## Recall and precision on this scene"),
        parameters(threshold=get(state, "selective_found", 0.5)),
        code(
            """
            import torch

            from labs import proposal_recall, region_proposals

            truths = torch.tensor(np.array([thing.box for thing in view.instances]), dtype=torch.float32).reshape(-1, 4)
            proposals = torch.from_numpy(boxes).float()
            overlaps = proposal_recall.best_overlaps(proposals, truths)
            print(f"precision {proposal_recall.precision(overlaps, threshold):.3f}")
            if len(truths):
                covered = region_proposals.coverage(proposals, truths, len(proposals))
                print(f"recall {float(region_proposals.recall(covered, threshold)[-1]):.3f}")
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "Give the texture 4 orientations instead of 8. Which boxes are lost?",
        "Start from a grid of 8 × 8 pixels instead of Felzenszwalb's regions. How many of the things are still found?",
    )
