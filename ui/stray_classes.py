"""How a page names stray classes: those that a network sees in a picture and that are not there."""

from __future__ import annotations

from collections.abc import Iterable

DEFINITION = (
    "**mIoU** is the mean IoU over the classes that are in the picture. A **stray class**, which the network sees and "
    "which is not there, has no pixel to find: it is named with its pixels instead, because one such pixel would count "
    "as a whole class with IoU 0."
)


def named(classes: Iterable[str], pixels: Iterable[int]) -> str:
    """A phrase for the line of scores, most pixels first; ``pixels`` as ``labs.segmentation_metrics.stray_pixels``."""
    there = sorted(((int(count), name) for name, count in zip(classes, pixels, strict=True) if count), reverse=True)
    if not there:
        return "no stray class"
    return f"stray {'class' if len(there) == 1 else 'classes'}: " + ", ".join(f"{n} {count:,} px" for count, n in there)
