"""Notebooks as files: what is written reads back as Python, and the file is one that Jupyter takes."""

import json

import numpy as np
import pytest

import scenes
from ui import notebook, pictures


@pytest.mark.parametrize(
    "value",
    [3, 0.5, "max unpooling", None, True, (1.0,), (1, 2), [0.25, "a"], np.float64(0.1), np.array([[1.0, -2.5]])],
)
def test_what_is_written_reads_back_the_same(value):
    np.testing.assert_equal(eval(notebook.written(value), {"np": np}), value)


def test_numpy_is_imported_where_an_array_is_a_parameter():
    names = {}
    exec(notebook.parameters(grid=np.array([[1.0, 2.0]]), factor=2).source, names)
    assert names["grid"].tolist() == [[1.0, 2.0]] and names["factor"] == 2
    assert "numpy" not in notebook.parameters(factor=2).source


def test_the_file_has_what_jupyter_asks_for():
    cells = [notebook.text("## One"), notebook.code("  print(1)\n  print(2)"), notebook.questions("Why?", "How?")]
    found = json.loads(notebook.file(cells, "Upsampling", "http://127.0.0.1/upsampling?up_factor=3"))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    assert [cell["cell_type"] for cell in found["cells"]] == ["markdown", "code", "markdown", "code", "markdown"]
    assert len({cell["id"] for cell in found["cells"]}) == 5
    assert all(set(cell) >= {"outputs", "execution_count"} for cell in found["cells"] if cell["cell_type"] == "code")
    assert "http://127.0.0.1/upsampling?up_factor=3" in found["cells"][0]["source"]
    assert found["cells"][3]["source"] == "print(1)\nprint(2)"


def test_a_scene_is_the_one_of_the_page_with_its_knobs():
    state = {"x_seed": 11, "x_objects": (1, 3), "x_classes": ["dog", "cat"], "x_fog": "Thick", "x_light": "Night"}
    names = {}
    exec(notebook.picture(state, "x", 7, 64).source, names)
    knobs = {"objects": (1, 3), "classes": ("cat", "dog"), "fog": 0.8, "light": 0.0, "occlusion": 0.35, "noise": None}
    assert (names["image"] == pictures.from_lab_world(11, 64, **knobs).image).all()
    exec(notebook.picture({}, "x", 7, 64).source, names)
    assert names["scene"] == scenes.sample(7)


@pytest.mark.parametrize("label", ["Cat", "Motorcycle", "Cameraman", "Temple", "Officer", "Printed page"])
def test_a_photograph_is_cut_as_on_the_page(label):
    names = {}
    exec(notebook.picture({"x_source": "Photograph", "x_photo": label}, "x", 7, 64).source, names)
    assert (names["image"] == pictures.photograph(label, 64).image).all()


def test_an_own_picture_stays_at_home():
    names = {}
    exec(notebook.picture({"x_source": "Upload"}, "x", 7, 64).source, names)
    assert names["mine"] is None and names["image"].shape == (64, 64, 3)
