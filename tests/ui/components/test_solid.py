"""The Python side of solids: what the browser is given, and what it says of the direction and the vertex touched."""

import base64
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ui.components.solid import START, Solid, Touched, _touched, _turn, solids

CORNERS = np.array([[10.0, 20, 0], [14, 20, 0], [10, 26, 0], [10, 20, 4]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def script():
    import numpy as np
    import streamlit as st

    from ui.components import Solid, solids, words

    corners = np.array([[10.0, 20, 0], [14, 20, 0], [10, 26, 0], [10, 20, 4]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    view = solids("pyramid", hover=True, **st.session_state.get("start", {}))
    view.show([Solid("one", corners, faces, "first", wires=True)], alt="A pyramid", **st.session_state.get("place", {}))
    words(f"{view.turn} {view.hover}", "said")


def mounted(at: AppTest) -> list[dict]:
    assert not at.exception
    return [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]


def opened(query=None, **state) -> AppTest:
    at = AppTest.from_function(script, default_timeout=60)
    for name, value in (query or {}).items():
        at.query_params[name] = value
    for name, value in state.items():
        at.session_state[name] = value
    return at.run()


def array(text: str, kind) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind).reshape(-1, 3)


def test_corners_travel_around_their_middle_and_within_one():
    (told,), _ = (mounted(opened())[0]["solids"], None)
    placed = array(told["vertices"], "<f4")
    np.testing.assert_allclose(np.linalg.norm(placed, axis=1).max(), 1, rtol=1e-6)
    span = CORNERS - [12, 23, 2]
    np.testing.assert_allclose(placed, span / np.linalg.norm(span, axis=1).max(), rtol=1e-6)
    np.testing.assert_array_equal(array(told["faces"], "<u4"), FACES)
    assert (told["id"], told["title"], told["wires"], told["flat"], told["colours"]) == (
        "one",
        "first",
        True,
        False,
        None,
    )


def test_a_fixed_middle_and_radius_hold_still():
    told = mounted(opened(place={"middle": (10, 20, 0), "radius": 8.0}))[0]["solids"][0]
    np.testing.assert_allclose(array(told["vertices"], "<f4"), (CORNERS - [10, 20, 0]) / 8)


@pytest.mark.parametrize(("text", "turn"), [("30,-20", [30, -20]), ("400,100", [40, 90]), ("here", list(START)),
                                            ("1,2,3", list(START)), ("nan,0", list(START))])  # fmt: skip
def test_the_direction_comes_from_the_address_if_it_makes_sense(text, turn):
    assert mounted(opened({"pyramid_turn": text}))[0]["turn"] == turn


def test_the_hand_turns_it_and_the_address_says_so():
    at = opened(
        **{"pyramid.live": {"message": {"turn": [12.34, 5], "hover": {"id": "one", "vertex": 2}, "sequence": 1}}}
    )
    shown, said = mounted(at)
    assert shown["turn"] == [12.3, 5] and shown["sequence"] == 1
    assert said["text"] == f"{(12.3, 5.0)} {Touched('one', 2)}"
    assert at.session_state["pyramid"] == (12.3, 5.0)


@pytest.mark.parametrize(("found", "turn"), [([180, 90], (180, 90)), ([181, 0], (-179, 0)), ([0, -91], (0, -90)),
                                             ([0], None), (None, None), ([True, 0], None)])  # fmt: skip
def test_a_direction_has_ends(found, turn):
    assert _turn(found) == turn


def test_what_was_touched_is_a_name_and_a_number():
    assert _touched({"id": "one", "vertex": 0}) == Touched("one", 0)
    assert _touched({"id": "one", "vertex": -1}) is _touched({"id": 1, "vertex": 0}) is _touched([]) is None


@pytest.mark.parametrize(("change", "words"), [
    ({"vertices": CORNERS[:, :2]}, "the vertices of a solid are an array"),
    ({"faces": FACES[0]}, "the faces of a solid are an array"),
    ({"faces": FACES + 1}, "not among the 4"),
    ({"faces": FACES - 1}, "not among the 4"),
    ({"colours": np.zeros((3, 3), np.uint8)}, "one colour for each vertex"),
])  # fmt: skip
def test_what_is_no_mesh_is_refused(change, words):
    given = {"vertices": CORNERS, "faces": FACES} | change
    with pytest.raises(ValueError, match=words):
        solids("any").show([Solid("one", **given)], alt="")


def test_nothing_is_a_view_too():
    solids("empty").show([], alt="Nothing")
    solids("point").show([Solid("one", np.zeros((0, 3)), np.zeros((0, 3), int))], alt="Nothing yet")
