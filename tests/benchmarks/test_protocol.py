"""Messages to and from Streamlit."""

import json
import random

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.protocol import Slider, ends, failed, find_slider, move, visit

WIDGET = "$$ID-32f5068d794749c711c4dd88a372d21a-rf_layers.live"
DATA = {"label": "3×3 convolutions", "min": 1, "max": 12, "step": 1, "value": 6, "sequence": 0, "window": 1}


def mounted(**more):
    answer = ForwardMsg()
    answer.delta.fragment_id = "a fragment"
    answer.delta.new_element.bidi_component.id = WIDGET
    answer.delta.new_element.bidi_component.json = json.dumps([DATA | more])
    return answer


def finished(status):
    return ForwardMsg(script_finished=status)


def test_a_slider_is_found_by_its_key_only():
    assert find_slider(mounted(), "rf_layers") == Slider(WIDGET, "a fragment", 1, 12, 1, 6, 0)
    assert find_slider(mounted(since="3-abc"), "rf_layers").since == "3-abc"
    assert find_slider(mounted(), "layers") is None
    assert find_slider(finished(ForwardMsg.FINISHED_SUCCESSFULLY), "rf_layers") is None


def test_a_visit_names_page_and_query():
    sent = BackMsg.FromString(visit("upsampling", "rf_layers=9")).rerun_script
    assert (sent.page_name, sent.query_string) == ("upsampling", "rf_layers=9")


def test_a_move_reruns_the_fragment_with_the_state_the_browser_would_send():
    slider = find_slider(mounted(), "rf_layers")
    sent = BackMsg.FromString(move(slider, 7, "upsampling", "")).rerun_script
    assert sent.fragment_id == "a fragment"
    [widget] = sent.widget_states.widgets
    assert widget.id == WIDGET
    assert json.loads(widget.json_value) == {"message": {"value": 7, "settled": True, "sequence": 1}}
    slider.since = "3-abc"  # she follows a class
    sent = BackMsg.FromString(move(slider, 8, "upsampling", "")).rerun_script
    assert json.loads(sent.widget_states.widgets[0].json_value)["message"]["since"] == "3-abc"
    assert (slider.value, slider.sequence) == (8, 2)


def test_the_next_stop_is_another_one_inside_the_range():
    slider = Slider(WIDGET, "", 0.0, 1.0, 0.25, 0.5)
    seen = {slider.elsewhere(random.Random(seed)) for seed in range(50)}
    assert seen == {0.0, 0.25, 0.75, 1.0}


def test_ends_and_failures():
    good, fragment = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
    early, broken = ForwardMsg.FINISHED_EARLY_FOR_RERUN, ForwardMsg.FINISHED_WITH_COMPILE_ERROR
    assert [ends(finished(status)) for status in (good, fragment, early, broken)] == [True, True, False, True]
    assert [failed(finished(status)) for status in (good, fragment, early, broken)] == [False, False, False, True]
    wrong = ForwardMsg()
    wrong.delta.new_element.exception.message = "boom"
    assert failed(wrong) and not ends(wrong)
