"""Lab World's page: every knob and layer, the table, the COCO JSON."""

import json

import numpy as np
import pytest

import scenes
from scenes import Knobs
from scenes.render import FIRST_THING
from ui import components

PAGE = "lab_world"
AS_OPENED = {"objects": 5, "occlusion": 0.35, "light": 1.0, "fog": 0.0, "noise": 0.1}


def truth(seed=7, size=224, **knobs):
    return scenes.render(scenes.sample(seed, Knobs(**AS_OPENED | knobs)), size)


def test_it_opens_with_a_scene_and_its_table(visit, sound, drawn):
    at = sound(visit(PAGE))
    view = truth()
    assert (drawn.pictures["world"] == view.image).all()
    assert list(at.dataframe[0].value["caption"]) == [i.caption for i in view.instances]


@pytest.mark.parametrize(
    "key, value",
    [("objects", 9), ("objects", 0), ("occlusion", 1.0), ("light", 0.0), ("fog", 1.0), ("noise", 1.0)],
)
def test_every_knob_changes_the_picture_into_what_scenes_render(visit, sound, drawn, key, value):
    sound(visit(PAGE, **{key: value}))
    assert (drawn.pictures["world"] == truth(**{key: value}).image).all()
    assert (drawn.pictures["world"] != truth().image).any()


def test_seed_and_next_scene(visit, sound, drawn):
    at = sound(visit(PAGE))
    at.number_input(key="seed").set_value(12).run()
    assert (drawn.pictures["world"] == truth(12).image).all()
    next(button for button in at.button if button.label == "Next scene").click().run()
    assert (drawn.pictures["world"] == truth(13).image).all()
    assert at.number_input(key="seed").value == 13


def test_a_link_restores_seed_and_size(visit, sound, drawn):
    sound(visit(PAGE, {"seed": "31", "size": "448"}))
    assert drawn.pictures["world"].shape == (448, 448, 3) and (drawn.pictures["world"] == truth(31, 448).image).all()


def test_classes_are_kept_to_those_chosen(visit, sound):
    at = sound(visit(PAGE, classes=["cat", "duck"]))
    assert set(at.dataframe[0].value["class"]) <= {"cat", "duck"}


def test_no_class_and_no_object_are_said_in_words(visit, sound, drawn):
    for at in (sound(visit(PAGE, classes=[])), sound(visit(PAGE, objects=0))):
        assert "No thing is in this scene" in at.info[0].value
        assert drawn.layers["world"] == []


@pytest.fixture
def layers_for(visit, sound, drawn):
    """Function: what is drawn on the scene when these layers are chosen."""

    def chosen(*names):
        sound(visit(PAGE, layers=list(names)))
        return drawn.layers["world"]

    return chosen


def test_boxes_and_full_extents_are_the_truth(layers_for):
    view = truth()
    (layer,) = layers_for("Boxes", "Full extent")
    boxes = {box.id: box for box in layer.boxes}
    for i in view.instances:
        assert boxes[f"box-{i.id}"].xyxy == tuple(i.box) and boxes[f"box-{i.id}"].label == i.label
        assert boxes[f"full-{i.id}"].xyxy == tuple(i.full_box) and boxes[f"full-{i.id}"].dash


def test_captions_label_the_boxes(layers_for):
    (layer,) = layers_for("Captions")
    assert [box.label for box in layer.boxes] == [i.caption for i in truth().instances]


@pytest.mark.parametrize("name, field", [("Semantic", "semantic"), ("Panoptic", "panoptic"), ("Masks", "panoptic")])
def test_maps_are_the_truth_and_every_value_has_its_colour(layers_for, name, field):
    (layer,) = layers_for(name)
    values = getattr(truth(), field)
    assert (layer.values == values).all()
    for value in np.unique(values):
        hidden = name == "Masks" and value < FIRST_THING
        assert (layer.palette[value] is None) == hidden


def test_panoptic_colours_tell_neighbours_apart(layers_for):
    (layer,) = layers_for("Panoptic")
    used = [layer.palette[value] for value in np.unique(truth().panoptic)]
    assert len(set(used)) == len(used)


def test_keypoints_are_drawn_for_persons_only(visit, sound, drawn):
    seed = next(s for s in range(200) if any(i.keypoints is not None for i in truth(s).instances))
    sound(visit(PAGE, {"seed": str(seed)}, layers=["Keypoints"]))
    persons = [i for i in truth(seed).instances if i.keypoints is not None]
    shown = sum(len(layer.xy) for layer in drawn.every("world", components.Points))
    assert shown == sum(int((i.keypoints[:, 2] > 0).sum()) for i in persons) > 0


def test_the_json_is_coco(visit, sound):
    at = sound(visit(PAGE))
    dictionary = json.loads(at.json[0].value)
    assert len(dictionary["annotations"]) == len(truth().instances)
    assert at.get("download_button")


def test_quizzes_answer_from_the_scene(visit, sound):
    at = sound(visit(PAGE))
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
