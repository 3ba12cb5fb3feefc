"""What of a lecturer's page is passed on, and what is not."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from ui.rooms.relay import KEPT, Relay


def drawn(relay, place="ssd?x=1#play"):
    return {key: json.loads(text) for key, text in relay.take(place).items()}


def test_the_newest_of_each_component_is_passed_on_once_with_its_page():
    told = []
    relay = Relay("ABCDEF", "key", told.append)
    relay("a.live", {"value": 1}, True)
    relay("b.live", {"value": 2}, True)
    relay("a.live", {"value": 3}, True)
    assert told == [relay]
    assert drawn(relay) == {"a.live": {"value": 3, "page": "ssd"}, "b.live": {"value": 2, "page": "ssd"}}
    assert drawn(relay) == {}
    relay("a.live", {"value": 4}, True)
    assert told == [relay, relay]


@pytest.mark.parametrize("key", ["class_tally-q-0.live", "class_line.live", "predict-q-control.live", "take_home.live"])
def test_what_is_everybodys_own_is_not_passed_on(key):
    told = []
    relay = Relay("ABCDEF", "key", told.append)
    relay(key, {"value": 1}, True)
    assert told == [] and drawn(relay) == {}


def picture(name, rasters, *layers):
    return {"picture": name, "layers": [{"kind": "raster", "name": each} for each in layers], "rasters": rasters}


def test_a_whole_page_is_not_passed_on_but_its_pictures_are_remembered():
    relay = Relay("ABCDEF", "key", lambda _: None)
    relay("s.live", picture("p", {"p": "data:p", "h": "data:h"}, "h"), False)
    assert drawn(relay) == {}
    relay("s.live", picture("p", {"i": "data:i"}, "i"), True)  # her browser has p already, the followers' may not
    assert drawn(relay)["s.live"]["rasters"] == {"p": "data:p", "i": "data:i"}
    relay("s.live", picture("p", {}, "i"), True)
    assert drawn(relay)["s.live"]["rasters"] == {}
    relay("s.live", picture("p", {}, "h"), True)
    assert drawn(relay)["s.live"]["rasters"] == {"h": "data:h"}
    relay("other.live", picture("p", {"p": "data:p"}), True)  # another stage has hands of its own
    assert drawn(relay)["other.live"]["rasters"] == {"p": "data:p"}
    for number in range(3 * KEPT):
        relay("s.live", picture(None, {f"{number}": "data:"}, f"{number}"), True)
        drawn(relay)
    assert len(relay._rasters["s.live"]) == len(relay._passed["s.live"]) == KEPT


def page_with_an_audience():
    import streamlit as st

    from ui import page
    from ui.components import live_slider, wire, words

    wire.perform_for(lambda key, data, alone: st.session_state.setdefault("heard", {}).update({key: data}))
    with page.predict("relayed", "How many?", [1, 2]) as prediction:
        with live_slider("Number", 0, 9, 3, key="inside"):
            words("Three.", "said")
        prediction.outcome(1, "because.")
    with wire.privately():
        words("Four.", "secret")
    with live_slider("Number", 0, 9, 3, key="outside"):
        pass


def test_an_audience_hears_what_is_drawn_without_secrets_and_without_a_view_with_a_guess():
    at = AppTest.from_function(page_with_an_audience).run()
    assert not at.exception
    heard = at.session_state["heard"]
    heard.pop("predict-relayed-said.live")  # which no relay passes on, see above
    assert set(heard) == {"inside.live", "said.live", "outside.live"}
    assert heard["inside.live"]["value"] == 3 and not {"live", "mount", "sequence"} & set(heard["inside.live"])
    at.session_state["predict-relayed"], at.session_state["predict-relayed-guess"] = "1", 1
    del at.session_state["heard"]
    at.query_params["predict-relayed"] = "1"
    at.run()
    assert set(at.session_state["heard"]) == {"outside.live"}
