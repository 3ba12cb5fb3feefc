"""How good is a tracker? MOTA counts mistakes of frames, IDF1 asks who is who in the whole film, HOTA weighs both.

All three compare, frame by frame, the things that are there with the tracks that were given, by their `similarity`: the
IoU of two boxes, 0 to 1. A thing and a track may be a pair in a frame if their similarity is at least a threshold.

    MOTA = 1 - (misses + false positives + identity switches) / truths             at most 1, and below 0 if it is bad
    IDF1 = 2 IDTP / (2 IDTP + IDFP + IDFN)                                         one track for each thing, film-wide
    HOTA = mean over the thresholds 0.05, 0.10, ..., 0.95 of sqrt(DetA * AssA)
    DetA = TP / (TP + FN + FP),   AssA = mean over all TP of TPA / (TPA + FNA + FPA)

TPA, FNA and FPA of a pair of thing and track count frames: those in which both are this pair, those in which the thing
is there without it, those in which the track is there without it.

Sources: Bernardin, Stiefelhagen 2008 (MOTA); Ristani et al. 2016 (IDF1); Luiten et al. 2021, "HOTA", sections 5 and 6;
TrackEval, for how pairs are chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from labs import tracking

MATCH = 0.5  # least similarity of a pair, for MOTA and IDF1
ALPHAS = np.arange(1, 20) / 20  # HOTA's thresholds
ROUNDING = 1e-9  # a similarity that is the threshold but for rounding reaches it


class Frame(NamedTuple):
    """One frame: numbers of the things (n,) and of the tracks (m,) in it, none twice, and their `similarity` (n, m).

    >>> Frame(np.array([4]), np.array([1, 2]), np.array([[0.8, 0.0]])).similarity.shape
    (1, 2)
    """

    things: Int[np.ndarray, " n"]
    tracks: Int[np.ndarray, " m"]
    similarity: Float[np.ndarray, "n m"]


class Place(NamedTuple):
    """A thing or a track in a frame: its number, class and box (4,) xyxy in pixels.

    >>> Place(4, 1, np.array([0.0, 0, 2, 2])).number
    4
    """

    number: int
    label: int
    box: Float[np.ndarray, "4"]


@dataclass(frozen=True)
class Mota:
    """Counts over all frames: the things that were there (`truths`), those that got a track (`matches`) and did not
    (`misses`), tracks without a thing (`false_positives`), and things that got another track than at their last match
    (`switches`). `value` is MOTA, None without truths; `switched` has the frame and the number of each switched thing.

    >>> Mota(truths=10, matches=8, misses=2, false_positives=1, switches=1).value
    0.6
    """

    truths: int
    matches: int
    misses: int
    false_positives: int
    switches: int
    switched: tuple[tuple[int, int], ...] = ()

    @property
    def value(self) -> float | None:
        """1 minus all mistakes per truth.

        >>> Mota(1, 0, 1, 3, 0).value, Mota(0, 0, 0, 3, 0).value
        (-3.0, None)
        """
        return 1 - (self.misses + self.false_positives + self.switches) / self.truths if self.truths else None


@dataclass(frozen=True)
class Idf1:
    """Counts over all frames: right identities (`idtp`), tracks (`idfp`) and things (`idfn`) without one. `value` is
    IDF1, None without any thing and track; `owners` has the track that each thing was given for the whole film.

    >>> Idf1(idtp=6, idfp=1, idfn=3).value
    0.75
    """

    idtp: int
    idfp: int
    idfn: int
    owners: tuple[tuple[int, int], ...] = ()

    @property
    def value(self) -> float | None:
        """The harmonic mean of how much of the tracks and how much of the things has its right identity.

        >>> Idf1(0, 0, 0).value
        """
        every = 2 * self.idtp + self.idfp + self.idfn
        return 2 * self.idtp / every if every else None


@dataclass(frozen=True, eq=False)
class Hota:
    """`det` and `ass` (19,): DetA and AssA at each of ALPHAS, and the counts `tp`, `fn`, `fp` (19,) behind DetA.

    >>> Hota(np.full(19, 0.5), np.full(19, 0.5), *np.ones((3, 19), int)).value
    0.5
    """

    det: Float[np.ndarray, "19"]
    ass: Float[np.ndarray, "19"]
    tp: Int[np.ndarray, "19"]
    fn: Int[np.ndarray, "19"]
    fp: Int[np.ndarray, "19"]

    @property
    def curve(self) -> Float[np.ndarray, "19"]:
        """HOTA at each threshold.

        >>> Hota(np.full(19, 0.5), np.full(19, 0.02), *np.ones((3, 19), int)).curve[:2]
        array([0.1, 0.1])
        """
        return np.sqrt(self.det * self.ass)

    @property
    def value(self) -> float:
        """The mean over all thresholds, 0 to 1.

        >>> Hota(np.zeros(19), np.ones(19), *np.ones((3, 19), int)).value
        0.0
        """
        return float(self.curve.mean())


def frame(truth: Sequence[Place], found: Sequence[Place]) -> Frame:
    """What the metrics want to know of a frame: the IoU of every thing with every track, 0 if their classes differ.

    >>> box = np.array([0.0, 0, 4, 4])
    >>> frame([Place(4, 1, box)], [Place(1, 1, box), Place(2, 7, box)]).similarity
    array([[1., 0.]])
    """
    boxes = [np.array([each.box for each in places], np.float64).reshape(-1, 4) for places in (truth, found)]
    labels = [np.array([each.label for each in places], np.int64) for places in (truth, found)]
    numbers = [np.array([each.number for each in places], np.int64) for places in (truth, found)]
    alike = labels[0][:, None] == labels[1][None]
    return Frame(numbers[0], numbers[1], np.where(alike, 1 - tracking.costs(*boxes), 0.0))


def mota(frames: Sequence[Frame], threshold: float = MATCH) -> Mota:
    """MOTA's counts. A thing keeps the track of the frame before while both are there and alike enough (`threshold`, 0
    to 1, at least); of the other pairs the best in all are made. A switch counts against the last match, however long
    ago.

    >>> films = [Frame(np.array([4]), np.array([track]), np.array([[0.9]])) for track in (1, 1, 2)]
    >>> mota(films)
    Mota(truths=3, matches=3, misses=0, false_positives=0, switches=1, switched=((2, 4),))
    """
    found = matches(frames, threshold)
    truths, tracks = sum(len(each.things) for each in frames), sum(len(each.tracks) for each in frames)
    last: dict[int, int] = {}  # the track of each thing's last match
    switched = []
    for index, thing, given in found:
        if last.get(thing, given) != given:
            switched.append((index, thing))
        last[thing] = given
    return Mota(truths, len(found), truths - len(found), tracks - len(found), len(switched), tuple(switched))


def matches(frames: Sequence[Frame], threshold: float = MATCH) -> list[tuple[int, int, int]]:
    """MOTA's pairs: frame, thing and track of each, in the order of the frames.

    >>> matches([Frame(np.array([4]), np.array([1, 2]), np.array([[0.4, 0.9]]))])
    [(0, 4, 2)]
    """
    before: dict[int, int] = {}  # the track of each thing in the frame before
    found = []
    for index, each in enumerate(frames):
        alike = each.similarity >= threshold - ROUNDING
        kept = each.tracks[None] == np.array([before.get(int(thing), -1) for thing in each.things])[:, None]
        worth = np.where(alike, each.similarity + len(each.things) * kept, 0.0)  # what is kept outweighs all the rest
        rows, columns = linear_sum_assignment(-worth)
        before = {int(each.things[r]): int(each.tracks[c]) for r, c in zip(rows, columns) if alike[r, c]}
        found += [(index, thing, given) for thing, given in before.items()]
    return found


class _Overall(NamedTuple):
    """Numbers of all things (n,) and tracks (m,), in how many frames each is, and each frame's rows and columns."""

    things: np.ndarray
    tracks: np.ndarray
    thing_frames: np.ndarray
    track_frames: np.ndarray
    places: list[tuple[np.ndarray, np.ndarray]]


def _overall(frames: Sequence[Frame]) -> _Overall:
    none = np.zeros(0, np.int64)
    things, thing_frames = np.unique(np.concatenate([none, *(each.things for each in frames)]), return_counts=True)
    tracks, track_frames = np.unique(np.concatenate([none, *(each.tracks for each in frames)]), return_counts=True)
    places = [(np.searchsorted(things, each.things), np.searchsorted(tracks, each.tracks)) for each in frames]
    return _Overall(things, tracks, thing_frames, track_frames, places)


def idf1(frames: Sequence[Frame], threshold: float = MATCH) -> Idf1:
    """IDF1's counts: of all ways to give each thing one track for the whole film, the one with the most frames in which
    the two are alike enough (`threshold`, 0 to 1, at least).

    >>> films = [Frame(np.array([4]), np.array([track]), np.array([[0.9]])) for track in (1, 1, 2)]
    >>> idf1(films)
    Idf1(idtp=2, idfp=1, idfn=1, owners=((4, 1),))
    """
    every = _overall(frames)
    together = np.zeros((len(every.things), len(every.tracks)), np.int64)
    for each, (rows, columns) in zip(frames, every.places):
        together[np.ix_(rows, columns)] += each.similarity >= threshold - ROUNDING
    rows, columns = linear_sum_assignment(-together)
    right = int(together[rows, columns].sum())
    owners = tuple(
        (int(every.things[r]), int(every.tracks[c])) for r, c in zip(rows, columns) if together[r, c]
    )  # fmt: skip
    return Idf1(right, int(every.track_frames.sum()) - right, int(every.thing_frames.sum()) - right, owners)


def hota(frames: Sequence[Frame]) -> Hota:
    """HOTA at each threshold. The pairs of a frame are those whose similarities, each weighed by how well thing and
    track go together over the whole film, sum up to most; at a threshold those of them that reach it count. Without any
    thing and track all is 0.

    >>> films = [Frame(np.array([4]), np.array([track]), np.array([[0.92]])) for track in (1, 1, 2, 2)]
    >>> found = hota(films)
    >>> found.det[[0, 18]], found.ass[[0, 18]]  # each half of the thing has its own track; 0.92 is not 0.95
    (array([1., 0.]), array([0.5, 0. ]))
    """
    every = _overall(frames)
    shape = (len(every.things), len(every.tracks))
    together = np.zeros(shape)
    for each, (rows, columns) in zip(frames, every.places):
        rivals = each.similarity.sum(0)[None] + each.similarity.sum(1)[:, None] - each.similarity
        together[np.ix_(rows, columns)] += np.divide(
            each.similarity, rivals, out=np.zeros(rivals.shape), where=rivals > ROUNDING
        )
    alignment = together / np.maximum(every.thing_frames[:, None] + every.track_frames[None] - together, ROUNDING)
    counts = np.zeros((len(ALPHAS), *shape), np.int64)  # TPA of every pair
    for each, (rows, columns) in zip(frames, every.places):
        r, c = linear_sum_assignment(-alignment[np.ix_(rows, columns)] * each.similarity)
        counts[:, rows[r], columns[c]] += each.similarity[r, c] >= ALPHAS[:, None] - ROUNDING
    tp = counts.sum((1, 2))
    fn, fp = every.thing_frames.sum() - tp, every.track_frames.sum() - tp
    shared = np.maximum(every.thing_frames[:, None] + every.track_frames[None] - counts, 1)  # TPA + FNA + FPA
    ass = (counts * counts / shared).sum((1, 2)) / np.maximum(tp, 1)
    return Hota(tp / np.maximum(tp + fn + fp, 1), ass, tp, fn, fp)


def pooled(films: Sequence[Mota]) -> Mota:
    """The counts of several films together. Which thing switched is not kept, for numbers begin anew in each film.

    >>> pooled([Mota(10, 8, 2, 1, 1), Mota(2, 2, 0, 0, 0)])
    Mota(truths=12, matches=10, misses=2, false_positives=1, switches=1, switched=())
    """
    names = [each.name for each in fields(Mota) if each.name != "switched"]
    return Mota(*(sum(getattr(film, name) for film in films) for name in names))


def pooled_identities(films: Sequence[Idf1]) -> Idf1:
    """The counts of several films together.

    >>> pooled_identities([Idf1(6, 1, 3), Idf1(4, 0, 0)])
    Idf1(idtp=10, idfp=1, idfn=3, owners=())
    """
    return Idf1(*(sum(getattr(film, name) for film in films) for name in ("idtp", "idfp", "idfn")))
