import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labs import speed_accuracy as lab


def test_a_point_that_another_beats_in_one_and_equals_in_the_other_is_not_on_the_front():
    times, accuracy = torch.tensor([10.0, 10.0, 20.0, 20.0]), torch.tensor([0.5, 0.6, 0.6, 0.7])
    assert lab.pareto_front(times, accuracy).tolist() == [False, True, False, True]


def test_equal_points_are_on_the_front_together_and_unknown_ones_never():
    nan = float("nan")
    times, accuracy = torch.tensor([10.0, 10.0, nan, 5.0]), torch.tensor([0.5, 0.5, 0.9, nan])
    assert lab.pareto_front(times, accuracy).tolist() == [True, True, False, False]
    assert lab.pareto_front(torch.empty(0), torch.empty(0)).tolist() == []


grid = st.integers(0, 4).map(float)


@given(st.lists(st.tuples(grid, grid), min_size=1, max_size=12))
def test_the_front_is_what_no_other_beats(pairs):
    times, accuracy = (torch.tensor(values) for values in zip(*pairs, strict=True))
    front = lab.pareto_front(times, accuracy).tolist()
    for (ms, ap), kept in zip(pairs, front, strict=True):
        beaten = any(m <= ms and a >= ap and (m, a) != (ms, ap) for m, a in pairs)
        assert kept != beaten
    assert any(front)


@given(st.lists(st.tuples(grid, grid), min_size=1, max_size=12), grid)
def test_the_best_within_a_budget_is_on_the_front(pairs, budget):
    times, accuracy = (torch.tensor(values) for values in zip(*pairs, strict=True))
    best = lab.best_within(times, accuracy, budget)
    if best is None:
        assert float(times.min()) > budget
    else:
        assert float(times[best]) <= budget and bool(lab.pareto_front(times, accuracy)[best])


def test_the_budget_itself_is_within_it():
    times, accuracy = torch.tensor([10.0, 20.0]), torch.tensor([0.5, float("nan")])
    assert lab.best_within(times, accuracy, 10.0) == 0
    assert lab.best_within(times, accuracy, 9.99) is None
    assert lab.best_within(times, accuracy, 30.0) == 0  # an unknown AP is no choice
    assert lab.best_within(torch.tensor([20.0, 10.0]), torch.tensor([0.5, 0.5]), 30.0) == 1  # the faster of equals


def test_a_truth_is_found_at_the_thresholds_and_by_its_own_class_only():
    truths, kinds = torch.tensor([[0.0, 0.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0]]), torch.tensor([1, 2])
    half = torch.tensor([[0.0, 0.0, 10.0, 5.0]])  # IoU exactly 0.5
    ask = lambda box, label, score: lab.found(box, torch.tensor([label]), torch.tensor([score]), truths, kinds)  # noqa: E731
    assert ask(half, 1, 0.5).tolist() == [True, False]
    assert ask(half, 1, 0.499).tolist() == [False, False]
    assert ask(half, 2, 0.9).tolist() == [False, False]
    assert ask(torch.tensor([[0.0, 0.0, 10.0, 4.9]]), 1, 0.9).tolist() == [False, False]
    none = torch.empty(0, 4), torch.empty(0, dtype=torch.int64), torch.empty(0)
    assert lab.found(*none, truths, kinds).tolist() == [False, False]
    assert lab.found(half, torch.tensor([1]), torch.tensor([0.9]), truths[:0], kinds[:0]).tolist() == []


def test_slower_and_more_accurate_needs_both():
    assert lab.slower_and_more_accurate((40.0, 0.8), (20.0, 0.6)).holds
    assert not lab.slower_and_more_accurate((40.0, 0.6), (20.0, 0.6)).holds
    assert not lab.slower_and_more_accurate((20.0, 0.8), (20.0, 0.6)).holds
    verdict = lab.slower_and_more_accurate((40.0, 0.75), (20.0, 0.5))
    assert (verdict.first, verdict.second) == (2.0, 0.25)


def test_flat_up_to_the_tolerance():
    assert lab.flat(torch.tensor([0.5, 0.75]), 0.25).holds
    assert not lab.flat(torch.tensor([0.5, 0.75]), 0.249).holds
    assert lab.flat(torch.tensor([0.5]), 0.0) == lab.Verdict(True, 0.5, 0.5)
    with pytest.raises(ValueError, match="Without a value"):
        lab.flat(torch.empty(0), 0.1)
