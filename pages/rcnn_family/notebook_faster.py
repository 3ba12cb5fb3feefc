"""To take home: Faster R-CNN step by step, and its four losses on the scene."""

from pages.rcnn_family.faster import DRAWN, NETWORKS
from pages.rcnn_family.losses import NAMES
from ui import notebook
from ui.notebook import Cell, State, code, get, parameters, text


def cells(state: State) -> list[Cell]:
    """The regions of the RPN, and for a Lab World scene the four losses and who pays them; `image`, and `view` of a
    scene, are there already."""
    network = NETWORKS[get(state, "faster_network", "Joint")]
    opened = NETWORKS[get(state, "losses_network", "Joint")]
    return [
        text("## Faster R-CNN: regions from the network"),
        parameters(network=network, first=get(state, "faster_boxes", DRAWN)),
        code(
            """
            from models import catalog
            from models.inside import two_stages

            walked = two_stages.walk(catalog.load(network), image)
            print(f"trunk {1000 * walked.trunk_seconds:.0f} ms, RPN {1000 * walked.proposal_seconds:.0f} ms, "
                  f"heads {1000 * walked.head_seconds:.0f} ms")
            figure, axes = plt.subplots(1, 2, figsize=(12, 6))
            for axis, boxes in zip(axes, (walked.regions[:first], walked.boxes[walked.scores >= 0.5])):
                axis.imshow(image)
                draw(axis, boxes.tolist(), "tab:green")
            plt.show()
            """
        ),
        *(_losses(opened, get(state, "losses_of", "head: class")) if notebook.is_scene(state, "rcnn") else []),
    ]  # fmt: skip


def _losses(network: str, name: str) -> list[Cell]:
    kind = next(each for each, said in NAMES.items() if said == name)
    return [
        text("## Four losses: who pays most?"),
        parameters(trained=network, kind=kind),
        code(
            """
            from models.inside.four_losses import KINDS, open_losses

            found = open_losses(catalog.load(trained), image, view.instances)
            for each in KINDS:
                batch, adds = found.of(each)
                print(f"{each}: {found.losses[each]:.4f} = the sum over {len(adds)} boxes, {float(adds.sum()):.4f}")
            batch, adds = found.of(kind)
            dearest = adds.argsort(descending=True)[:10]
            plt.imshow(image)
            draw(plt.gca(), batch.boxes[dearest].tolist(), "tab:red")
            plt.show()
            """
        ),
    ]
