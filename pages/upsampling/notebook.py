"""This page to take home: the grid, the picture, and how far one unit sees."""

from pages.upsampling.numbers import counting, encoder_map
from ui.notebook import Cell, State, code, get, is_scene, parameters, picture, questions, text

SEED = 32
FUNCTIONS = {"nearest": "nearest", "bed of nails": "bed_of_nails", "bilinear": "bilinear", "bicubic": "bicubic"}
ALIGN = ", align_corners=True"
SCORES = """
from labs import segmentation_metrics

for name, labels in found.items():
    confusion = segmentation_metrics.confusion_matrix(truth, labels, len(scenes.CLASSES))
    mean_iou = segmentation_metrics.scene_mean_iou(confusion)
    boundary_f = segmentation_metrics.boundary_f(truth, labels, len(scenes.CLASSES), tolerance)
    print(f"{name}: mIoU {mean_iou:.3f}, boundary F {boundary_f:.3f}")
"""


def cells(state: State) -> list[Cell]:
    """Play, receptive field, and the five networks."""
    return [*_play(state), *_field(state), *_networks(state), _questions()]


def _play(state: State) -> list[Cell]:
    method, factor = get(state, "up_method", "bilinear"), get(state, "up_factor", 2)
    rows, columns = get(state, "up_rows", 2), get(state, "up_columns", 2)
    edited = get(state, "up", {})
    given = {"method": method, "factor": factor, "values": edited.get("input", counting(rows, columns))}
    if method == "max unpooling":
        given["before"] = edited.get("encoder", encoder_map(rows * factor, columns * factor))
        call = (
            "_, positions = upsampling.max_pool(torch.from_numpy(before), factor)\n"
            "output = upsampling.max_unpool(torch.from_numpy(values), positions, before.shape)"
        )
    else:
        align = method in ("bilinear", "bicubic") and get(state, "up_align", False)
        call = f"output = upsampling.{FUNCTIONS[method]}(torch.from_numpy(values), factor{ALIGN if align else ''})"
    return [
        text(f"## Play: {method}, factor {factor}"),
        code(
            """
            import matplotlib.pyplot as plt
            import numpy as np
            import torch

            from labs import upsampling
            """
        ),
        parameters(**given),
        code(call + "\nprint(output)"),
        code(
            """
            figure, axes = plt.subplots(1, 2, figsize=(8, 4))
            for axis, name, grid in zip(axes, ("input", method), (values, output.numpy())):
                axis.imshow(grid, cmap="cividis", vmin=min(values.min(), 0), vmax=values.max())
                axis.set_title(name)
                for (row, column), value in np.ndenumerate(grid):
                    box = {"facecolor": "black", "alpha": 0.5, "linewidth": 0}
                    axis.text(column, row, f"{value:.3g}", ha="center", va="center", color="white", bbox=box)
            plt.show()
            """
        ),
    ]


def _field(state: State) -> list[Cell]:
    every, count = get(state, "rf_every", 2), get(state, "rf_layers", 6)
    return [
        text("## How far one output unit sees"),
        parameters(
            count=count, pooled=min(count, 12 if every > 1 else 6), every=every,
            filling=get(state, "rf_weights", "random + ReLU"), size=128,
        ),
        code(
            """
            from labs import receptive_field

            stacks = {
                f"{count} convolutions": receptive_field.stack(count),
                f"{pooled} convolutions with pooling": receptive_field.stack(pooled, every),
            }
            figure, axes = plt.subplots(1, 2, figsize=(9, 4))
            for axis, (name, layers) in zip(axes, stacks.items()):
                field = receptive_field.trace(layers)[-1]
                strength = receptive_field.measure(tuple(layers), size, filling)
                effective = receptive_field.effective_size(strength)
                print(f"{name}: sees {field.size} x {field.size} px, effectively {effective:.0f} x {effective:.0f} px")
                axis.imshow(strength.sqrt(), cmap="inferno")
                axis.set_title(name)
            plt.show()
            """
        ),
    ]  # fmt: skip


def _networks(state: State) -> list[Cell]:
    scene = is_scene(state, "scene")
    drawn = [picture(state, "scene", SEED)]
    if scene:
        drawn += [
            parameters(
                fog=get(state, "scene_more_fog", 0.0), dark=get(state, "scene_less_light", 0.0),
                noise=get(state, "scene_more_noise", 0.0), tolerance=get(state, "scene_tolerance", 1.0),
            ),
            code(
                """
                from dataclasses import replace

                image = scenes.render_image(
                    replace(
                        scene,
                        fog=scene.fog + fog * (1 - scene.fog),
                        light=scene.light * (1 - dark),
                        noise=scene.noise + noise * (1 - scene.noise),
                    ),
                    224,
                )
                truth = view.semantic
                """
            ),
        ]  # fmt: skip
    return [
        text("## Five trained decoders on one picture"),
        *drawn,
        code(
            """
            import scenes
            from matplotlib.colors import ListedColormap
            from models import catalog

            colours = ListedColormap([scenes.PALETTE[name] for name in scenes.CLASSES])
            found = {name: catalog.load(name)(image).labels for name in catalog.names("segmentation")}
            figure, axes = plt.subplots(2, 3, figsize=(11, 7.5))
            axes[0, 0].imshow(image)
            for axis, (name, labels) in zip(axes.flat[1:], found.items()):
                axis.imshow(labels, cmap=colours, vmin=0, vmax=len(scenes.CLASSES) - 1, interpolation="nearest")
                axis.set_title(name)
            plt.show()
            """
        ),
        *([code(SCORES)] if scene else []),
    ]


def _questions() -> Cell:
    return questions(
        "Feed a step (0 0 0 0 1 1 1 1) to every method. Which of them leave the range of the input, and why?",
        "How many 3 × 3 convolutions with a pool after every second one does it take to see all 224 pixels? Compare "
        "with the count without pooling.",
    )
