"""A hand on all controls of a page."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest


def sliders(at: AppTest) -> dict[str, dict]:
    """The live sliders of a page over numbers, by key."""
    mounted = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
    numeric = [data for data in mounted if isinstance(data, dict) and "step" in data and not data.get("options")]
    return {data["key"].removesuffix(".live"): data for data in numeric if not data["disabled"]}


def moved(at: AppTest, part: int) -> AppTest:
    """The visit after every slider has gone this part of its way to the farther end, and every number by one."""
    for key, data in sliders(at).items():
        far = data["max"] if data["value"] - data["min"] <= data["max"] - data["value"] else data["min"]
        middle = data["value"] + round((far - data["value"]) / part / data["step"]) * data["step"]
        at.session_state[key] = type(data["value"])(middle)
    for number in at.number_input:
        number.set_value(number.value + 1 if number.value < number.max else number.value - 1)
    return at.run()
