"""The style sheets: what makes a browser restyle a whole page at every change is not in them."""

import re
from pathlib import Path

import pytest

UI = Path(__file__).resolve().parents[2] / "ui"


@pytest.mark.parametrize("sheet", ["style.css", "lecture.css"])
def test_has_names_its_element_and_looks_along_a_path(sheet):
    rules = re.sub(r"/\*.*?\*/", "", (UI / sheet).read_text(), flags=re.DOTALL)
    found = re.findall(r"(.):has\((.)", " " + rules.replace("\n", " "))
    assert found
    # With no element before it, or no ">" in it, any change anywhere may concern every element.
    assert not [pair for pair in found if pair[0] in " >,{}" or pair[1] != ">"]
