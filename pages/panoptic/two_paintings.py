"""A second painting of the same picture: how far two people agree, segment by segment."""

import numpy as np

from labs import panoptic_quality
from pages.panoptic.quality import MISSED, THINGS, fate_of, means, painted
from scenes import CLASSES
from ui.components import stage, words
from ui.pictures import Picture


def compared(key: str, picture: Picture, mine: np.ndarray, other: np.ndarray) -> None:
    """Panoptic quality of the second painting by yours, both class and identity of every pixel, (H, W, 2)."""
    judged = panoptic_quality.judge(mine, other, THINGS)
    found = panoptic_quality.quality(panoptic_quality.tally(judged, len(CLASSES)))
    words(
        f"**Two paintings**: {means(found)} :gray[Segments in both {len(judged.matches)}, only yours "
        f"{int(judged.missed.sum())}, only the second {int(judged.wrong.sum())}. Yours counts as the truth, and what "
        "you left empty does not count.]",
        f"{key}_figures",
    )  # fmt: skip
    fate = fate_of(judged.missed, judged.matches[:, 0])
    stage(key, zoom=False, window=2).show(
        picture.image, [painted(fate, judged.truth.numbers, MISSED)], alt="Your painting: what the second one has too",
        caption="Yours. Blue: the second painting has the same segment. Orange: it has not.",
    )  # fmt: skip
