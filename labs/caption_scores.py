"""How good is a sentence, and how good is a set of boxes that each have one?

METEOR aligns the words of a sentence with those of the true one: first words that are equal, then words with the same
stem (its matches by synonym are left out: they need a dictionary). Dense captioning is judged by average precision: a
box is true if it overlaps its thing enough and its sentence is good enough, and the mean is taken over thresholds of
both. Sources: Banerjee and Lavie 2005 (METEOR); Johnson, Karpathy, Fei-Fei 2016, section 4.3 (dense captioning).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from labs.average_precision import coco_101_point, precision_recall
from labs.porter_stemmer import stem

IOU_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
LANGUAGE_THRESHOLDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)


@dataclass(frozen=True)
class Alignment:
    """Which word of a sentence stands for which word of the true one.

    `pairs`: (place in the sentence, place in the true one, "exact" or "stem"), in the order of the sentence.

    >>> found = Alignment(((0, 0, "exact"), (1, 1, "stem"), (2, 4, "exact")), words=4, true_words=6)
    >>> found.chunks, found.precision
    (2, 0.75)
    """

    pairs: tuple[tuple[int, int, str], ...]
    words: int
    true_words: int

    @property
    def chunks(self) -> int:
        """Runs of pairs that follow each other in both sentences."""
        starts = [
            1
            for before, after in zip(((-2, -2, ""), *self.pairs), self.pairs, strict=False)
            if (after[0], after[1]) != (before[0] + 1, before[1] + 1)
        ]
        return len(starts)

    @property
    def precision(self) -> float:
        """Share of the words that have a partner."""
        return len(self.pairs) / self.words if self.words else 0.0

    @property
    def recall(self) -> float:
        """Share of the true words that have one."""
        return len(self.pairs) / self.true_words if self.true_words else 0.0

    @property
    def mean(self) -> float:
        """Harmonic mean, recall with nine times the weight of precision."""
        whole = self.recall + 9 * self.precision
        return 10 * self.precision * self.recall / whole if whole else 0.0

    @property
    def penalty(self) -> float:
        """For words out of order: half the cube of chunks per pair."""
        return 0.5 * (self.chunks / len(self.pairs)) ** 3 if self.pairs else 0.0

    @property
    def score(self) -> float:
        """METEOR, 0 to below 1: one chunk of n words has 1 - 0.5 / n³."""
        return self.mean * (1 - self.penalty)


def align(sentence: Sequence[str], truth: Sequence[str]) -> Alignment:
    """Pair as many words as can be: equal ones first, then those of the same stem. Where a word could have several
    partners, it takes the one after its neighbour's partner, else the first that is free: that makes few chunks (the
    METEOR of 2005 makes few crossings instead).

    >>> found = align("a dotted ball on grass".split(), "a ball with dots on the grass".split())
    >>> found.pairs
    ((0, 0, 'exact'), (1, 3, 'stem'), (2, 1, 'exact'), (3, 4, 'exact'), (4, 6, 'exact'))
    >>> found.chunks, round(found.mean, 3), round(found.score, 3)
    (5, 0.735, 0.368)
    """
    partner: dict[int, tuple[int, str]] = {}
    free = set(range(len(truth)))
    alike: tuple[tuple[str, Callable[[str], str]], ...] = (("exact", str), ("stem", lambda word: stem(word.lower())))
    for kind, form in alike:
        theirs = [form(word) for word in truth]
        for place, word in enumerate(sentence):
            if place in partner:
                continue
            fitting = [other for other in sorted(free) if theirs[other] == form(word)]
            if fitting:
                follows = partner.get(place - 1, (-2, ""))[0] + 1
                chosen = follows if follows in fitting else fitting[0]
                partner[place] = (chosen, kind)
                free.remove(chosen)
    pairs = tuple((place, *partner[place]) for place in sorted(partner))
    return Alignment(pairs, len(sentence), len(truth))


def meteor(sentence: Sequence[str], truth: Sequence[str]) -> float:
    """METEOR with exact and stem matches, 0 to below 1.

    >>> truth = "a red ball on the grass".split()
    >>> round(meteor(truth, truth), 4), round(meteor("a blue ball on the grass".split(), truth), 4)
    (0.9977, 0.8067)
    """
    return align(sentence, truth).score


@dataclass(frozen=True, eq=False)
class Compared:
    """Boxes of one picture, best score first, and what became of each: `iou` with its best thing, whether it was the
    `first` to find it, and the METEOR of its sentence with that thing's, `language`. `things`: how many there are."""

    scores: Float[np.ndarray, " d"]
    iou: Float[np.ndarray, " d"]
    first: Bool[np.ndarray, " d"]
    language: Float[np.ndarray, " d"]
    things: int


def compare(
    overlap: Float[np.ndarray, "d g"],
    scores: Float[np.ndarray, " d"],
    sentences: Sequence[Sequence[str]],
    truths: Sequence[Sequence[str]],
) -> Compared:
    """Give every box, best score first, to the thing that it overlaps most. Of several boxes on one thing only the
    first counts, whatever its sentence. `overlap`: IoU of boxes and things.

    >>> overlap, truths = np.array([[0.9], [0.8]]), [["a", "cat"]]
    >>> found = compare(overlap, np.array([0.4, 0.7]), [["a", "cat"], ["a", "dog"]], truths)
    >>> found.first, found.language
    (array([ True, False]), array([0.25  , 0.9375]))
    """
    order = np.argsort(-scores, kind="stable")
    iou, first, language = np.zeros(len(order)), np.zeros(len(order), bool), np.zeros(len(order))
    taken: set[int] = set()
    for row, box in enumerate(order):
        if overlap.shape[1] and overlap[box].max() > 0:
            thing = int(overlap[box].argmax())
            iou[row], first[row] = overlap[box, thing], thing not in taken
            language[row] = meteor(sentences[box], truths[thing])
            taken.add(thing)
    return Compared(scores[order], iou, first, language, len(truths))


def average_precision(pictures: Sequence[Compared], iou: float, language: float) -> float:
    """AP at one pair of thresholds, by 101 recalls: a box is true if it is the first on its thing, overlaps it by at
    least `iou`, and its sentence has more than `language`. NaN if there are no things.

    >>> found = compare(np.array([[0.9], [0.8]]), np.array([0.4, 0.7]), [["a", "cat"], ["a", "dog"]], [["a", "cat"]])
    >>> average_precision([found], 0.5, 0.1), average_precision([found], 0.5, 0.25)
    (1.0, 0.0)
    """
    things = sum(each.things for each in pictures)
    if not things:
        return float("nan")
    scores = np.concatenate([each.scores for each in pictures])
    true = np.concatenate([each.first & (each.iou >= iou) & (each.language > language) for each in pictures])
    return coco_101_point(*precision_recall(true[np.argsort(-scores, kind="stable")], things))


def dense_map(pictures: Sequence[Compared]) -> tuple[float, Float[np.ndarray, "i l"]]:
    """The mean AP over all pairs of IOU_THRESHOLDS and LANGUAGE_THRESHOLDS, and the AP of each pair.

    >>> found = compare(np.array([[0.55]]), np.array([0.9]), [["a", "cat"]], [["a", "cat"]])
    >>> mean, table = dense_map([found])
    >>> mean, table[:, 0]
    (0.6, array([1., 1., 1., 0., 0.]))
    """
    table = np.array([[average_precision(pictures, i, m) for m in LANGUAGE_THRESHOLDS] for i in IOU_THRESHOLDS])
    return float(table.mean()), table


def joint(
    box: Float[np.ndarray, " n"], sentence: Float[np.ndarray, " n"], weight: float = 0.5
) -> Float[np.ndarray, " n"]:
    """One score of a box and its sentence, both 0 to 1: a weighted geometric mean. `weight`: of the sentence.

    >>> joint(np.array([0.9, 0.8]), np.array([0.4, 0.8]))
    array([0.6, 0.8])
    """
    return box ** (1 - weight) * sentence**weight
