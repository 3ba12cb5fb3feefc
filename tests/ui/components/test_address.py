"""What is written into the address stays there, whatever another run has sent meanwhile."""

import pytest
from streamlit.testing.v1 import AppTest

from ui.components import address, live


def script():
    import streamlit as st

    from ui.components import address

    address.turn_to(st.session_state.get("page", "Anchors"))
    for name, text in st.session_state.pop("written", {}).items():
        address.keep(name, text)
    st.radio("Unit", ["px", "cells"], key="unit", bind="query-params")
    st.pills("Draw", ["boxes", "masks"], default=["boxes"], selection_mode="multi", key="draw", bind="query-params")
    address.mend()
    st.session_state["heard"] = {name: address.linked(name) for name in ("at", "box")}


@pytest.fixture(params=[True, False], ids=["inside", "in_public"])
def visitor(request, monkeypatch) -> AppTest:
    """With Streamlit's private parts, and without."""
    monkeypatch.setattr(address.inside, "there", request.param)
    return AppTest.from_function(script).run()


INSIDE = pytest.mark.parametrize("visitor", [True], ids=["inside"], indirect=True)


def shown(visitor: AppTest) -> dict[str, str]:
    """The address: the last value of every parameter; AppTest holds lists, or what the run has written."""
    return {name: text if isinstance(text, str) else text[-1] for name, text in visitor.query_params.items()}


def write(visitor: AppTest, **written: str | None) -> AppTest:
    visitor.session_state["written"] = written
    return visitor.run()


def test_what_is_kept_stands_in_the_address_and_none_clears_it(visitor):
    write(visitor, at="3,4", box="1")
    assert shown(visitor) == {"at": "3,4", "box": "1"}
    write(visitor, at=None)
    assert shown(visitor) == {"box": "1"}


def test_what_another_run_has_wiped_out_comes_back(visitor):
    write(visitor, at="3,4")
    del visitor.query_params["at"]
    assert shown(visitor.run()) == {"at": "3,4"}
    visitor.query_params["at"] = "0,0"
    assert shown(visitor.run()) == {"at": "3,4"}


def test_what_was_cleared_does_not_come_back(visitor):
    write(visitor, at="3,4")
    write(visitor, at=None)
    visitor.query_params["at"] = "3,4"
    assert shown(visitor.run()) == {}


@INSIDE
def test_what_a_bound_widget_says_comes_back_too(visitor):
    """In the browser Streamlit writes it there; a string that an earlier run has sent may have wiped it out."""
    visitor.radio(key="unit").set_value("cells")
    visitor.button_group(key="draw").set_value(["boxes", "masks"])
    assert shown(visitor.run()) == {"unit": "cells", "draw": "masks"}
    assert visitor.query_params["draw"] == ["boxes", "masks"]
    for name in ("unit", "draw"):
        del visitor.query_params[name]
    assert shown(write(visitor, at="3,4")) == {"at": "3,4", "unit": "cells", "draw": "masks"}


@INSIDE
def test_a_bound_widget_at_its_default_leaves_the_address(visitor):
    visitor.radio(key="unit").set_value("cells").run()
    visitor.radio(key="unit").set_value("px").run()
    visitor.query_params["unit"] = "cells"
    assert shown(visitor.run()) == {}


def test_a_link_reaches_the_bound_widgets_first():
    visitor = AppTest.from_function(script)
    visitor.query_params["unit"] = "cells"
    assert visitor.run().radio(key="unit").value == "cells" and shown(visitor) == {"unit": "cells"}


def test_other_parameters_are_left_alone(visitor):
    visitor.query_params["lecture"] = "1"
    assert shown(write(visitor, at="3,4")) == {"lecture": "1", "at": "3,4"}


def test_a_link_is_heard_until_the_page_has_written_something_else(visitor):
    visitor.query_params["at"] = "3,4"
    assert visitor.run().session_state["heard"] == {"at": "3,4", "box": None}
    assert write(visitor, at="5,6").session_state["heard"]["at"] == "5,6"
    assert write(visitor, at=None).session_state["heard"]["at"] is None


def test_another_page_begins_with_its_own_link(visitor):
    write(visitor, at="3,4")
    visitor.session_state["page"] = "The YOLO Grid"
    del visitor.query_params["at"]
    assert shown(visitor.run()) == {}
    visitor.query_params["at"] = "7,7"
    assert visitor.run().session_state["heard"]["at"] == "7,7"


def test_while_a_hand_moves_the_address_waits(visitor, monkeypatch):
    assert address.live is live
    with monkeypatch.context() as hand:
        hand.setattr(live, "following", lambda key=None: True)
        write(visitor, at="3,4")
        assert shown(visitor) == {} and visitor.session_state["heard"]["at"] == "3,4"
    assert shown(visitor.run()) == {"at": "3,4"}
