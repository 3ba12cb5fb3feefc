"""The true box of an own picture, drawn by hand: what the network's one box is worth by it, and each of its losses."""

from collections.abc import Sequence
from functools import partial

import torch

from labs import boxes as geometry
from labs.coco_file import Mark
from pages.localization.one_thing import losses
from pages.localization.shared import Focus
from pages.shared import own_truth
from pages.shared.drawn_scores import Said
from ui.components import words


def drawn(focus: Focus) -> None:
    """The section; nothing on Lab World, whose truth is known."""
    said = focus.said
    one = Said(focus.network, said.box[None].numpy(), [said.label], said.probabilities.max()[None].numpy())
    own_truth.beside("localization", focus.picture, [one], also=partial(in_losses, focus))


def in_losses(focus: Focus, marks: Sequence[Mark]) -> None:
    """Its losses against the largest box that is drawn, as the truth of a scene is its largest thing."""
    if not marks:
        words("", "localization_truth_losses")
        return
    boxes = torch.tensor([mark.box for mark in marks])
    largest = int(geometry.area(boxes).argmax())
    told = losses(focus.said.box, boxes[largest]).replace("\n\n", " · ")
    words(f"**{focus.network}** against the {marks[largest].name} that you drew: {told}", "localization_truth_losses")
