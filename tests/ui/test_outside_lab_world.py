"""The sentence on photographs: there for every picture that Lab World did not draw, and for no other."""

import pytest
from streamlit.testing.v1 import AppTest


def shown(picture: str, networks: list[str], instead: str = "") -> list[str]:
    script = (
        "import numpy as np\n"
        "from ui import outside_lab_world, pictures\n"
        f"outside_lab_world.warn({picture}, {networks!r}, {instead!r})\n"
    )
    at = AppTest.from_string(script, default_timeout=60).run()
    assert not at.exception
    return [each.value for each in at.info]


@pytest.mark.parametrize("picture", ["pictures.photograph('Cat')", "pictures.Picture(np.zeros((9, 9, 3), 'u1'), 'x')"])
def test_a_picture_from_elsewhere_is_commented(picture):
    (said,) = shown(picture, ["detector"], "Choose another one.")
    assert said.startswith("The lab's network **detector** knows drawn Lab World scenes only: expect wrong answers")
    assert said.endswith("sure. Choose another one.")


def test_all_networks_that_have_never_seen_a_photograph_are_named():
    (said,) = shown("pictures.photograph('Cat')", ["yolo-cell", "yolo-anchor", "detector"])
    assert said.startswith("The lab's networks **yolo-cell, yolo-anchor and detector** know drawn")


def test_nothing_is_said_of_a_scene():
    assert shown("pictures.Picture(np.zeros((9, 9, 3), 'u1'), 'scene', scene=object())", ["detector"]) == []
