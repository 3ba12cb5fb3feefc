"""A Kalman filter on a box: where will it be in the next frame, and how much should a new measurement count?

The state of a box are seven numbers: its centre x, y (pixels), its area s (square pixels), its aspect r (width over
height), and how fast x, y and s change (per frame). The aspect is taken to stay. A detector measures the first four.

    predict:  m' = F m,                     P' = F P F^T + Q
    update:   K = P H^T (H P H^T + R)^-1,   m' = m + K (z - H m),   P' = (I - K H) P

P is the covariance of the state m, Q what a frame adds to it, R the covariance of a measurement z. Everything is a
batch: n boxes, which know nothing of each other. All arrays are float64.

Sources: Kalman 1960; Bewley et al. 2016, "Simple Online and Realtime Tracking" (SORT), section 3.2, for state, F and H;
its published code for Q, R and the first P.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

MEASURED, STATES = 4, 7  # x, y, s, r; and the three speeds
TRANSITION = np.eye(STATES)
TRANSITION[[0, 1, 2], [4, 5, 6]] = 1.0  # a place moves by its speed
PROCESS = np.diag([1.0, 1.0, 1.0, 1.0, 0.01, 0.01, 0.0001])  # Q
MEASUREMENT = np.diag([1.0, 1.0, 10.0, 10.0])  # R
FIRST = np.diag([10.0] * MEASURED + [10_000.0] * (STATES - MEASURED))  # of a track that was seen once: no idea how fast
SMALLEST = 1e-6  # of a side and an area: an empty box has no aspect


class State(NamedTuple):
    """What is known of n boxes: the expected seven numbers, and their covariance.

    >>> State(np.zeros((1, 7)), np.eye(7)[None]).mean.shape
    (1, 7)
    """

    mean: Float[np.ndarray, "n 7"]
    covariance: Float[np.ndarray, "n 7 7"]


def measured(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    """xyxy in pixels to centre x, centre y, area, aspect. A side counts as at least 1e-6.

    >>> measured(np.array([[10.0, 20, 14, 28]]))
    array([[12. , 24. , 32. ,  0.5]])
    """
    boxes = np.asarray(boxes, np.float64)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], SMALLEST)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.column_stack([centres, sides[:, 0] * sides[:, 1], sides[:, 0] / sides[:, 1]])


def boxes_of(means: Float[np.ndarray, "n states"]) -> Float[np.ndarray, "n 4"]:
    """The way back: the first four numbers of each state to xyxy. An area or aspect below 1e-6 counts as 1e-6.

    >>> boxes_of(np.array([[12.0, 24, 32, 0.5]]))
    array([[10., 20., 14., 28.]])
    """
    area, aspect = np.maximum(means[:, 2:4], SMALLEST).T
    width = np.sqrt(area * aspect)
    half = np.column_stack([width, area / width]) / 2
    return np.column_stack([means[:, :2] - half, means[:, :2] + half])


def begin(boxes: Float[np.ndarray, "n 4"]) -> State:
    """What is known after one look: the place as measured, no speed, and no idea how wrong that is.

    >>> begin(np.array([[10.0, 20, 14, 28]])).mean
    array([[12. , 24. , 32. ,  0.5,  0. ,  0. ,  0. ]])
    """
    mean = np.concatenate([measured(boxes), np.zeros((len(boxes), STATES - MEASURED))], 1)
    return State(mean, np.repeat(FIRST[None], len(boxes), 0))


def predict(state: State) -> State:
    """One frame later, unseen. An area that would shrink to nothing or less stops shrinking, as in SORT.

    >>> one = begin(np.array([[10.0, 20, 14, 28]]))
    >>> one.mean[:, 4:6] = 3, -1  # pixels a frame
    >>> boxes_of(predict(one).mean)
    array([[13., 19., 17., 27.]])
    """
    mean = state.mean.copy()
    mean[mean[:, 2] + mean[:, 6] <= 0, 6] = 0
    return State(mean @ TRANSITION.T, TRANSITION @ state.covariance @ TRANSITION.T + PROCESS)


def update(state: State, boxes: Float[np.ndarray, "n 4"]) -> State:
    """What is known after another look at each of the boxes.

    >>> seen = update(begin(np.array([[10.0, 20, 14, 28]])), np.array([[21.0, 20, 25, 28]]))
    >>> seen.mean[0, :2]  # the first guess counts 1 part, the measurement 10
    array([22., 24.])
    """
    spread = state.covariance[:, :, :MEASURED]  # P H^T, for H picks the first four
    surprise = measured(boxes) - state.mean[:, :MEASURED]
    gain = np.linalg.solve(spread[:, :MEASURED] + MEASUREMENT, spread.transpose(0, 2, 1)).transpose(0, 2, 1)
    mean = state.mean + (gain @ surprise[:, :, None])[:, :, 0]
    return State(mean, state.covariance - gain @ spread.transpose(0, 2, 1))


def chosen(state: State, which: np.ndarray) -> State:
    """The boxes at these indices, or where a mask is True.

    >>> chosen(begin(np.array([[0.0, 0, 2, 2], [0, 0, 4, 4]])), np.array([1])).mean[:, 2]
    array([16.])
    """
    return State(state.mean[which], state.covariance[which])


def joined(first: State, second: State) -> State:
    """The boxes of both, one after the other.

    >>> some = begin(np.array([[0.0, 0, 2, 2]]))
    >>> len(joined(some, some).mean)
    2
    """
    return State(
        np.concatenate([first.mean, second.mean]),
        np.concatenate([first.covariance, second.covariance]),
    )
