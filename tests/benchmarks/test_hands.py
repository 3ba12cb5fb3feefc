"""How the hand moves."""

from itertools import islice, pairwise

import pytest

from benchmarks.hands import css, paced, stops_of, sweep


def test_a_sweep_goes_up_and_down_and_never_stays():
    shares = list(islice(sweep(4), 13))
    assert shares[:4] == [0, 1 / 3, 2 / 3, 1]
    assert shares[3:7] == [1, 2 / 3, 1 / 3, 0]
    assert all(a != b for a, b in pairwise(shares))
    with pytest.raises(ValueError, match="two stops"):
        next(sweep(1))


def test_stops_of_a_slider():
    assert stops_of({"min": 1, "max": 12, "step": 1}) == 12
    assert stops_of({"min": 0.0, "max": 1.0, "step": 0.02}) == 51
    assert stops_of({"min": 0.0, "max": 1.0, "step": 0.001}) == 60
    assert stops_of({"min": None, "max": None, "step": None}) == 60


def test_the_container_of_a_key():
    assert css("rf_layers.live") == ".st-key-rf_layers-live"


def test_a_pace_ends_and_sends_the_shares_in_order():
    seen = []
    paced(0.1, iter(range(1000)), seen.append)
    assert seen and seen == list(range(len(seen)))
