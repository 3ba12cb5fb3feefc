"""The truth of an own picture, drawn by hand: what the boxes are worth that the solids stand in."""

from pages.mesh_rcnn import predicted
from pages.shared import own_truth
from pages.shared.drawn_scores import Said
from scenes import THINGS
from ui.pictures import Picture


def drawn(picture: Picture) -> None:
    """The section; nothing on Lab World, whose truth is known."""
    if not own_truth.opened("mesh", picture):
        return
    found, _ = predicted.looked(picture.image)
    names = [THINGS[label - 1] for label in found.labels.tolist()]
    own_truth.draw(
        "mesh_truth", picture, [Said(predicted.NETWORK, found.boxes.numpy(), names, found.scores.numpy())]
    )
