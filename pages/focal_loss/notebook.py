"""This page to take home: the curves, the loss of all anchors of the scene, the networks, and the outputs."""

from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 29
SAID_BY = {
    "γ = 2, focal loss": "retinanet",
    "γ = 0, cross-entropy": "retinanet-cross-entropy",
    "1 : 3 sampled": "retinanet-sampled",
}
# The same trunk with heads as they are before the first step.
UNTRAINED = """
from models.networks.retinanet import OBJECTIVES, LoadedRetinaNet, build_retinanet

torch.manual_seed(0)
module = build_retinanet(OBJECTIVES[name])
module.backbone = network.module.backbone
network = LoadedRetinaNet("before training", module.eval(), torch.device(network.device), {})
"""


def cells(state: State) -> list[Cell]:
    """One answer, all anchors of a scene, detections, and the sizes of the outputs."""
    return [*_curves(state), *_count(state), *_found(state), *_outputs(state), _questions()]


def _curves(state: State) -> list[Cell]:
    return [
        text("## One answer"),
        parameters(gamma=get(state, "focal_gamma", 2.0), p=get(state, "focal_p", 0.9),
                   alpha=get(state, "focal_alpha", 0.25)),
        code(
            """
            import torch

            from labs import focal_loss

            here, right = torch.tensor([p], dtype=torch.float64), torch.tensor([True])
            entropy = focal_loss.focal_loss(here.logit(), right, 0, None).item()
            focal = focal_loss.focal_loss(here.logit(), right, gamma, None).item()
            print(f"cross-entropy {entropy:.4f} nats")
            print(f"focal loss {focal:.3g} nats, {focal_loss.down_weighted(here, gamma).item():,.3g} times less")
            print(f"for a positive, weighted by alpha: {alpha * focal:.3g}")
            """
        ),
    ]  # fmt: skip


def _count(state: State) -> list[Cell]:
    if not notebook.is_scene(state, "focal"):
        return [text("## The picture"), notebook.picture(state, "focal", SEED)]
    said_by = get(state, "focal_said_by", next(iter(SAID_BY)))
    untrained = [] if said_by in SAID_BY else [code(UNTRAINED)]
    return [
        text("## All anchors of the scene"),
        notebook.picture(state, "focal", SEED),
        parameters(name=SAID_BY.get(said_by, "retinanet"), gamma=get(state, "focal_count_gamma", 2.0)),
        code(
            """
            import numpy as np
            from models import catalog
            from scenes import THINGS

            network = catalog.load(name)
            """
        ),
        *untrained,
        code(
            """
            found = network(image)
            truth = torch.from_numpy(np.array([thing.box for thing in view.instances], np.float32).reshape(-1, 4))
            labels = torch.tensor([THINGS.index(thing.label) for thing in view.instances])
            match = network.match(found, truth)
            asked = match != -2
            right = focal_loss.wanted(match, labels, len(THINGS))[asked]
            losses = focal_loss.focal_loss(found.logits[asked], right, gamma, 0.25).sum(1)
            difficulty = focal_loss.focal_loss(found.logits[asked], right, 0, None).sum(1)
            positive = match[asked] >= 0
            easy = ~positive & (difficulty < 0.1)
            for kind, which in (("positives", positive), ("easy negatives", easy), ("others", ~positive & ~easy)):
                print(f"{int(which.sum()):,} {kind} pay {losses[which].sum() / losses.sum():.1%}")
            """
        ),
    ]


def _found(state: State) -> list[Cell]:
    return [
        text("## What is found"),
        parameters(threshold=get(state, "focal_threshold", 0.3)),
        notebook.boxes_drawn(),
        code(
            """
            import matplotlib.pyplot as plt

            from models import catalog

            said = catalog.load("retinanet")(image)
            shown = said.boxes[said.scores >= threshold]
            print(f"{len(shown)} boxes from {threshold:g} on")
            figure, axis = plt.subplots()
            axis.imshow(image)
            draw(axis, shown.tolist(), "orange", linewidth=2)
            plt.show()
            """
        ),
    ]


def _outputs(state: State) -> list[Cell]:
    return [
        text("## The outputs"),
        parameters(side=get(state, "focal_side", 224), classes=get(state, "focal_c", 80),
                   anchors=get(state, "focal_k", 9)),
        code(
            """
            made = [focal_loss.outputs(side, side, stride, anchors, classes) for stride in (8, 16, 32, 64, 128)]
            for each in made:
                print(each, f"{each.numbers:,} numbers")
            print(f"all: {sum(each.numbers for each in made):,} numbers")
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "At which γ do positives and negatives of this scene pay the same? Does α move that γ much?",
        "Ask the anchors of `retinanet-cross-entropy` instead. Which network leaves more for γ to do, and why?",
    )
