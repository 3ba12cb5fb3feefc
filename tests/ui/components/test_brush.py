"""The Python side of the brush: what is painted comes back as it was, and nonsense is refused."""

import numpy as np
import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as hnp

from ui.components import brush
from ui.components.brush import from_runs, to_runs

SHAPES = some.tuples(some.integers(1, 9), some.integers(1, 9))


@given(SHAPES.flatmap(lambda shape: hnp.arrays(np.uint8, shape, elements=some.integers(0, 3))))
def test_runs_give_back_the_map(values):
    runs = to_runs(values)
    again = from_runs(runs, values.shape, 4)
    assert again is not None and (again == values).all() and again.dtype == np.uint8
    assert all(first != second for first, second in zip(runs[::2], runs[2::2], strict=False)), "the longest runs"


@pytest.mark.parametrize(
    "runs", [None, 3, [], [0], [0, 5], [0, 7], [4, 6], [0, 3, 1], [-1, 6], [0, -1, 1, 7], [True, 6], [0.0, 6],
             ["0", 6], [10**400, 6], [0, 6, 0, 0] * 4],
)  # fmt: skip
def test_what_is_no_map_of_this_size_and_palette_is_ignored(runs):
    assert from_runs([3, 6], (2, 3), 4) is not None
    assert from_runs(runs, (2, 3), 4) is None


def painted(monkeypatch, message, **options):
    state = {"b.live": {"message": message}}
    monkeypatch.setattr(st, "session_state", state)
    return brush("b", (3, 2), [None, "#E69F00", "#0072B2"], **options)


def test_it_takes_in_what_was_painted_on_this_sheet_only(monkeypatch):
    message = {"sequence": 1, "runs": [0, 2, 2, 4], "sheet": "scene 1", "missing": ["a", 1], "settled": False}
    here = painted(monkeypatch, message, sheet="scene 1")
    assert here.values.tolist() == [[0, 0, 2], [2, 2, 2]] and here.painting and here.missing == ["a"]
    assert painted(monkeypatch, message, sheet="scene 2").values.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert painted(monkeypatch, message | {"missing": 3}, sheet="scene 1").missing == []


@pytest.mark.parametrize("options", [{"paint": 0}, {"paint": 3}, {"tool": "spray"}])
def test_what_it_cannot_hold_is_refused(monkeypatch, options):
    with pytest.raises(ValueError, match=r"paint|tool"):
        painted(monkeypatch, {}, **options)


def test_sizes_and_palettes_out_of_bounds_are_refused(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    with pytest.raises(ValueError, match="1 to 512 pixels"):
        brush("b", (513, 9), [None, "#ffffff"])
    with pytest.raises(ValueError, match="a palette has nothing"):
        brush("b", (9, 9), ["#ffffff", "#000000"])
