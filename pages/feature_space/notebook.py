"""This page to take home: the signature of one thing, its neighbours in the gallery, and precision at k by layer."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 577
K = 8
NAMES = {"Trained": "classifier-gap-28", "ImageNet": "efficientnet-lite0", "Untrained": "untrained"}
DISTANCES = {"Euclidean": "euclidean", "Cosine": "cosine"}


def cells(state: State) -> list[Cell]:
    """The thing that asks, its nearest, and how often neighbours are of one class, layer by layer."""
    return [*_asks(state), *_nearest(state), *_precision(state), *_plots(state), _questions()]


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


def _plots(state: State) -> list[Cell]:
    stage = get(state, "space_network", "Trained") == "ImageNet"
    return [
        text("## All signatures in one plot: principal components and t-SNE"),
        parameters(
            plotted=get(state, "plot_stage" if stage else "plot_layer", None),
            perplexity=get(state, "plot_perplexity", 30), iterations=get(state, "plot_iterations", 500),
        ),
        code(
            """
            from labs import t_sne
            from labs.principal_components import principal_components, project

            vectors = remembered[plotted or list(remembered)[-1]].numpy()
            onto = principal_components(vectors)
            print(f"the two directions keep {onto.shares[0]:.1%} + {onto.shares[1]:.1%} of the variance")
            *_, last = t_sne.descend(vectors, t_sne.Settings(perplexity, iterations=iterations))
            print(f"t-SNE, perplexity {perplexity}: KL {last.kl:.3f} nats")
            figure, axes = plt.subplots(1, 2, figsize=(12, 6))
            for axis, places, way in zip(axes, (project(vectors, onto), last.places), ("PCA", "t-SNE")):
                for label in sorted({each.label for each in things}):
                    of_class = [number for number, each in enumerate(things) if each.label == label]
                    axis.scatter(*places[of_class].T, s=8, label=label)
                axis.set_title(way)
                axis.set_aspect("equal")
            axes[1].legend()
            plt.show()
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Take the mean colour off every picture before the network sees it. Which layers find the light now?",
        "Flatten the last maps instead of taking their means. How far does precision at k fall for things that are "
        "shifted by 16 pixels?",
    )
