"""The Python side of the number grids: edits, shapes, links, refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ui.components import Cell, Grid, Matrices
from ui.components.matrix import _apply, _fitted
from ui.components.matrix.wire_format import describe


def shown(items, links=None, explain=None, highlight=(), declared=None):
    return json.loads(json.dumps(describe(items, links or {}, explain or {}, highlight, declared or {})))


def test_edits_are_written_and_the_last_one_reported():
    stored = {"a": np.zeros((2, 2))}
    last = _apply(stored, [["a", 0, 1, 5], ["a", 1, 0, -2.5]], stored, False, -9, 9)
    assert stored["a"].tolist() == [[0, 5], [-2.5, 0]]
    assert last == Cell("a", 1, 0) == ("a", 1, 0)


@pytest.mark.parametrize(
    "edit",
    [
        ["a", 0, 0, 10], ["a", 0, 0, float("nan")], ["a", 0, 0, "5"], ["a", 0, 0, True], ["a", 2, 0, 1],
        ["a", 0, -1, 1], ["b", 0, 0, 1], ["a", 0, 0], "a", 7, None, ["a", 0, 0, 0.5],
    ],
)  # fmt: skip
def test_forged_edits_change_nothing(edit):
    stored = {"a": np.zeros((2, 2))}
    assert _apply(stored, [edit], stored, True, -9, 9) is None
    assert not stored["a"].any()


def test_a_new_shape_keeps_what_overlaps():
    grown = _fitted(np.array([[1, 2], [3, 4]]), np.full((3, 3), 9.0))
    assert grown.tolist() == [[1, 2, 9], [3, 4, 9], [9, 9, 9]]
    assert _fitted(np.array([[1, 2], [3, 4]]), np.zeros((1, 1))).tolist() == [[1]]


def test_scales():
    low_high = lambda grid: (lambda d: (d["low"], d["high"]))(shown([grid])["items"][0])  # noqa: E731
    assert low_high(Grid("a", [[-1, 4]])) == (-4, 4)
    assert low_high(Grid("a", [[2, 4]], colour="sequential")) == (2, 4)
    assert low_high(Grid("a", [[0, 0]])) == (-1, 1)
    assert low_high(Grid("a", [[3, 3]], colour="sequential")) == (3, 4)
    assert low_high(Grid("a", [[1, 2]], vmin=0, vmax=10)) == (0, 10)


def test_grids_as_json():
    found = shown(
        [
            Grid("x", np.array([1, np.nan, 2], np.float32), columns=list("abc")),
            "→",
            Grid("y", [[3]], colour=[["#ffffff"]]),
        ],
        links={("y", 0, 0): [("x", 0, np.int64(2), np.float32(0.1))]},
        explain={("y", 0, 0): "three"},
        highlight=[("x", 0, 1)],
    )
    assert found["items"][0]["values"] == [[1, None, 2]]
    assert found["items"][1] == "→"
    assert found["links"] == {"y:0:0": [["x:0:2", 0.1]]}
    assert found["explain"] == {"y:0:0": "three"} and found["highlight"] == {"x:0:1": 1}
    assert found["items"][2]["colours"] == [["#ffffff"]] and found["items"][2]["scale"] == "none"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"items": [Grid("a", np.zeros((2, 2, 2)))]}, "shape"),
        ({"items": [Grid("a", [[]])]}, "shape"),
        ({"items": [Grid("a", [1]), Grid("a", [2])]}, "different names"),
        ({"items": [Grid("a", [1], editable=True)]}, "name it in matrices"),
        ({"items": [Grid("a", [1, 2], editable=True)], "declared": {"a": np.zeros((1, 1))}}, "own shape"),
        ({"items": [Grid("a", [1, 2], columns=["x"])]}, "2 headings"),
        ({"items": [Grid("a", [1, 2], text=[["x"]])]}, "shape 1×2"),
        ({"items": [Grid("a", [1])], "links": {("a", 0, 1): []}}, r"no cell \(0, 1\)"),
        ({"items": [Grid("a", [1])], "highlight": [("b", 0, 0)]}, "no cell"),
    ],
)
def test_wrong_grids_are_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        shown(**arguments)


def test_chosen_forgets_a_cell_that_is_gone():
    grids = Matrices("k", {}, Cell("out", 3, 1), None, {}, 1)
    assert grids.chosen("out", (4, 2)) == (3, 1)
    assert grids.chosen("out", (3, 2)) is None
    assert grids.chosen("in", (4, 2)) is None


def script():
    import numpy as np
    import streamlit as st

    from ui.components import Grid, matrices

    size = st.session_state.get("size", 2)
    grids = matrices("grids", {"input": np.arange(size * size, dtype=float).reshape(size, size)})
    values = grids["input"]
    values += 100  # a copy: the visitor's numbers stay
    grids.show([Grid("input", grids["input"], editable=True)])
    st.text(str(grids["input"].tolist()))


def test_session_state_sets_numbers_and_a_new_shape_keeps_them():
    app = AppTest.from_function(script, default_timeout=60).run()
    assert app.text[0].value == "[[0.0, 1.0], [2.0, 3.0]]"
    app.session_state["grids"]["input"][0, 0] = 7
    assert app.run().text[0].value == "[[7.0, 1.0], [2.0, 3.0]]"
    app.session_state["size"] = 3
    assert app.run().text[0].value == "[[7.0, 1.0, 2.0], [2.0, 3.0, 5.0], [6.0, 7.0, 8.0]]"
    assert json.loads(app.get("bidi_component")[0].proto.json)[0]["items"][0]["values"][0] == [7, 1, 2]
