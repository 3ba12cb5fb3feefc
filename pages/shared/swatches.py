"""What colours mean: a swatch and a word for each, as HTML."""

from collections.abc import Iterable

import numpy as np

from scenes import CLASSES, PALETTE


def swatch(colour: str, text: str) -> str:
    """One colour, "#rrggbb", and its meaning."""
    return (
        '<span style="display:inline-flex;align-items:center;gap:.35em;margin:0 .9em .3em 0">'
        f'<i style="flex:none;width:.9em;height:.9em;border-radius:3px;background:{colour};box-shadow:0 0 0 1px #8888">'
        f"</i>{text}</span>"
    )


def swatches(meanings: Iterable[tuple[str, str]]) -> str:
    """Colours and their meanings in a row that wraps."""
    return "".join(swatch(colour, text) for colour, text in meanings)


def class_swatches(shown: np.ndarray) -> str:
    """The classes of Lab World that an array of their numbers holds, in their order."""
    there = np.flatnonzero(np.bincount(shown.ravel(), minlength=len(CLASSES)))
    return swatches((PALETTE[CLASSES[k]], CLASSES[k]) for k in there)
