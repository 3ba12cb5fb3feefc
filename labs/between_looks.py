"""What a look is worth: how well a box still fits the thing when nobody has looked for some frames.

A detector that is slower than the film looks at every k-th frame only. Until its next look a box is held where it was,
or moved on as a Kalman filter expects (`labs.tracking`). Here the detector is perfect, so that all that is lost is lost
between the looks.

Source: Bewley et al. 2016, "Simple Online and Realtime Tracking" (SORT), which predicts every box between detections.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from labs import tracking
from labs.matching import Detections
from labs.tracking import Settings


def overlap_by_age(
    things: Sequence[Int[np.ndarray, " _"]], found: Sequence[Detections], settings: Settings, every: int
) -> Float[np.ndarray, " _"]:
    """The mean IoU of a box with the thing it belongs to, 0, 1, … `every` - 1 frames after the look, each 0 to 1.

    Args:
        things: which thing each detection is, one array a frame; a thing keeps its number.
        found: where they truly are in each frame, with scores of at least `settings.least_score`.
        settings: of the tracker; only tracks that count are measured, and only while their thing is in the picture.
        every: a look at every so many frames (>= 1), from the first on.

    Returns:
        NaN for an age at which there was nothing to measure.

    >>> boxes = [np.array([[x, 0.0, x + 4, 4]]) for x in (0, 1, 2, 3)]
    >>> found = [Detections(each, np.array([1]), np.array([0.9])) for each in boxes]
    >>> overlap_by_age([np.array([7])] * 4, found, Settings(predict="still", confirm=1), every=2)
    array([1. , 0.6])
    """
    sums, counts, thing_of = np.zeros(every), np.zeros(every), {}
    for index, frame in enumerate(tracking.track(found, settings, every)):
        age, truth = index % every, found[index].boxes
        shown = [each for each in frame if each.state in tracking.COUNTED]
        if not shown:
            continue
        fits = 1 - tracking.costs(np.stack([each.box for each in shown]), truth)
        if age == 0:
            near = fits.argmax(1)
            thing_of = {each.track: int(things[index][at]) for each, at in zip(shown, near, strict=True)}
        for row, each in enumerate(shown):
            (columns,) = np.nonzero(things[index] == thing_of.get(each.track, -1))
            if len(columns):
                sums[age] += fits[row, columns[0]]
                counts[age] += 1
    return np.divide(sums, counts, out=np.full(every, np.nan), where=counts > 0)
