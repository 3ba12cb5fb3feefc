"""A bound widget and an address that it cannot mean: the default, and the address put right."""

import pytest
from streamlit.testing.v1 import AppTest

BAD = ["", "inf", "-inf", "nan", "1" + "0" * 400, "9" * 5000, "-1", "word", ["", ""], ["inf", "word"]]


def script():
    import streamlit as st

    from ui.components import address

    st.number_input("Seed", 0, 99, 7, key="seed", bind="query-params")
    st.number_input("Share", 0.0, 1.0, 0.5, key="share", bind="query-params")
    st.segmented_control("Factor", [2, 3], default=2, required=True, key="factor", bind="query-params")
    st.segmented_control("Way", ["up", "down"], default="up", required=True, key="way", bind="query-params")
    st.select_slider("Size", [64, 128], 128, key="size", bind="query-params")
    st.selectbox("Class", ["cat", "dog"], key="thing", bind="query-params")
    st.radio("Unit", ["px", "cells"], key="unit", bind="query-params")
    st.toggle("Twice", key="twice", bind="query-params")
    address.mend()


DEFAULTS = {"seed": 7, "share": 0.5, "factor": 2, "way": "up", "size": 128, "thing": "cat", "unit": "px"}
DEFAULTS["twice"] = False


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:8])
def test_what_a_widget_cannot_mean_is_its_default_and_leaves_the_address(bad):
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params.update(dict.fromkeys(DEFAULTS, bad))
    at.run()
    assert not at.exception
    assert {key: at.session_state[key] for key in DEFAULTS} == DEFAULTS
    assert dict(at.query_params) == {}


def test_what_a_widget_can_mean_still_counts():
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params.update({"seed": "99", "factor": "3", "way": "down", "size": "64", "twice": "true"})
    at.run()
    assert [at.session_state[key] for key in ("seed", "factor", "way", "size", "twice")] == [99, 3, "down", 64, True]
