"""A picture from outside Lab World, painted by hand, judges the network."""

from pages.semantic_segmentation.shared import look, palette_of
from pages.shared import own_mask
from ui import page
from ui.pictures import Picture


@page.guard()
def painted(picture: Picture, network) -> None:
    """The section; nothing on Lab World, whose truth is known."""
    if own_mask.opened("segmentation", picture):
        seen = look(network, picture.image)
        own_mask.paint(
            "segmentation", picture, own_mask.Seen(network.name, seen.labels, seen.classes, palette_of(seen.classes))
        )
