"""Tracking by detection: which detection of this frame is which thing of the last one?

Every track predicts its box. A detection and a track cost 1 - IoU together. The pairs are those that cost least in all
(the Hungarian method); a pair that fits too badly is cut. A detection without a track begins one, which counts once it
was seen `confirm` times. A track without a detection is lost: it is predicted on for `patience` frames, and found again
if a detection fits, or ended. Boxes are xyxy in pixels. A track keeps its class: a pair of two classes costs 1.

Sources: Bewley et al. 2016, "Simple Online and Realtime Tracking" (SORT); Kuhn 1955, "The Hungarian Method"; Wojke et
al. 2017 (DeepSORT), for tracks that are tentative first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from labs import kalman_box
from labs.matching import Detections

KALMAN, STILL = "kalman", "still"
HUNGARIAN, GREEDY = "hungarian", "greedy"
TENTATIVE, FOUND, PREDICTED, LOST = "tentative", "found", "predicted", "lost"
COUNTED = (FOUND, PREDICTED)  # what a tracker answers with; the other two it only keeps in mind
APART = 1.0  # what two boxes without a common pixel cost


@dataclass(frozen=True)
class Settings:
    """What can be turned: `least_score` of a detection (at least) and `least_iou` of a pair (at least), both 0 to 1;
    `patience`, for how many frames a lost track is kept (>= 0); `confirm`, how often it must be seen before it counts
    (>= 1); `predict`: KALMAN or STILL, the box stays where it was; `assignment`: HUNGARIAN or GREEDY.

    >>> Settings(least_iou=0.5).predict
    'kalman'
    """

    least_score: float = 0.4
    least_iou: float = 0.2
    patience: int = 25
    confirm: int = 2
    predict: str = KALMAN
    assignment: str = HUNGARIAN


class Tracked(NamedTuple):
    """A track in one frame: its number, class, box (4,) and the score of its last detection. `state`: TENTATIVE (seen
    too seldom yet), FOUND (now), PREDICTED (nobody looked at this frame) or LOST (looked for, and not found).

    >>> Tracked(1, 3, np.array([0.0, 0, 2, 2]), 0.9, FOUND).track
    1
    """

    track: int
    label: int
    box: Float[np.ndarray, "4"]
    score: float
    state: str


class Pairs(NamedTuple):
    """Who goes with whom: `pairs` (p, 2) of a track's row and a detection's column, and the rows and columns left over.

    >>> Pairs(np.array([[0, 1]]), np.array([1]), np.array([0])).lost
    array([1])
    """

    pairs: Int[np.ndarray, "p 2"]
    lost: Int[np.ndarray, " l"]
    new: Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Tracks:
    """All tracks that are alive: numbers, classes, scores of the last detection, how often they were seen (`hits`), and
    for how many frames in a row they were not (`missed`), each (t,); boxes (t, 4); what the Kalman filter knows; and
    `following`, the number that the next new track will have.

    >>> nobody().following
    1
    """

    ids: Int[np.ndarray, " t"]
    labels: Int[np.ndarray, " t"]
    scores: Float[np.ndarray, " t"]
    hits: Int[np.ndarray, " t"]
    missed: Int[np.ndarray, " t"]
    boxes: Float[np.ndarray, "t 4"]
    known: kalman_box.State
    following: int = 1


@dataclass(frozen=True, eq=False)
class Step:
    """What happened in one frame: the tracks `before`, with their boxes predicted for this frame; the `detections` that
    are sure enough; their `costs` (t, d) and `pairs`; the tracks `after`.

    >>> step(nobody(), Detections(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0)), Settings()).costs.shape
    (0, 0)
    """

    before: Tracks
    detections: Detections
    costs: Float[np.ndarray, "t d"]
    pairs: Pairs
    after: Tracks


def nobody() -> Tracks:
    """No tracks yet.

    >>> len(nobody().ids)
    0
    """
    none = np.zeros(0, np.int64)
    return Tracks(none, none, np.zeros(0), none, none, np.zeros((0, 4)), kalman_box.begin(np.zeros((0, 4))))


def costs(predicted: Float[np.ndarray, "t 4"], detected: Float[np.ndarray, "d 4"]) -> Float[np.ndarray, "t d"]:
    """1 - IoU of every predicted box with every detected one, 0 to 1; 1 where both are empty.

    >>> costs(np.array([[0.0, 0, 4, 4]]), np.array([[0.0, 0, 4, 4], [0, 2, 4, 4], [8, 8, 9, 9]]))
    array([[0. , 0.5, 1. ]])
    """
    one, other = predicted[:, None].astype(np.float64), detected[None].astype(np.float64)
    sides = np.maximum(np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2]), 0)
    common = sides.prod(-1)
    union = (one[..., 2:] - one[..., :2]).prod(-1) + (other[..., 2:] - other[..., :2]).prod(-1) - common
    return 1 - np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def assign(costs: Float[np.ndarray, "t d"], highest: float) -> Pairs:
    """The pairs that cost least together, as SORT makes them: as many as there are rows or columns, then those that
    cost more than `highest` (0 to 1) are cut, and those without a common pixel (cost 1), whatever `highest` is.

    >>> assign(np.array([[0.1, 0.2], [0.2, 0.9]]), 0.7).pairs  # 0.4 together, where the cheapest first would cost 1.0
    array([[0, 1],
           [1, 0]])
    """
    rows, columns = linear_sum_assignment(costs)
    return _cut(np.column_stack([rows, columns]), costs, highest)


def greedy(costs: Float[np.ndarray, "t d"], highest: float) -> Pairs:
    """The cheapest pair first, then the cheapest of those that are left, and so on; cut like those of `assign`. Of
    equal costs the lowest row, then the lowest column comes first.

    >>> greedy(np.array([[0.1, 0.2], [0.2, 0.9]]), 0.7)
    Pairs(pairs=array([[0, 0]]), lost=array([1]), new=array([1]))
    """
    rows, columns, pairs = set(), set(), []
    for place in np.argsort(costs, axis=None, kind="stable"):
        row, column = divmod(int(place), costs.shape[1])
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            pairs.append((row, column))
    return _cut(np.array(sorted(pairs), np.int64).reshape(-1, 2), costs, highest)


def _cut(pairs: Int[np.ndarray, "p 2"], costs: Float[np.ndarray, "t d"], highest: float) -> Pairs:
    price = costs[pairs[:, 0], pairs[:, 1]]
    pairs = pairs[(price <= highest) & (price < APART)].astype(np.int64)
    lost, new = (np.setdiff1d(np.arange(many), taken) for many, taken in zip(costs.shape, pairs.T))
    return Pairs(pairs, lost, new)


def ahead(tracks: Tracks, settings: Settings) -> Tracks:
    """The tracks with their boxes in the next frame, as they are expected there.

    >>> seen = step(nobody(), Detections(np.array([[0.0, 0, 2, 2]]), np.array([1]), np.array([0.9])), Settings()).after
    >>> ahead(seen, Settings()).boxes  # seen once, nobody knows how fast it is
    array([[0., 0., 2., 2.]])
    """
    if settings.predict == STILL:
        return tracks
    known = kalman_box.predict(tracks.known)
    return _with(tracks, known=known, boxes=kalman_box.boxes_of(known.mean))


def step(tracks: Tracks, detections: Detections, settings: Settings) -> Step:
    """One frame that was looked at. A tentative track that is not found again ends at once, others end when they were
    missed for more than `patience` frames.

    >>> box = np.array([[0.0, 0, 4, 4]])
    >>> first = step(nobody(), Detections(box, np.array([1]), np.array([0.9])), Settings())
    >>> then = step(first.after, Detections(box + 1, np.array([1]), np.array([0.8])), Settings())
    >>> then.after.ids, then.after.hits, then.pairs.pairs
    (array([1]), array([2]), array([[0, 0]]))
    """
    before = ahead(tracks, settings)
    sure = detections.subset(detections.scores >= settings.least_score)
    price = costs(before.boxes, sure.boxes)
    price[before.labels[:, None] != sure.labels[None]] = APART
    pairs = (greedy if settings.assignment == GREEDY else assign)(price, 1 - settings.least_iou)
    return Step(before, sure, price, pairs, _after(before, sure, pairs, settings))


def _after(before: Tracks, sure: Detections, pairs: Pairs, settings: Settings) -> Tracks:
    """The tracks once the pairs are made: seen ones first in their old order, then new ones."""
    rows, columns = pairs.pairs.T
    found = sure.boxes.astype(np.float64)
    scores, hits, missed, boxes = (each.copy() for each in (before.scores, before.hits, before.missed, before.boxes))
    scores[rows], boxes[rows] = sure.scores[columns], found[columns]
    hits[rows] += 1
    missed += 1
    missed[rows] = 0
    known = before.known
    if settings.predict == KALMAN:
        seen = kalman_box.update(kalman_box.chosen(known, rows), found[columns])
        known = kalman_box.State(known.mean.copy(), known.covariance.copy())
        known.mean[rows], known.covariance[rows] = seen
        boxes[rows] = kalman_box.boxes_of(seen.mean)
    kept = (missed == 0) | ((hits >= settings.confirm) & (missed <= settings.patience))
    new, many = found[pairs.new], len(pairs.new)
    return Tracks(
        np.concatenate([before.ids[kept], before.following + np.arange(many)]),
        np.concatenate([before.labels[kept], sure.labels[pairs.new]]),
        np.concatenate([scores[kept], sure.scores[pairs.new]]),
        np.concatenate([hits[kept], np.ones(many, np.int64)]),
        np.concatenate([missed[kept], np.zeros(many, np.int64)]),
        np.concatenate([boxes[kept], new]),
        kalman_box.joined(kalman_box.chosen(known, kept), kalman_box.begin(new)),
        before.following + many,
    )


def between(tracks: Tracks, settings: Settings) -> Tracks:
    """One frame that nobody looked at: tracks move on as expected, and those that are lost grow older.

    >>> box = np.array([[0.0, 0, 4, 4]])
    >>> first = step(nobody(), Detections(box, np.array([1]), np.array([0.9])), Settings()).after
    >>> between(first, Settings()).missed  # nobody has missed it
    array([0])
    """
    moved = ahead(tracks, settings)
    missed = moved.missed + (moved.missed > 0)
    kept = missed <= settings.patience
    return _with(
        moved, ids=moved.ids[kept], labels=moved.labels[kept], scores=moved.scores[kept], hits=moved.hits[kept],
        missed=missed[kept], boxes=moved.boxes[kept], known=kalman_box.chosen(moved.known, kept),
    )  # fmt: skip


def _with(tracks: Tracks, **changed) -> Tracks:
    return Tracks(**(vars(tracks) | changed))


def tracked(tracks: Tracks, settings: Settings, looked: bool = True) -> list[Tracked]:
    """The tracks one by one, with what is to be thought of each.

    >>> found = step(nobody(), Detections(np.array([[0.0, 0, 2, 2]]), np.array([3]), np.array([0.9])), Settings()).after
    >>> [(each.track, each.label, each.state) for each in tracked(found, Settings())]
    [(1, 3, 'tentative')]
    >>> tracked(found, Settings(confirm=1))[0].state, tracked(found, Settings(confirm=1), looked=False)[0].state
    ('found', 'predicted')
    """
    said = []
    for i, (hits, missed) in enumerate(zip(tracks.hits.tolist(), tracks.missed.tolist())):
        state = LOST if missed else TENTATIVE if hits < settings.confirm else FOUND if looked else PREDICTED
        said.append(Tracked(int(tracks.ids[i]), int(tracks.labels[i]), tracks.boxes[i], float(tracks.scores[i]), state))
    return said


def track(detections: Sequence[Detections], settings: Settings, every: int = 1) -> list[list[Tracked]]:
    """A whole film: the tracks that are alive in each frame. Only every `every`-th frame is looked at (>= 1, from the
    first on); what `detections` holds for the others is not used.

    Errors: ValueError for `every` below 1.

    >>> box, one = np.array([[0.0, 0, 4, 4]]), (np.array([1]), np.array([0.9]))
    >>> film = [Detections(box + shift, *one) for shift in (0, 1, 2)]
    >>> [[(each.track, each.state) for each in frame] for frame in track(film, Settings())]
    [[(1, 'tentative')], [(1, 'found')], [(1, 'found')]]
    """
    if every < 1:
        raise ValueError(f"A film is looked at in every frame, every second, and so on, not in every {every}-th.")
    alive, frames = nobody(), []
    for index, found in enumerate(detections):
        looked = index % every == 0
        alive = step(alive, found, settings).after if looked else between(alive, settings)
        frames.append(tracked(alive, settings, looked))
    return frames
