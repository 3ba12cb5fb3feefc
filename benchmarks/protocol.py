"""Streamlit's web socket protocol, as far as one visitor needs it: open a page, move a live slider, wait for the end.

A visitor sends a BackMsg with a ClientState; the server answers with ForwardMsg, the last of a run being
`script_finished`. A live slider appears as a `bidi_component` whose JSON has its range; what it sends is the JSON
state {"message": {"value", "settled", "sequence"}} under its widget id.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
GOOD = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class Slider:
    """A mounted live slider: its widget id, the fragment it reruns, its numbers, how often it was moved, and the number
    of the state that was put in place last, for who follows a class."""

    widget: str
    fragment: str
    low: float
    high: float
    step: float
    value: float
    sequence: int = 0
    since: str | None = None

    def elsewhere(self, choice: random.Random) -> float:
        """A stop that is not the present one."""
        count = round((self.high - self.low) / self.step)
        here = round((self.value - self.low) / self.step)
        there = choice.choice([n for n in range(count + 1) if n != here])
        return round(self.low + there * self.step, 10)


def find_slider(answer: ForwardMsg, key: str) -> Slider | None:
    """The live slider `key` if this message mounts it."""
    if answer.WhichOneof("type") != "delta" or answer.delta.new_element.WhichOneof("type") != "bidi_component":
        return None
    found = answer.delta.new_element.bidi_component
    if not found.id.endswith(f"-{key}.live"):
        return None
    data: dict[str, Any] = json.loads(found.json)[0]
    return Slider(found.id, answer.delta.fragment_id, data["min"], data["max"], data["step"], data["value"],
                  data["sequence"], data.get("since"))  # fmt: skip


def visit(page: str, query: str) -> bytes:
    """The message with which a browser opens a page."""
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.query_string = query
    return message.SerializeToString()


def move(slider: Slider, value: float, page: str, query: str) -> bytes:
    """The message of a hand that lets go of the slider at `value`; `slider` takes the value and counts on."""
    slider.value = value
    slider.sequence += 1
    message = BackMsg()
    state = message.rerun_script
    state.page_name = page
    state.query_string = query
    state.fragment_id = slider.fragment
    widget = state.widget_states.widgets.add()
    widget.id = slider.widget
    said = {"value": value, "settled": True, "sequence": slider.sequence}
    if slider.since is not None:
        said["since"] = slider.since
    widget.json_value = json.dumps({"message": said})
    return message.SerializeToString()


def failed(answer: ForwardMsg) -> bool:
    """True for an exception on the page and for a run that did not end well."""
    kind = answer.WhichOneof("type")
    if kind == "delta":
        return answer.delta.new_element.WhichOneof("type") == "exception"
    return kind == "script_finished" and answer.script_finished not in (*GOOD, EARLY)


def ends(answer: ForwardMsg) -> bool:
    """True for the end of a run, unless another one follows at once."""
    return answer.WhichOneof("type") == "script_finished" and answer.script_finished != EARLY
