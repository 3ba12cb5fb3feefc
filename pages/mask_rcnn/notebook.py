"""This page to take home: the region under the hand, its mask, its target and loss, and the grid's own error."""

from pages.mask_rcnn import joint_cells
from pages.mask_rcnn.shared import MIDDLE, SEED
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, questions, text

ASKED = "What the box head says"


def cells(state: State) -> list[Cell]:
    """Mask of the box, one row of it, target and loss of the proposal, and IoU through M x M cells."""
    drawn, proposed = get(state, "mask_scene", []), get(state, "mask_proposal", [])
    name = get(state, "mask_class", ASKED)
    found = [
        text("## From a region to a mask"),
        notebook.picture(state, "masks", SEED),
        notebook.boxes_drawn(),
        parameters(
            box=tuple(drawn[0].xyxy) if drawn else MIDDLE, name=None if name == ASKED else name,
            threshold=get(state, "mask_threshold", 0.5),
        ),
        code(
            """
            import torch

            from labs import region_masks as rm
            from models import catalog
            from models.inside import mask_region
            from models.inside.pooling_swap import find_regions
            from scenes import THINGS

            names, size = ("background", *THINGS), image.shape[:2]
            network = catalog.load("detector")
            regions = find_regions(network, image)  # the trunk, once
            box = torch.tensor([box], dtype=torch.float32)
            said = mask_region.look(network, regions, box)
            label = names.index(name) if name else int(said.scores[0, 1:].argmax()) + 1
            probability = said.logits[0, label].sigmoid()
            mask = rm.above(rm.paste(probability, box[0], size), threshold)
            print(f"{names[label]} from level {said.levels[0]}: {int(mask.sum())} pixels")

            figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.5))
            left.imshow(image)
            draw(left, box.tolist(), "orange", linewidth=3)
            middle.imshow(probability, cmap="cividis", vmin=0, vmax=1)
            right.imshow(image)
            right.imshow(mask, alpha=0.6)
            plt.show()
            """
        ),
        text("## The masks of all classes in this box"),
        code(
            """
            figure, axes = plt.subplots(3, 3, figsize=(8, 8))
            for axis, each, logits in zip(axes.flat, names, said.logits[0]):
                axis.imshow(logits, cmap="RdBu_r", vmin=-10, vmax=10)
                axis.set_title(f"{each}: {int(rm.above(logits.sigmoid(), threshold).sum())} cells")
                axis.axis("off")
            plt.show()
            """
        ),
    ]  # fmt: skip
    if notebook.is_scene(state, "masks"):
        found += [
            text("## Target and loss of a proposal"),
            parameters(proposal=tuple(proposed[0].xyxy) if proposed else tuple(drawn[0].xyxy) if drawn else MIDDLE),
            code(
                """
                from labs.boxes import iou

                proposal = torch.tensor(proposal, dtype=torch.float32)
                things = view.instances
                if things:
                    overlaps = [float(iou(torch.tensor(thing.box).float(), proposal)) for thing in things]
                    thing = things[overlaps.index(max(overlaps))]
                    true = torch.tensor(thing.mask)[None].float()
                    target = rm.targets(true, proposal[None])
                    logits = mask_region.look(network, regions, proposal[None]).logits
                    losses = rm.sigmoid_losses(logits, torch.tensor([names.index(thing.label)]), target)
                    print(f"{thing.label}: IoU {max(overlaps):.2f}, mean loss {float(losses.mean()):.3f}")
                """
            ),
            text("## What the grid alone costs"),
            parameters(M=get(state, "mask_grid", 28)),
            code(
                """
                for thing in view.instances:
                    where, true = torch.tensor(thing.box).float(), torch.tensor(thing.mask)
                    whole = rm.targets(true[None].float(), where[None], M)[0]
                    exact = rm.targets(true[None].float(), where[None], M, aligned=True)[0]
                    fits = [
                        rm.mask_iou(rm.above(pasted, 0.5), true)
                        for pasted in (rm.paste(whole, where, size), rm.paste_exactly(exact, where, size))
                    ]
                    print(f"{thing.label:12} whole pixels {fits[0]:.3f}, no rounding {fits[1]:.3f}")
                """
            ),
        ]
    return [
        *found,
        *joint_cells.cells(state),
        questions(
            "Make the box twice as large around the same thing. Which level of the pyramid is asked now, and how does "
            "the mask change?",
            "Find a threshold for each thing that gives the best IoU. Is it the same for small and for large things?",
        ),
    ]
