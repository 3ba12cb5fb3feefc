"""This page to take home: the box, its nine parts on their maps, the votes of all classes, and what a shift does."""

from models.networks.r_fcn import PARTS
from pages.position_sensitive.shared import MIDDLE, SEED, TRAINED
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text


def cells(state: State) -> list[Cell]:
    """Parts and votes of the box, the shifted box, and the price per region."""
    drawn = get(state, "rfcn_scene", [])
    source = get(state, "rfcn_maps", TRAINED)
    return [
        text("## Each part reads its own map"),
        notebook.picture(state, "rfcn", SEED),
        notebook.boxes_drawn(),
        parameters(
            box=tuple(drawn[0].xyxy) if drawn else MIDDLE, name=get(state, "rfcn_class", "dog"),
            parts=None if source == TRAINED else get(state, "rfcn_parts_k", PARTS),
        ),
        code(
            """
            import numpy as np
            import torch

            from labs import position_sensitive as ps
            from models import catalog
            from scenes import THINGS

            names = ("background", *THINGS)
            label, box = names.index(name), torch.tensor(box, dtype=torch.float32)
            found = catalog.load("r-fcn")(image)
            if parts is None:
                maps, scale, samples = found.score_maps, float(found.scale[0]), 2
            else:
                boxes = torch.tensor(np.array([thing.box for thing in view.instances]), dtype=torch.float32)
                labels = torch.tensor([names.index(thing.label) for thing in view.instances])
                maps = ps.perfect_maps(boxes.reshape(-1, 4), labels.long(), len(names), parts, image.shape[:2])
                scale, samples = 1.0, max(1, int((box[2:] - box[:2]).min() / parts / 2))
            read = ps.align(maps[label][None], box[None], scale, samples)[0, 0]
            print(read)
            print(f"vote for {name}: {float(ps.vote(read)):.2f}")

            k = len(read)
            figure, axes = plt.subplots(k, k, figsize=(9, 9), squeeze=False)
            for row in range(k):
                for column in range(k):
                    axes[row, column].imshow(maps[label, row, column], cmap="cividis", extent=(0, 224, 224, 0))
                    draw(axes[row, column], [ps.part_boxes(box, k)[row, column].tolist()], "orange", linewidth=3)
            plt.show()
            """
        ),
        text("## Every class votes"),
        code(
            """
            votes = ps.vote(ps.align(found.score_maps, box[None], float(found.scale[0]), 2)[0])
            for each, vote, p in zip(names, votes.tolist(), votes.softmax(0).tolist()):
                print(f"{each:12} vote {vote:6.2f}, p {p:.2f}")
            """
        ),
        text("## One map or nine?"),
        parameters(shift=get(state, "rfcn_shift", 0.2)),
        code(
            """
            thing = torch.tensor([4.0, 4.0, 109.0, 109.0])
            for k in (1, 3, 5, 7):
                alone = ps.perfect_maps(thing[None], torch.tensor([1]), 2, k, (113, 224))
                moved = thing + torch.tensor([105 * shift, 0.0, 105 * shift, 0.0])
                vote = float(ps.vote(ps.align(alone, moved[None], 1.0, 105 // k))[0, 1])
                print(f"{k} x {k} parts: vote {vote:.2f}, max(0, 1 - k shift) = {max(0.0, 1 - k * shift):.2f}")
            """
        ),
        questions(
            "Cover the lower third of a thing with a grey bar and read its nine parts again. Which of them change?",
            "Swap the left and the right column of the score maps before reading. How does the vote of the same box "
            "change for a thing that looks alike on both sides, and for one that does not?",
        ),
    ]  # fmt: skip
