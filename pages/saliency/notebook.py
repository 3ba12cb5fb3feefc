"""This page to take home: the five maps, SmoothGrad copy by copy, integrated gradients that add up, and a patch."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 448
FIRST = "most probable"


def cells(state: State) -> list[Cell]:
    """Maps, noisy copies, the way from a plain picture, the patch and the whole occlusion map."""
    return [*_maps(state), *_smoothgrad(state), *_integrated(state), *_occlusion(state), _questions()]


def _maps(state: State) -> list[Cell]:
    drawn = notebook.is_scene(state, "saliency")
    chosen = get(state, "saliency_class" if drawn else "saliency_photo_class", FIRST)
    return [
        text("## Which pixels mattered?"),
        notebook.picture(state, "saliency", SEED),
        parameters(
            name="classifier-gap-28" if drawn else "efficientnet-lite0", asked=None if chosen == FIRST else chosen
        ),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            from models import catalog
            from models.inside import saliency
            from scenes import THINGS

            network = catalog.load(name)
            classes = list(THINGS) if name == "classifier-gap-28" else list(network.classes)
            x = saliency.pixels(network, image)
            logits = saliency.scores(network, x[None])[0]
            target = int(logits.argmax())
            if asked:  # of two classes with one name the page writes the number behind it
                target = int(asked.split("(")[1][:-1]) if asked.endswith(")") else classes.index(asked)
            print(f"{classes[target]}: probability {float(saliency.probabilities(network, logits)[target]):.3f}, "
                  f"score {float(logits[target]):.4f}")
            figure, axes = plt.subplots(1, 6, figsize=(18, 3.4))
            axes[0].imshow(image)
            for axis, method in zip(axes[1:], saliency.METHODS):
                heat = saliency.saliency(network, image, target, method)
                end = float(heat.abs().quantile(0.995)) or 1.0
                signed = method in saliency.CONTRIBUTIONS
                axis.imshow(heat, cmap="RdBu_r" if signed else "inferno", vmin=-end if signed else 0, vmax=end)
                axis.set_title(method)
            plt.show()
            """
        ),
    ]


def _smoothgrad(state: State) -> list[Cell]:
    return [
        text("## SmoothGrad, copy by copy"),
        parameters(copies=get(state, "saliency_copies", 8), deviation=get(state, "saliency_deviation", 0.1)),
        code(
            """
            from labs.saliency import largest_magnitude, mean_so_far

            mean = torch.zeros_like(x)
            for done, found in zip(range(1, copies + 1), saliency.noisy_gradients(network, x, target, deviation)):
                mean = mean_so_far(mean, found, done)
            print(f"largest value of {copies} copies: {float(largest_magnitude(mean).max()):.3g}")
            plt.imshow(largest_magnitude(mean), cmap="inferno")
            plt.show()
            """
        ),
    ]


def _integrated(state: State) -> list[Cell]:
    return [
        text("## Integrated gradients add up"),
        parameters(steps=get(state, "saliency_steps", 16), baseline=get(state, "saliency_baseline", "grey")),
        code(
            """
            colours = {"black": torch.zeros(3, 1, 1), "white": torch.ones(3, 1, 1)}
            start = colours.get(baseline, saliency.neutral(network))
            found = saliency.integrated_gradients(network, x, target, start, steps)
            print(f"difference of the scores {found.score - found.start:.5g}, sum of the map "
                  f"{float(found.heat.double().sum()):.5g}, missing {found.missing:.2g}")
            """
        ),
    ]


def _occlusion(state: State) -> list[Cell]:
    boxes = state["saliency_covered"] if "saliency_covered" in state else []  # noqa: SIM401
    patch = tuple(round(side) for side in boxes[0].xyxy) if boxes else (80, 80, 128, 128)
    return [
        text("## A patch over the picture, and over every place"),
        parameters(
            patch=patch, fill=get(state, "saliency_fill", "grey"), side=get(state, "saliency_patch_size", 48),
            stride=get(state, "saliency_stride", 24),
        ),
        code(
            """
            from labs import occlusion

            colours["the picture's mean"] = x.mean((1, 2), keepdim=True)
            colour = colours.get(fill, saliency.neutral(network))
            left = saliency.scores(network, occlusion.occluded(x, patch, colour)[None])[0]
            print(f"under the patch: probability {float(saliency.probabilities(network, left)[target]):.3f}, "
                  f"fall of the score {float(logits[target] - left[target]):.4g}")
            rows = occlusion.patches_of(tuple(x.shape[1:]), side, min(stride, side))


            def score_under(each):
                return saliency.scores(network, occlusion.occluded(x, each, colour)[None])[:, target]


            covered = torch.stack([
                torch.cat([score_under(each) for each in row]) for row in rows
            ])
            heat = occlusion.occlusion_map(
                occlusion.falls(float(logits[target]), covered), tuple(x.shape[1:]), side, min(stride, side)
            )
            plt.imshow(heat, cmap="RdBu_r", vmin=-float(heat.abs().max()), vmax=float(heat.abs().max()))
            plt.show()
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Invert the picture (1 − x) and ask again. Which of the five maps stay the same, and should they?",
        "Fill the patch with a blurred copy of the picture instead of one colour. Where does the occlusion map change?",
    )
