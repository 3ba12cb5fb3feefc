"""From probabilities to words: literal sentences, and beam search against trying every sentence there is."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from labs.caption_decoding import Spoken, beam_search, greedy, sampled, teacher_forced, tempered

END = 0


def random_step(seed: int, words: int):
    """A network of chance: the same words so far always give the same probabilities."""

    def step(said: tuple[int, ...]) -> torch.Tensor:
        random = torch.Generator().manual_seed(hash((seed, said)) % 2**31)
        return (2 * torch.randn(words, generator=random)).log_softmax(0)

    return step


def every_sentence(step, words: int, longest: int) -> list[Spoken]:
    """All that end, and all that are as long as can be."""
    found = []
    for length in range(1, longest + 1):
        for said in itertools.product(range(words), repeat=length):
            if END in said[:-1] or (length < longest and said[-1] != END):
                continue
            total = sum(float(step(said[:n])[said[n]]) for n in range(length))
            found.append(Spoken(said, total, said[-1] == END))
    return found


@given(seed=some.integers(0, 999), longest=some.integers(1, 4))
def test_a_beam_that_holds_everything_finds_the_best_sentence(seed, longest):
    step = random_step(seed, 3)
    best = max(every_sentence(step, 3, longest), key=lambda each: each.log_probability)
    won = beam_search(step, END, longest, width=3**longest)[-1][0]
    assert won.words == best.words and won.log_probability == pytest.approx(best.log_probability, abs=1e-5)


@given(seed=some.integers(0, 999), longest=some.integers(1, 6))
def test_width_one_is_greedy_and_temperature_nought_is_too(seed, longest):
    step = random_step(seed, 4)
    plain = greedy(step, END, longest)
    (beam,) = beam_search(step, END, longest, width=1)[-1]
    assert beam.words == plain.words and beam.log_probability == pytest.approx(plain.log_probability)
    assert sampled(step, END, longest, temperature=0.0, seed=seed).words == plain.words
    assert plain.ended == (plain.words[-1] == END) and len(plain.words) <= longest


@given(seed=some.integers(0, 999), width=some.integers(1, 4), power=some.floats(0, 1))
def test_beams_are_sorted_no_wider_than_told_and_grow_by_a_word(seed, width, power):
    history = beam_search(random_step(seed, 4), END, 5, width, power)
    for length, beam in enumerate(history, 1):
        scores = [each.score(power) for each in beam]
        assert 1 <= len(beam) <= width and scores == sorted(scores, reverse=True)
        assert len({each.words for each in beam}) == len(beam)
        assert all(len(each.words) == length or (each.ended and len(each.words) < length) for each in beam)


def test_the_best_first_word_need_not_begin_the_best_sentence():
    table = {(): [0.0, 0.6, 0.4], (1,): [0.4, 0.3, 0.3], (2,): [0.9, 0.05, 0.05]}
    history = beam_search(lambda said: torch.tensor(table[said]).log(), END, 2, width=2)
    assert [each.words for each in history[0]] == [(1,), (2,)]
    assert history[1][0].words == (2, 0) and math.exp(history[1][0].log_probability) == pytest.approx(0.36)


def test_a_length_power_helps_long_sentences():
    table = {(): [0.5, 0.5], (1,): [0.9, 0.1], (1, 1): [1.0, 0.0]}
    step = lambda said: torch.tensor(table[said]).log()  # noqa: E731
    assert beam_search(step, END, 3, width=3, length_power=0.0)[-1][0].words == (0,)
    assert beam_search(step, END, 3, width=3, length_power=1.0)[-1][0].words == (1, 0)
    assert Spoken((1, 0), -3.0, True).score(1.0) == -1.5 and Spoken((1, 0), -3.0, True).score() == -3.0


def test_a_sentence_that_never_ends_is_cut():
    cut = greedy(lambda said: torch.tensor([0.1, 0.9]).log(), END, 3)
    assert cut.words == (1, 1, 1) and not cut.ended


def test_temperature_by_hand_and_at_its_ends():
    p = torch.tensor([0.8, 0.2])
    torch.testing.assert_close(tempered(p.log(), 1.0).exp(), p)
    torch.testing.assert_close(tempered(p.log(), 2.0).exp(), torch.tensor([2 / 3, 1 / 3]))  # √.8 : √.2 = 2 : 1
    assert tempered(torch.tensor([0.5, 0.5]).log(), 0.0).exp().tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="at least 0, not -1"):
        tempered(p.log(), -1.0)
    with pytest.raises(ValueError, match="at least one beginning, not 0"):
        beam_search(lambda said: p.log(), END, 3, width=0)


def test_lots_fall_as_often_as_the_temperature_says():
    step = lambda said: torch.tensor([0.8, 0.2]).log()  # noqa: E731
    drawn = [sampled(step, END, 1, 2.0, seed) for seed in range(600)]
    assert sum(each.words == (1,) for each in drawn) == pytest.approx(200, abs=40)
    assert drawn[0].log_probability == pytest.approx(math.log([0.8, 0.2][drawn[0].words[0]])), "the network's own"
    assert sampled(step, END, 5, 1.0, 7) == sampled(step, END, 5, 1.0, 7)


@given(seed=some.integers(0, 999), truth=some.lists(some.integers(0, 3), min_size=1, max_size=6))
def test_teacher_forcing_is_the_librarys_cross_entropy(seed, truth):
    step = random_step(seed, 4)
    costs, said = teacher_forced(step, truth)
    table = torch.stack([step(tuple(truth[:n])) for n in range(len(truth))])
    wanted = torch.nn.functional.cross_entropy(table, torch.tensor(truth))
    torch.testing.assert_close(-costs.mean(), wanted)
    assert said.tolist() == table.argmax(1).tolist()


def test_no_sentence_costs_nothing():
    costs, said = teacher_forced(lambda said: torch.tensor([0.5, 0.5]).log(), [])
    assert costs.shape == said.shape == (0,)
