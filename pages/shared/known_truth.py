"""What is known of the things of a chosen picture, for the pages that compare boxes with them."""

from dataclasses import dataclass

from torch import Tensor

from models.networks import ssd
from scenes import THINGS
from ui.pictures import Picture

UNKNOWN = "Nobody has boxed the things in this picture, so {}: choose Lab World above."


@dataclass(frozen=True, eq=False)
class Truth:
    """The things of a Lab World picture: boxes float32 (T, 4), labels int64 (T,) from 1."""

    boxes: Tensor
    labels: Tensor

    def name(self, index: int) -> str:
        return THINGS[int(self.labels[index]) - 1]


def truth_of(picture: Picture) -> Truth | None:
    """None for a picture whose truth nobody knows."""
    return None if picture.view is None else Truth(*ssd.truth_of(picture.view.instances))
