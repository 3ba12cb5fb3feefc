"""This page to take home: the signature of one thing, its neighbours in the gallery, and precision at k by layer."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 577
K = 8
NAMES = {"Trained": "classifier-gap-28", "ImageNet": "efficientnet-lite0", "Untrained": "untrained"}
DISTANCES = {"Euclidean": "euclidean", "Cosine": "cosine"}


def cells(state: State) -> list[Cell]:
    """The thing that asks, its nearest, and how often neighbours are of one class, layer by layer."""
    return [*_asks(state), *_nearest(state), *_precision(state), _questions()]


def _asks(state: State) -> list[Cell]:
    name = NAMES[get(state, "space_network", "Trained")]
    made = [
        text("## The picture that asks"),
        notebook.picture(state, "space", SEED),
        code(
            f"""
            import numpy as np
            import torch

            from labs import nearest_neighbours
            from models import catalog
            from models.inside import gallery, signatures

            name = {name!r}
            network = signatures.untrained() if name == "untrained" else catalog.load(name)
            """
        ),
    ]
    if notebook.is_scene(state, "space"):
        made.append(
            code(
                """
                thing = max(view.instances, key=lambda each: each.mask.sum())  # the page: or another that you clicked
                window = gallery.window_around(thing.box * gallery.DRAWN / len(image), gallery.DRAWN)
                image = gallery.cut_out(scenes.render_image(scene, gallery.DRAWN), window)
                print(f"a {thing.label} asks")
                """
            )
        )
    return made


def _nearest(state: State) -> list[Cell]:
    key = "space_stage" if get(state, "space_network", "Trained") == "ImageNet" else "space_layer"
    return [
        text("## Its nearest in the gallery"),
        parameters(
            layer=get(state, key, None), k=get(state, "space_k", K),
            distance=DISTANCES[get(state, "space_distance", "Euclidean")],
        ),
        code(
            """
            import matplotlib.pyplot as plt

            things, tiles = gallery.things(), gallery.thumbnails()
            remembered = signatures.shipped(network)
            assert remembered is not None, "Run python -m models features: other weights made the shipped file."
            asked = signatures.of_pictures(network, image[None])
            layer = layer or list(remembered)[-1]
            measure = getattr(nearest_neighbours, distance)
            distances = measure(asked[layer], remembered[layer])
            found = nearest_neighbours.nearest(distances, k)[0].tolist()
            for number in found:
                thing = things[number]
                print(f"{float(distances[0, number]):.3g}: {thing.colour} {thing.label} {thing.pose}, {thing.light}")
            figure, axes = plt.subplots(1, k + 1, figsize=(1.4 * (k + 1), 1.8), squeeze=False)
            axes[0, 0].imshow(image)
            axes[0, 0].set_title("asks")
            for axis, number in zip(axes[0, 1:], found):
                axis.imshow(tiles[number])
                axis.set_title(f"{float(distances[0, number]):.3g}")
            for axis in axes[0]:
                axis.axis("off")
            plt.show()
            """
        ),
    ]  # fmt: skip


def _precision(state: State) -> list[Cell]:
    return [
        text("## Precision at k over the gallery, layer by layer"),
        parameters(count=get(state, "space_precision_k", K)),
        code(
            """
            itself = torch.eye(len(things), dtype=torch.bool)
            labels = torch.tensor([sorted({each.label for each in things}).index(each.label) for each in things])
            values = []
            for name_of_layer, vectors in remembered.items():
                order = nearest_neighbours.nearest(measure(vectors, vectors), count, itself)
                values.append(float(nearest_neighbours.precision_at_k(labels[order] == labels[:, None])[-1]))
                print(f"{name_of_layer}: class {values[-1]:.2f}")
            print(f"from {values[0]:.2f} to {values[-1]:.2f}, blindly {nearest_neighbours.chance(labels):.2f}")
            plt.plot(list(remembered), values, "o-")
            plt.ylim(0, 1)
            plt.ylabel(f"precision at {count}, same class")
            plt.xticks(rotation=30)
            plt.show()
            """
        ),
    ]


def _questions() -> Cell:
    return questions(
        "Take the mean colour off every picture before the network sees it. Which layers find the light now?",
        "Flatten the last maps instead of taking their means. How far does precision at k fall for things that are "
        "shifted by 16 pixels?",
    )
