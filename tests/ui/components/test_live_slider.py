"""The Python side of the live slider: values, URL, session state, pacing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from ui.components.live_slider import snap


def script():
    import streamlit as st

    from ui.components import live_slider

    @st.fragment
    def fragment():
        with live_slider("Threshold", 0.0, 1.0, 0.5, step=0.01, key="threshold") as value:
            st.text(f"{value!r}")
        with live_slider("Kernel", 1, 9, 3, step=2, key="kernel") as kernel:
            st.text(f"{kernel!r}")
        with live_slider("Mode", key="mode", options=["nearest", "bilinear"]) as mode:
            st.text(mode)

    fragment()


def texts(at: AppTest) -> list[str]:
    assert not at.exception
    return [text.value for text in at.text]


def mounted(at: AppTest, label: str) -> dict:
    """The data of the mounted slider with this label, and its place among its siblings."""
    data = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
    return next(each for each in data if each["label"] == label)


@pytest.fixture
def app():
    return AppTest.from_function(script, default_timeout=60)


def test_defaults(app):
    assert texts(app.run()) == ["0.5", "3", "nearest"]
    assert dict(app.query_params) == {}


def test_a_link_restores_values_and_keeps_types(app):
    app.query_params.update({"threshold": "0.37", "kernel": "7", "mode": "bilinear"})
    assert texts(app.run()) == ["0.37", "7", "bilinear"]


def test_named_stops_carry_the_unit_and_the_address_does_not():
    def strides():
        import streamlit as st

        from ui.components import live_slider

        with live_slider("Stride", key="stride", options=[8, 16, 32], value=16, unit="px") as stride:
            st.text(f"{stride!r}")

    app = AppTest.from_function(strides, default_timeout=60)
    app.query_params["stride"] = "32"
    assert texts(app.run()) == ["32"]
    assert mounted(app, "Stride")["options"] == ["8\u202fpx", "16\u202fpx", "32\u202fpx"]
    assert app.query_params["stride"] in ("32", ["32"])


@pytest.mark.parametrize("bad", ["", "abc", "nan", "inf", "[1]", "0x10"])
def test_an_illegal_link_falls_back_to_the_default(app, bad):
    app.query_params.update({"threshold": bad, "kernel": bad, "mode": bad})
    assert texts(app.run()) == ["0.5", "3", "nearest"]


def test_a_link_outside_the_range_is_clamped_and_off_a_stop_is_snapped(app):
    app.query_params.update({"threshold": "7", "kernel": "5.9"})
    assert texts(app.run())[:2] == ["1.0", "5"]


def test_session_state_sets_the_value_and_the_link(app):
    app.run()
    app.session_state["threshold"] = 0.8
    app.session_state["mode"] = "bilinear"
    assert texts(app.run()) == ["0.8", "3", "bilinear"]
    assert dict(app.query_params) == {"threshold": "0.8", "mode": "bilinear"}
    assert mounted(app, "Threshold")["value"] == 0.8
    app.session_state["threshold"] = 0.5
    app.run()
    assert "threshold" not in app.query_params


def test_nonsense_in_session_state_is_the_default(app):
    app.run()
    app.session_state["threshold"] = "high"
    app.session_state["mode"] = "cubic"
    assert texts(app.run()) == ["0.5", "3", "nearest"]


def test_the_slider_is_mounted_after_the_block_and_above_it(app):
    app.run()
    fragment = next(iter(app.main.children.values()))
    kinds = [type(child).__name__ for child in fragment.children.values()]
    assert kinds[:2] == ["Block", "Text"]
    assert mounted(app, "Threshold")["sequence"] == 0
    assert mounted(app, "Threshold")["window"] == 1


def message_script():
    import streamlit as st

    from ui.components import live_slider

    with live_slider("Threshold", 0.0, 1.0, 0.5, step=0.01, key="threshold") as value:
        st.text(f"{value!r}")


def tell(app, **message):
    """A browser's message, where Streamlit puts it."""
    app.session_state["threshold.live"] = {"message": message}


def test_a_message_is_taken_in_once_acknowledged_and_reaches_the_link_when_settled():
    app = AppTest.from_function(message_script, default_timeout=60).run()
    tell(app, value=0.7, settled=False, sequence=4)
    assert texts(app.run()) == ["0.7"]
    assert mounted(app, "Threshold")["sequence"] == 4
    assert dict(app.query_params) == {}
    app.session_state["threshold"] = 0.2  # Python's word after the message
    assert texts(app.run()) == ["0.2"]
    tell(app, value=0.71, settled=True, sequence=5)
    assert texts(app.run()) == ["0.71"]
    assert dict(app.query_params) == {"threshold": "0.71"}


@pytest.mark.parametrize("value", [None, "0.9", True, [1], {"a": 1}, float("nan")])
def test_a_forged_message_changes_nothing_illegal(value):
    app = AppTest.from_function(message_script, default_timeout=60).run()
    tell(app, value=value, settled=True, sequence=1)
    assert texts(app.run()) in (["0.5"], ["0.9"])


def test_a_block_that_raises_still_acknowledges():
    def breaking():
        from ui.components import live_slider

        try:
            with live_slider("Threshold", 0, 5, key="threshold"):
                raise ValueError("no")
        except ValueError:
            pass

    app = AppTest.from_function(breaking, default_timeout=60).run()
    assert mounted(app, "Threshold")["value"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_value": 1, "max_value": 1},
        {"min_value": 0, "max_value": float("inf")},
        {"min_value": 0, "max_value": 1, "value": 2},
        {"min_value": 0, "max_value": 1, "step": 0},
        {"options": ["one"]},
        {"options": ["one", "two"], "value": "three"},
    ],
)
def test_illegal_arguments_are_refused(arguments):
    from ui.components import live_slider

    with pytest.raises(ValueError), live_slider("Wrong", key="wrong", **arguments):
        pass


numbers = some.floats(-1e4, 1e4, allow_nan=False)


@given(number=numbers, low=numbers, span=some.floats(1e-3, 1e4), parts=some.integers(1, 500))
def test_snap_stays_inside_and_is_idempotent(number, low, span, parts):
    high, step = low + span, span / parts
    stop = snap(number, low, high, step)
    assert low - 1e-6 * span <= stop <= high + 1e-6 * span
    assert snap(stop, low, high, step) == pytest.approx(stop, abs=1e-6 * step + 1e-9)
    inside = min(max(number, low), high)
    assert abs(stop - inside) <= step / 2 + 1e-6


@pytest.mark.parametrize(
    ("number", "expected"), [(0.30000000000000004, 0.3), (0.284, 0.28), (0.286, 0.29), (-3, 0.0), (3, 1.0)]
)
def test_snap_by_hand(number, expected):
    assert snap(number, 0.0, 1.0, 0.01) == expected


def test_the_end_of_the_range_is_reachable():
    assert snap(10, 0, 10, 3) == 10
    assert snap(9.4, 0, 10, 3) == 9
