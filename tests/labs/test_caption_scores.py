"""METEOR by hand and by figures of NLTK, the stemmer by Porter's own examples, and dense captioning's mAP."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from labs import caption_scores as lab
from labs.average_precision import average_precision as boxes_ap
from labs.average_precision import compare as compare_boxes
from labs.average_precision import rank
from labs.matching import Detections, Truths
from labs.porter_stemmer import measure, stem

PORTER = """
caresses caress ponies poni ties ti caress caress cats cat feed feed agreed agre plastered plaster bled bled motoring
motor sing sing conflated conflat troubled troubl sized size hopping hop tanned tan falling fall hissing hiss fizzed
fizz failing fail filing file happy happi sky sky relational relat conditional condit rational ration valenci valenc
digitizer digit radicalli radic vietnamization vietnam predication predic feudalism feudal decisiveness decis
hopefulness hope formaliti formal sensibiliti sensibl triplicate triplic formative form electrical electr goodness good
revival reviv allowance allow adjustable adjust adoption adopt communism commun effective effect bowdlerize bowdler
probate probat rate rate cease ceas controll control roll roll is is
"""  # a word, and its stem


@pytest.mark.parametrize(("said", "truth", "score"), [
    ("a red ball on the grass", "a red ball on the grass", 0.997685),
    ("a dotted ball on grass", "a ball with dots on the grass", 0.367647),
    ("striped walking", "walks stripes", 0.5),
    ("a b", "c d", 0.0),
])  # fmt: skip
def test_meteor_is_that_of_nltk_without_synonyms(said, truth, score):
    """NLTK 3.9: single_meteor_score with the original stemmer and a dictionary that is empty."""
    assert lab.meteor(said.split(), truth.split()) == pytest.approx(score, abs=1e-6)


def test_few_chunks_where_a_word_has_several_partners():
    found = lab.align(["on", "the", "mat", "sat", "the", "cat"], ["the", "cat", "sat", "on", "the", "mat"])
    assert found.chunks == 3 and found.score == pytest.approx(1 - 0.5 * (3 / 6) ** 3)
    assert lab.align(["the", "the"], ["the"]).pairs == ((0, 0, "exact"),), "a true word has one partner"
    assert lab.align(["walks", "walking"], ["walking"]).pairs == ((1, 0, "exact"),), "equal words come first"


@given(words=some.lists(some.sampled_from("abcde"), min_size=1, max_size=8), seed=some.integers(0, 99))
def test_only_the_order_costs_a_sentence_of_the_same_words(words, seed):
    shuffled = [words[i] for i in np.random.default_rng(seed).permutation(len(words))]
    found = lab.align(shuffled, words)
    assert found.precision == found.recall == 1 and found.score == pytest.approx(1 - found.penalty)
    assert lab.meteor(words, words) == pytest.approx(1 - 0.5 / len(words) ** 3)
    assert lab.meteor(shuffled, words) <= lab.meteor(words, words) + 1e-12
    assert lab.meteor([], words) == lab.meteor(words, []) == 0


def test_stems_are_porters():
    """The examples of the paper, step by step."""
    pairs = PORTER.split()
    for word, wanted in zip(pairs[::2], pairs[1::2], strict=True):
        assert stem(word) == wanted, word
    assert [measure(word) for word in ("", "by", "oats", "oaten")] == [0, 0, 1, 2]


OVERLAP = np.array([[0.3], [0.9]])


@pytest.mark.parametrize(("iou", "language", "wanted"), [
    (0.3, 0.0, 1.0),  # at the threshold of IoU is enough
    (0.31, 0.0, 0.0),
    (0.3, 0.9374, 1.0),
    (0.3, 0.9375, 0.0),  # at that of language is not
])  # fmt: skip
def test_both_thresholds_at_their_edges(iou, language, wanted):
    found = lab.compare(np.array([[0.3]]), np.array([0.5]), [["a", "cat"]], [["a", "cat"]])
    assert lab.average_precision([found], iou, language) == wanted


def test_the_second_box_of_a_thing_is_false_whatever_it_says():
    found = lab.compare(OVERLAP, np.array([0.9, 0.5]), [["sky"], ["a", "cat"]], [["a", "cat"]])
    assert found.first.tolist() == [True, False] and found.language.tolist() == [0.0, 0.9375]
    assert lab.average_precision([found], 0.3, 0.0) == 0.0


def test_the_mean_is_over_thirty_pairs_of_thresholds():
    found = lab.compare(np.array([[0.55]]), np.array([0.9]), [["a", "cat"]], [["a", "cat"]])
    mean, table = lab.dense_map([found])
    assert table.shape == (5, 6) and table.sum() == 18 and mean == pytest.approx(18 / 30)
    assert lab.IOU_THRESHOLDS == (0.3, 0.4, 0.5, 0.6, 0.7)
    assert lab.LANGUAGE_THRESHOLDS == (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)


def test_nothing_there_and_nothing_found():
    nothing = lab.compare(np.zeros((0, 0)), np.zeros(0), [], [])
    assert np.isnan(lab.average_precision([nothing], 0.5, 0.0))
    missed = lab.compare(np.zeros((0, 2)), np.zeros(0), [], [["a"], ["b"]])
    assert lab.average_precision([missed], 0.5, 0.0) == 0.0 and missed.things == 2
    apart = lab.compare(np.zeros((1, 1)), np.ones(1), [["a"]], [["a"]])
    assert not apart.first[0] and apart.iou[0] == 0 and lab.average_precision([apart], 0.3, 0.0) == 0.0


@given(seed=some.integers(0, 999))
def test_with_perfect_sentences_it_is_vocs_ap_of_the_boxes(seed):
    """VOC's rule, too, gives a box to the truth it overlaps most, and counts it false where that one is taken."""
    rng = np.random.default_rng(seed)
    pictures, found, there = [], [], []
    for _ in range(3):
        corner = rng.uniform(0, 60, (rng.integers(1, 4), 2))
        truth = np.hstack([corner, corner + rng.uniform(20, 40, corner.shape)]).astype(np.float32)
        boxes = (truth[rng.integers(0, len(truth), 5)] + rng.normal(0, 5, (5, 4))).astype(np.float32)
        scores = rng.random(5)
        found.append(Detections(boxes, np.ones(5, np.int64), scores))
        there.append(Truths(truth, np.ones(len(truth), np.int64)))
        comparison = compare_boxes(found[-1:], there[-1:], label=1)[0]
        overlap = np.empty((5, len(truth)))
        overlap[comparison.detection] = comparison.overlap
        pictures.append(lab.compare(overlap, scores, [["a"]] * 5, [["a"]] * len(truth)))
    theirs = boxes_ap(rank(compare_boxes(found, there, label=1), 0.3, "VOC"))
    ours = lab.average_precision(pictures, 0.3, 0.25)
    best = np.concatenate([each.iou for each in pictures])
    if best.min() >= 0.3:  # VOC lets a box that is too far off take no thing; the paper's code lets it
        assert ours == pytest.approx(theirs)


def test_a_joint_score_lies_between_its_two():
    box, sentence = np.array([0.9, 0.2]), np.array([0.4, 0.8])
    assert lab.joint(box, sentence, 0.0).tolist() == box.tolist()
    np.testing.assert_allclose(lab.joint(box, sentence, 1.0), sentence)
    np.testing.assert_allclose(lab.joint(box, sentence), np.sqrt(box * sentence))
