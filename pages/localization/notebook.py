"""This page to take home: one thing, its class and box, the losses of the box, the last layer, heads, and people."""

from models import catalog
from pages.localization import landmarks_notebook, people_cells, pose_notebook
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

SEED = 141
NETWORKS = {"Joint": "localizer-joint", "Heads apart": "localizer-apart"}


def cells(state: State) -> list[Cell]:
    """The network's answer, every loss, the last layer, α, the training of two heads, a face, a pose, and people."""
    box = [*_answer(state), *_losses(state), *_last_layer(state), *_heads(state)]
    face = landmarks_notebook.cells(state) if landmarks_notebook.NETWORK in catalog.shipped() else []
    return [*box, *face, *pose_notebook.cells(state), *people_cells.cells(state), _questions()]


def _answer(state: State) -> list[Cell]:
    return [
        text("## What is it, and where?"),
        notebook.picture(state, "localization", SEED),
        parameters(name=NETWORKS[get(state, "localization_network", "Joint")]),
        code(
            """
            import matplotlib.pyplot as plt
            import torch

            from labs import boxes, localization
            from models import catalog
            from scenes import THINGS

            said = catalog.load(name)(image)
            print(f"{said.label} {float(said.probabilities.max()):.3f}, box {said.box.tolist()}")
            x1, y1, x2, y2 = said.box.tolist()
            plt.imshow(image)
            plt.gca().add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color="orange", lw=3))
            plt.show()
            """
        ),
    ]


def _losses(state: State) -> list[Cell]:
    dragged = state["localization_stage"] if "localization_stage" in state else []  # noqa: SIM401
    box = tuple(float(side) for side in dragged[0].xyxy) if dragged else None
    return [
        text("## What its error costs"),
        parameters(dragged=box, drawn=notebook.is_scene(state, "localization")),
        code(
            """
            box = said.box if dragged is None else torch.tensor(dragged)
            things = view.instances if drawn else ()
            if things:
                thing = max(things, key=lambda each: each.mask.sum())
                truth = torch.from_numpy(thing.box).float()
                guess, true = (localization.to_numbers(each, *image.shape[1::-1]) for each in (box, truth))
                print(f"IoU {float(boxes.iou(box, truth)):.3f}")
                for loss, function in localization.BOX_LOSSES.items():
                    print(f"{loss}: {float(function(guess, true)):.4f}")
            """
        ),
    ]


def _last_layer(state: State) -> list[Cell]:
    return [
        text("## The last layer, opened"),
        parameters(output=get(state, "localization_output", "x")),
        code(
            """
            if output in localization.NUMBERS:
                head, index = said.box_head, localization.NUMBERS.index(output)
            else:
                head, index = said.class_head, THINGS.index(output)
            terms = localization.last_layer(head.hidden, head.weights, head.bias, index)
            print(f"{output}: products {float(terms.products.sum()):.4f} + bias {float(terms.bias):.4f} "
                  f"= {float(terms.output):.4f}")
            """
        ),
    ]


def _heads(state: State) -> list[Cell]:
    return [
        text(
            "## Two heads and one loss\n\nWith 60 scenes to learn from and 30 held out, which takes seconds. "
            "The page has 400 and 100: write these for its figures."
        ),
        parameters(
            alpha=get(state, "multitask_alpha", 0.5), box_loss=get(state, "multitask_loss", "L2"),
            units=get(state, "multitask_units", 32), seed=get(state, "multitask_seed", 0),
        ),
        code(
            """
            from models.recipes import localizer_heads as heads

            settings = heads.Settings(alpha=alpha, box_loss=box_loss, units=units, seed=seed)
            looked = heads.Looked(catalog.load("classifier-gap-28"), training=60, held_out=30)
            for now in heads.learn(settings, looked):
                pass
            step, accuracy, overlap = now.scores[-1]
            print(f"after {step} steps: accuracy {accuracy:.2f}, mean IoU {overlap:.3f}")
            plt.plot(*zip(*[(step, accuracy) for step, accuracy, _ in now.scores]), label="accuracy")
            plt.plot(*zip(*[(step, overlap) for step, _, overlap in now.scores]), label="mean IoU")
            plt.legend()
            plt.show()
            """
        ),
    ]  # fmt: skip


def _questions() -> Cell:
    return questions(
        "Train with α = 0 and with α = 1. Which of the two figures is then what chance gives, and why not the other?",
        "Divide S and R by their values at the first step before you weigh them. Does α = 0.5 now do what it says?",
    )
