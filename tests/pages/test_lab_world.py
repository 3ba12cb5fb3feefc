"""Lab World's page: every knob and layer, the table, the COCO JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import scenes
from scenes import Knobs
from scenes.render import FIRST_THING
from ui import components

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "lab_world.py")
AS_OPENED = {"objects": 5, "occlusion": 0.35, "light": 1.0, "fog": 0.0, "noise": 0.1}


@pytest.fixture
def drawn(monkeypatch):
    """What the page last drew on its stage: (picture, layers, options)."""
    found = []
    show = components.Stage.show

    def watch(self, picture=None, layers=(), **options):
        found[:] = [picture, list(layers), options]
        return show(self, picture, layers, **options)

    monkeypatch.setattr(components.Stage, "show", watch)
    return found


def visit(query: dict | None = None, **state) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=120)
    for key, value in (query or {}).items():
        at.query_params[key] = value
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception and not at.error
    return at


def truth(seed=7, size=224, **knobs):
    return scenes.render(scenes.sample(seed, Knobs(**AS_OPENED | knobs)), size)


def test_it_opens_with_a_scene_and_its_table(drawn):
    at = visit()
    view = truth()
    assert (drawn[0] == view.image).all()
    assert list(at.dataframe[0].value["caption"]) == [i.caption for i in view.instances]


@pytest.mark.parametrize(
    "key, value",
    [("objects", 9), ("objects", 0), ("occlusion", 1.0), ("light", 0.0), ("fog", 1.0), ("noise", 1.0)],
)
def test_every_knob_changes_the_picture_into_what_scenes_render(drawn, key, value):
    visit(**{key: value})
    assert (drawn[0] == truth(**{key: value}).image).all()
    assert (drawn[0] != truth().image).any()


def test_seed_and_next_scene(drawn):
    at = visit()
    at.number_input(key="seed").set_value(12).run()
    assert (drawn[0] == truth(12).image).all()
    next(button for button in at.button if button.label == "Next scene").click().run()
    assert (drawn[0] == truth(13).image).all()
    assert at.number_input(key="seed").value == 13


def test_a_link_restores_seed_and_size(drawn):
    visit({"seed": "31", "size": "448"})
    assert drawn[0].shape == (448, 448, 3) and (drawn[0] == truth(31, 448).image).all()


def test_classes_are_kept_to_those_chosen(drawn):
    at = visit(classes=["cat", "duck"])
    assert set(at.dataframe[0].value["class"]) <= {"cat", "duck"}


def test_no_class_and_no_object_are_said_in_words(drawn):
    for at in (visit(classes=[]), visit(objects=0)):
        assert "No thing is in this scene" in at.info[0].value
        assert drawn[1] == []


def layers_for(drawn, *names):
    visit(layers=list(names))
    return drawn[1]


def test_boxes_and_full_extents_are_the_truth(drawn):
    view = truth()
    (layer,) = layers_for(drawn, "Boxes", "Full extent")
    boxes = {box.id: box for box in layer.boxes}
    for i in view.instances:
        assert boxes[f"box-{i.id}"].xyxy == tuple(i.box) and boxes[f"box-{i.id}"].label == i.label
        assert boxes[f"full-{i.id}"].xyxy == tuple(i.full_box) and boxes[f"full-{i.id}"].dash


def test_captions_label_the_boxes(drawn):
    (layer,) = layers_for(drawn, "Captions")
    assert [box.label for box in layer.boxes] == [i.caption for i in truth().instances]


@pytest.mark.parametrize("name, field", [("Semantic", "semantic"), ("Panoptic", "panoptic"), ("Masks", "panoptic")])
def test_maps_are_the_truth_and_every_value_has_its_colour(drawn, name, field):
    (layer,) = layers_for(drawn, name)
    values = getattr(truth(), field)
    assert (layer.values == values).all()
    for value in np.unique(values):
        hidden = name == "Masks" and value < FIRST_THING
        assert (layer.palette[value] is None) == hidden


def test_panoptic_colours_tell_neighbours_apart(drawn):
    (layer,) = layers_for(drawn, "Panoptic")
    used = [layer.palette[value] for value in np.unique(truth().panoptic)]
    assert len(set(used)) == len(used)


def test_keypoints_are_drawn_for_persons_only(drawn):
    seed = next(s for s in range(200) if any(i.keypoints is not None for i in truth(s).instances))
    visit({"seed": str(seed)}, layers=["Keypoints"])
    persons = [i for i in truth(seed).instances if i.keypoints is not None]
    shown = sum(len(layer.xy) for layer in drawn[1] if isinstance(layer, components.Points))
    assert shown == sum(int((i.keypoints[:, 2] > 0).sum()) for i in persons) > 0


def test_the_json_is_coco(drawn):
    at = visit()
    dictionary = json.loads(at.json[0].value)
    assert len(dictionary["annotations"]) == len(truth().instances)
    assert at.get("download_button")


def test_quizzes_answer_from_the_scene(drawn):
    at = visit()
    view = truth()
    shares = np.bincount(view.semantic.ravel(), minlength=13)
    at.radio(key="quiz_largest").set_value(scenes.CLASSES[int(shares.argmax())]).run()
    at.button(key="quiz_largest_check").click().run()
    assert any("Yes" in each.value for each in at.success)
    hidden = sum(i.visible < 0.98 for i in view.instances)
    wrong = next(option for option in at.radio(key="quiz_hidden").options if option != str(hidden))
    at.radio(key="quiz_hidden").set_value(wrong).run()
    at.button(key="quiz_hidden_check").click().run()
    assert any(f"it is {hidden}" in each.value for each in at.warning)
