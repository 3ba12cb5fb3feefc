"""This page to take home: the scene with its knobs, its classes and scores, one pixel's loss, the price of depth."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 24
NETWORK = "segmenter-bilinear"
KNOBS = {"fog": 0.5, "night": 0.0, "noise": 0.0}


def cells(state: State) -> list[Cell]:
    """Play, the loss, and the price of full resolution."""
    return [*_play(state), *_loss(state), *_resolution(state), _questions()]


def _judged(state: State) -> bool:
    """Whether the picture has a truth in the classes of the network."""
    name = get(state, "segmentation_model", NETWORK)
    return notebook.is_scene(state, "segmentation") and name.startswith("segmenter-")


def _play(state: State) -> list[Cell]:
    found = [text("## Play: one class for every pixel"), notebook.picture(state, "segmentation", SEED)]
    if notebook.is_scene(state, "segmentation"):
        turned = {knob: get(state, f"segmentation_more_{knob}", start) for knob, start in KNOBS.items()}
        found += [
            parameters(**turned),
            code(
                """
                from dataclasses import replace

                scene = replace(
                    scene,
                    fog=scene.fog + fog * (1 - scene.fog),
                    light=scene.light * (1 - night),
                    noise=scene.noise + noise * (1 - scene.noise),
                )
                image = scenes.render_image(scene, 224)
                truth = view.semantic
                """
            ),
        ]
    found.append(notebook.network(state, "segmentation", NETWORK))
    if not _judged(state):
        return [
            *found,
            code(
                """
                import matplotlib.pyplot as plt
                import numpy as np

                seen = network(image)
                classes, counts = np.unique(seen.labels, return_counts=True)
                print("pixels of each class number:", dict(zip(classes.tolist(), counts.tolist())))
                figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
                axes[0].imshow(image)
                axes[1].imshow(seen.labels, cmap="tab20", interpolation="nearest")
                plt.show()
                """
            ),
        ]
    return [
        *found,
        code(
            """
            from labs import segmentation_metrics

            seen = network(image)
            confusion = segmentation_metrics.confusion_matrix(truth, seen.labels, len(scenes.CLASSES))
            print(f"mIoU {segmentation_metrics.scene_mean_iou(confusion):.3f}")
            print(f"pixel accuracy {segmentation_metrics.pixel_accuracy(confusion):.3f}")
            print(f"wrong pixels {int((truth != seen.labels).sum()):,}")
            for name, iou in zip(scenes.CLASSES, segmentation_metrics.class_iou(confusion)):
                print(f"{name:12} IoU {iou:.3f}")
            """
        ),
        code(
            """
            import matplotlib.pyplot as plt
            from matplotlib.colors import ListedColormap

            colours = ListedColormap([scenes.PALETTE[name] for name in scenes.CLASSES])
            figure, axes = plt.subplots(1, 3, figsize=(12, 4.2))
            for axis, name, shown in zip(axes, ("picture", "network", "truth"), (image, seen.labels, truth)):
                axis.imshow(shown, cmap=colours, vmin=0, vmax=len(scenes.CLASSES) - 1, interpolation="nearest")
                axis.set_title(name)
            axes[2].imshow(truth != seen.labels, cmap="Reds", alpha=0.5 * (truth != seen.labels))
            plt.show()
            """
        ),
    ]


def _loss(state: State) -> list[Cell]:
    if not _judged(state):
        return []
    return [
        text("## Look inside: the loss of every pixel"),
        code(
            """
            import numpy as np
            import torch

            from labs import pixel_cross_entropy

            losses = pixel_cross_entropy.loss_map(seen.logits, torch.from_numpy(truth))
            print(f"mean loss {losses.mean():.4f} nats")
            row, column = np.unravel_index(int(losses.argmax()), losses.shape)  # the pixel that costs most
            pixel = pixel_cross_entropy.open_pixel(seen.logits, torch.from_numpy(truth), int(row), int(column))
            print(f"row {row}, column {column}: -log p({scenes.CLASSES[pixel.truth]}) = {pixel.loss:.3f}")
            plt.imshow(losses, cmap="inferno", vmin=0, vmax=4)
            plt.colorbar(label="nats")
            plt.show()
            """
        ),
    ]


def _resolution(state: State) -> list[Cell]:
    return [
        text("## Why down, then up?"),
        parameters(
            depth=get(state, "segmentation_depth", 14), downs=get(state, "segmentation_downs", 4),
            width=get(state, "segmentation_width", 16), doubling=get(state, "segmentation_doubling", False),
        ),
        code(
            """
            from labs import encoder_decoder

            for name, steps in {
                "full resolution": encoder_decoder.plan(depth, 0, width, 224),
                "encoder-decoder": encoder_decoder.plan(depth, downs, width, 224, doubling),
            }.items():
                first, last = encoder_decoder.field(steps, 112, 224)
                cost = encoder_decoder.multiply_adds(steps) / 1e6
                print(f"{name}: {cost:,.1f} M multiply-adds, sees {last - first + 1} px")
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Turn one knob from 0 to 1 in ten steps. Which class is lost first, and does the mIoU or the pixel accuracy "
        "show it earlier?",
        "Run the network on four quarters of the picture and put the answers together. Where do they differ from one "
        "pass over the whole, and why?",
    )
