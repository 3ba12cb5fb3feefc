"""Ask before it shows: veiled until a guess is given or waved through, restored by an address, compared in words."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ui import guesses
from ui.guesses import Choice, Number, Order, Region, kind_of

PICTURE = np.zeros((40, 80, 3), np.uint8)


def script():
    import streamlit as st

    from ui import page

    page.begin("Questions", question="Which?")

    @st.fragment
    def inside():
        answer = st.selectbox("Truth", [12, 8, 99], key="truth")
        options = st.session_state.get("options", [0, 4, 8, 12])
        with page.guard(), page.predict("cells", "How many?", options) as prediction:
            st.markdown("the view")
            prediction.outcome(answer, "because they are empty.")

    inside()
    kind = st.session_state.get("kind")
    if kind is not None:
        with page.predict("more", "And here?", kind) as prediction:
            prediction.outcome(st.session_state["answer"], "So it goes.")


def opened(query=None, **state) -> AppTest:
    at = AppTest.from_function(script, default_timeout=30)
    at.query_params.update(query or {})
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def veils(at) -> int:
    return sum("Your guess uncovers this" in each.value for each in at.markdown)


def said(at) -> list[str]:
    """The sentences of the outcomes."""
    return [json.loads(node.proto.json)[0]["text"] for node in at.get("bidi_component")]


def address(at) -> dict[str, str]:
    """What stands in the address."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in at.query_params.items()}


def guess(at, option):
    at.pills(key="predict-cells-control").set_value(option).run()
    return at


def test_the_view_is_drawn_under_a_veil_until_a_choice_is_made():
    at = opened()
    assert veils(at) == 1 and "the view" in [each.value for each in at.markdown]
    assert address(at) == {}
    guess(at, 8)
    assert veils(at) == 0 and address(at) == {"predict-cells": "8"}
    assert said(at) == [":orange-badge[✗ No] You said **8**. It is **12**, because they are empty."]


def test_a_right_guess_is_said_to_be_right():
    assert said(guess(opened(), 12)) == [
        ":green-badge[✓ Right] You said **12**, and that is right, because they are empty."
    ]


def test_show_me_uncovers_and_ask_me_again_takes_it_back():
    at = opened()
    at.button(key="predict-cells-show").click().run()
    assert veils(at) == 0 and address(at) == {"predict-cells": "shown"}
    assert said(at) == ["It is **12**, because they are empty."]
    at.button(key="predict-cells-show").click().run()
    assert veils(at) == 1 and address(at) == {}
    guess(at, 4)
    assert at.pills(key="predict-cells-control").value == 4
    at.button(key="predict-cells-show").click().run()
    assert veils(at) == 1 and address(at) == {} and at.pills(key="predict-cells-control").value is None


def test_the_guess_stays_and_the_outcome_follows():
    at = guess(opened(), 8)
    at.selectbox(key="truth").set_value(8).run()
    assert said(at)[0].startswith(":green-badge[✓ Right] You said **8**")
    at.session_state["options"] = [5, 12]  # the state has moved on, and 8 is no longer an option
    at.selectbox(key="truth").set_value(12).run()
    assert veils(at) == 0 and "You said **8**. It is **12**" in said(at)[0]
    assert address(at) == {"predict-cells": "8"}


def test_an_address_restores_the_guess():
    at = opened({"predict-cells": "4"})
    assert veils(at) == 0 and "You said **4**" in said(at)[0]
    assert at.pills(key="predict-cells-control").value == 4
    at = opened({"predict-cells": "shown"})
    assert veils(at) == 0 and said(at)[0].startswith("It is **12**")


@pytest.mark.parametrize("nonsense", ["5", "", "nan", "12 ", "Shown"])
def test_an_address_that_means_nothing_is_no_guess_and_is_put_right(nonsense):
    at = opened({"predict-cells": nonsense})
    assert veils(at) == 1 and address(at) == {}


def test_back_brings_the_guess_that_its_address_has():
    """Another page has been there in between; the session knows a newer guess."""
    at = guess(opened(), 8)
    at.session_state["address.kept"] = ("another page", {})
    at.query_params["predict-cells"] = "4"
    at.run()
    assert "You said **4**" in said(at)[0]
    at.session_state["address.kept"] = ("another page", {})
    del at.query_params["predict-cells"]
    at.run()  # through a link of the navigation: as it was left
    assert "You said **4**" in said(at)[0] and address(at) == {"predict-cells": "4"}


def test_off_asks_nothing_and_veils_nothing():
    at = opened({"predict": "off"}, kind=Number(0, 9), answer=4)
    assert veils(at) == 0 and not at.button and not at.get("button_group") and not at.slider
    assert said(at) == ["How many? **12**, because they are empty.", "And here? **4**. So it goes."]
    assert address(at) == {"predict": "off"}
    at = opened({"predict": "no"})
    assert veils(at) == 1 and address(at) == {}


def test_links_carry_off_along(monkeypatch):
    def linking():
        from ui import course, page

        page.link(course.ready()[1])

    found = []
    monkeypatch.setattr("streamlit.page_link", lambda *_, **more: found.append(more["query_params"]))
    for query in ({}, {"predict": "off"}, {"predict": "off", "lecture": "1"}):
        at = AppTest.from_function(linking)
        at.query_params.update(query)
        assert not at.run().exception
    assert found == [None, {"predict": "off"}, {"lecture": "1", "predict": "off"}]


def test_an_answer_that_is_no_option_is_an_error():
    at = opened()
    at.selectbox(key="truth").set_value(99).run()
    assert at.error[0].value == "The question 'cells' has no option 99."


def test_options_that_look_alike_are_an_error():
    with pytest.raises(ValueError, match="Two options look alike: 4, 4"):
        Choice((4, "4"))


def test_one_option_asks_nothing():
    at = opened(options=[12])
    assert veils(at) == 0 and not at.button and not said(at)


def test_a_view_without_an_outcome_is_a_mistake(caplog):
    def forgetful():
        from ui import page

        with page.guard(), page.predict("q", "Which?", ["a", "b"]):
            pass

    assert AppTest.from_function(forgetful).run().error
    assert "The view of the question 'q' has no outcome." in caplog.text


def test_with_a_hand_on_a_slider_the_question_is_left_alone(monkeypatch):
    monkeypatch.setattr("ui.predict.following", lambda: True)
    at = opened({"predict-cells": "5"})
    assert not at.button and not at.get("button_group") and veils(at) == 1 and len(said(at)) == 1


def test_a_number_counts_when_it_is_said_to():
    at = opened(kind=Number(0, 100, 5, "%"), answer=33)
    assert veils(at) == 2 and at.slider[0].value == 50
    at.slider[0].set_value(35).run()
    assert veils(at) == 2
    at.button(key="predict-more-give").click().run()
    assert veils(at) == 1 and address(at) == {"predict-more": "35"}
    assert said(at)[1] == ":green-badge[✓ Right] You said **35 %**, as near as can be: it is **33 %**. So it goes."


@pytest.mark.parametrize(
    ("text", "guess"),
    [("0", 0), ("100", 100), ("35", 35), ("35.0", 35), ("-5", None), ("105", None), ("34", None), ("nan", None),
     ("inf", None), ("1" + "0" * 400, None), ("", None), ("word", None)],
)  # fmt: skip
def test_numbers_from_addresses(text, guess):
    found = Number(0, 100, 5, "%").read(text)
    assert found == guess and isinstance(found, int | None)


@pytest.mark.parametrize("end", [0, 100])
def test_a_number_at_its_ends(end):
    at = opened({"predict-more": str(end)}, kind=Number(0, 100, 5), answer=end)
    assert f"You said **{end}**, and that is right" in said(at)[1] and at.slider[0].value == end


def test_numbers_in_parts():
    kind = Number(0.0, 1.0, 0.05)
    assert kind.read("0.15") == 0.15 and kind.read(kind.write(0.3)) == 0.3 and kind.read("0.16") is None
    assert kind.possible(0) and kind.possible(1) and not kind.possible(1.01) and not kind.possible(-0.01)
    assert kind.right(0.15, 0.16) and not kind.right(0.15, 0.21)
    assert Number(1, 5000, 1, "px").say(1200) == "1,200 px"
    for wrong in ((1, 1, 1), (2, 1, 1), (0, 1, 0)):
        with pytest.raises(ValueError, match="There is no number"):
            Number(*wrong)


def test_an_order_counts_when_all_is_in_its_place():
    at = opened(kind=Order(["cat", "car", "ball"]), answer=("ball", "cat", "car"))
    items = at.pills(key="predict-more-control")
    items.set_value(["ball", "car"]).run()
    assert "1. ball · 2. car" in [each.value for each in at.caption]
    at.button(key="predict-more-give").click().run()
    assert veils(at) == 2 and "Not all is in its place yet." in [each.value for each in at.caption]
    at.pills(key="predict-more-control").set_value(["ball", "car", "cat"]).run()
    at.button(key="predict-more-give").click().run()
    assert veils(at) == 1 and address(at) == {"predict-more": "ball>car>cat"}
    assert "You said **ball, then car, then cat**. It is **ball, then cat, then car**." in said(at)[1]
    assert "Not all is in its place yet." not in [each.value for each in at.caption]


def test_orders_from_addresses():
    kind = Order(["cat", "car", "ball"])
    assert kind.read("car>ball>cat") == ("car", "ball", "cat")
    assert [kind.read(text) for text in ("", "car>ball", "car>ball>dog", "car>ball>ball", "car,ball,cat")] == [None] * 5
    with pytest.raises(ValueError, match="holds no >"):
        Order(["a>b", "c"])


def test_a_box_is_put_on_a_picture():
    kind = Region(PICTURE, start=(0, 0, 20, 20))
    at = opened(kind=kind, answer=(10, 10, 30, 30))
    at.button(key="predict-more-give").click().run()
    assert veils(at) == 1 and address(at) == {"predict-more": "0,0,20,20"}
    sentence = said_last(at)
    assert "You said **x 0 to 20, y 0 to 20**. It is **x 10 to 30, y 10 to 30**" in sentence
    assert "IoU of **0.14**" in sentence and "✗ No" in sentence
    assert kind.layers(None) == [] and kind.layers((1, 2, 3, 4))[0].boxes[0].xyxy == (1, 2, 3, 4)


def said_last(at) -> str:
    mounted = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
    return [data["text"] for data in mounted if "text" in data][-1]


def test_a_place_is_pointed_at():
    kind = Region(PICTURE)
    at = opened(kind=kind, answer=(10, 10, 30, 30))
    at.button(key="predict-more-give").click().run()
    assert veils(at) == 2  # nothing has been pointed at
    at = opened({"predict-more": "10,30"}, kind=kind, answer=(10, 10, 30, 30))
    assert veils(at) == 1 and "✓ Right" in said_last(at) and "your place is inside" in said_last(at)
    assert not kind.right((9.9, 30), (10, 10, 30, 30)) and kind.layers((1, 2))[0].xy.tolist() == [[1, 2]]


def test_regions_from_addresses():
    box, place = Region(PICTURE, start=(0, 0, 20, 20)), Region(PICTURE)
    assert place.read("80,40") == (80, 40) and box.read("0,0,80,40") == (0, 0, 80, 40)
    assert place.read("inf,0") is None and place.read("") is None
    assert [place.read(text) for text in ("81,40", "80,41", "-1,0", "nan,0", "1", "1,2,3,4", "a,b")] == [None] * 7
    assert box.read("1,2") is None and not box.possible((0, 0, 81, 40)) and not place.possible((1, 2))


@pytest.mark.parametrize(
    ("second", "iou"), [((0, 0, 10, 10), 1), ((0, 0, 10, 5), 0.5), ((10, 0, 20, 10), 0), ((5, 5, 5, 5), 0)]
)
def test_boxes_match_from_an_iou_of_a_half_on(second, iou):
    assert guesses._iou((0, 0, 10, 10), second) == iou
    assert Region(PICTURE, start=(0, 0, 1, 1)).right((0, 0, 10, 10), second) == (iou >= 0.5)


@pytest.mark.parametrize(
    ("answer", "says"), [("rises", "“rises”"), ("10 or fewer", "10 or fewer"), (12, "12"), (2.5, "2.5")]
)
def test_words_stand_in_quotes(answer, says):
    assert kind_of([answer, "other"]).say(answer) == says


def test_wrong_answers_are_sentences():
    assert kind_of(["rises", "stays"]).compare("rises", "stays") == "You said **“rises”**. The answer is **“stays”**"
