"""This page to take home: two class activation maps, the box drawn from one of them, and Grad-CAM beside it."""

from ui import notebook, pictures
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 577
SHARE = 0.2


def cells(state: State) -> list[Cell]:
    """The maps, the sum inside, the weak box, the three networks, Grad-CAM and another method, a photograph."""
    return [
        *_maps(state), *_inside(state), *_box(state), *_networks(), *_gradients(state), *_photograph(state),
        _questions(),
    ]  # fmt: skip


def _maps(state: State) -> list[Cell]:
    first, second = get(state, "cam_class", "most probable"), get(state, "cam_other", "next best")
    return [
        text("## Two classes, one forward pass"),
        notebook.picture(state, "cam", SEED),
        parameters(
            first=None if first == "most probable" else first, second=None if second == "next best" else second,
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            from labs.class_activation import class_activation_map, top_contributions
            from models import catalog
            from models.inside.attribution import enlarged
            from scenes import THINGS

            seen = catalog.load("classifier-gap")(image)
            ranked = seen.logits.argsort(descending=True).tolist()
            target = THINGS.index(first) if first else ranked[0]
            other = THINGS.index(second) if second else next(each for each in ranked if each != target)
            figure, axes = plt.subplots(1, 3, figsize=(12, 4.2))
            axes[0].imshow(image)
            for axis, asked in zip(axes[1:], (target, other)):
                heat = class_activation_map(seen.features, seen.weights[asked])
                limit = float(heat.abs().max())
                print(f"{THINGS[asked]}: probability {float(seen.probabilities[asked]):.3f}, "
                      f"score {float(seen.logits[asked]):.3f}, mean of the map {float(heat.mean()):.3f}")
                axis.imshow(image)
                axis.imshow(enlarged(heat.float(), image.shape[:2]), cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.6)
                axis.set_title(THINGS[asked])
            plt.show()
            """
        ),
    ]  # fmt: skip


def _inside(state: State) -> list[Cell]:
    return [
        text("## Look inside: the sum, map by map"),
        parameters(count=get(state, "cam_terms", 192)),
        code(
            """
            parts = top_contributions(seen.features, seen.weights[target], len(seen.features))
            for part in parts[:5]:
                print(f"map {part.channel}: weight {part.weight:.3f}, mean {part.pooled:.3f}, share {part.score:.3f}")
            print(f"sum of {count} maps: {sum(part.score for part in parts[:count]):.4f} "
                  f"of {float(seen.logits[target]):.4f}")
            """
        ),
    ]


def _box(state: State) -> list[Cell]:
    found = [
        text("## From a map to a box"),
        notebook.boxes_drawn(),
        parameters(share=get(state, "cam_share", SHARE)),
        code(
            """
            from labs import weak_localization as wl

            heat = enlarged(class_activation_map(seen.features, seen.weights[target]).float(), image.shape[:2])
            found = wl.localize(heat, share)
            print("box", None if found.box is None else found.box.tolist())
            plt.imshow(image)
            plt.imshow(found.component, cmap="Oranges", alpha=0.5 * found.component)
            if found.box is not None:
                draw(plt.gca(), [found.box.tolist()], "tab:orange", linewidth=3)
            plt.title(THINGS[target])
            plt.show()
            """
        ),
    ]
    if notebook.is_scene(state, "cam"):
        found.append(
            code(
                """
                truths = [thing.box for thing in view.instances if thing.label == THINGS[target]]
                if truths:
                    print(f"IoU with the truth {max(wl.box_overlap(found.box, true) for true in truths):.2f}")
                """
            )
        )
    return found


def _networks() -> list[Cell]:
    return [
        text("## On a real network: mean, maximum, and a larger map"),
        code(
            """
            figure, axes = plt.subplots(1, 3, figsize=(12, 4.2))
            for axis, name in zip(axes, ("classifier-gap", "classifier-gmp", "classifier-gap-28")):
                said = catalog.load(name)(image)
                map_of = class_activation_map(said.features, said.weights[target])
                limit = float(map_of.abs().max())
                print(f"{name}: probability {float(said.probabilities[target]):.3f}, mean {float(map_of.mean()):.3f}")
                axis.imshow(map_of, cmap="RdBu_r", vmin=-limit, vmax=limit)
                axis.set_title(name)
            plt.show()
            """
        ),
    ]


def _gradients(state: State) -> list[Cell]:
    return [
        text("## Grad-CAM, and another method"),
        parameters(layer=get(state, "cam_layer", None), method=get(state, "cam_method", "saliency")),
        code(
            """
            from models.inside import attribution

            network = catalog.load("classifier-gap")
            layer = layer or attribution.layers(network)[5]
            gradient = attribution.attribute(network, image, target, layer=layer)
            pixels = attribution.attribute(network, image, target, method)
            print(f"Grad-CAM at {layer}: up to {float(gradient.max()):.3g}")
            figure, axes = plt.subplots(1, 2, figsize=(9, 4.5))
            axes[0].imshow(gradient, cmap="inferno", vmin=0)
            axes[0].set_title(f"Grad-CAM at {layer}")
            axes[1].imshow(pixels.abs(), cmap="inferno", vmin=0, vmax=float(pixels.abs().quantile(0.99)))
            axes[1].set_title(method)
            plt.show()
            """
        ),
    ]


def _photograph(state: State) -> list[Cell]:
    """With the network that comes with the lab, whatever was chosen: the others have to be fetched first."""
    label = get(state, "cam_published_photo", "Cameraman")
    own = label not in pictures.PHOTOGRAPHS or not notebook.is_scene(state, "cam")
    wanted = get(state, "cam_published_class", "most probable")
    return [
        text("## A network for photographs"),
        *([] if own else [notebook.photograph(label, 448)]),
        parameters(name=None if wanted == "most probable" else wanted),
        code(
            """
            from models.inside import photograph_attribution

            network = catalog.load("efficientnet-lite0")
            seen = network(image)
            for each, probability in seen.top(5):
                print(f"{each}: {probability:.3f}")
            index = network.classes.index(name) if name in network.classes else int(seen.logits.argmax())
            found = photograph_attribution.explain(network, image, index)
            x1, y1, x2, y2 = found.window
            limit = float(found.cam.abs().max())
            print(f"{network.classes[index]}: mean of CAM {float(found.cam.mean()):.3f} + bias {found.bias:.3f} "
                  f"= score {found.score:.3f}")
            plt.imshow(image)
            plt.imshow(found.cam, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.6, extent=(x1, x2, y2, y1))
            plt.xlim(0, image.shape[1])
            plt.ylim(image.shape[0], 0)
            plt.title(network.classes[index])
            plt.show()
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Cover the strongest cell of the map in the picture with gray and run the network again. How far does the "
        "score fall, and where is the strongest cell now?",
        "Turn the picture upside down. Does the map turn with it? Compare the three networks.",
    )
