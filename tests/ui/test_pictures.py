"""The shared picture source, run by Streamlit's own test runner with the real Lab World."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data
from streamlit.testing.v1 import AppTest

import scenes
from ui import pictures
from ui.decoding import square


def script():
    import streamlit as st

    from ui import pictures

    st.session_state.picture = pictures.choose("p", size=64)


def start(**query) -> AppTest:
    test = AppTest.from_function(script, default_timeout=30)
    for name, value in query.items():
        test.query_params[name] = value
    return run(test)


def run(changed) -> AppTest:
    """Rerun after a change (the whole test or one widget of it)."""
    test = changed.run()
    assert not test.exception and not test.warning
    return test


def scene(seed: int, **knobs) -> np.ndarray:
    return scenes.render(scenes.sample(seed, scenes.Knobs(**knobs)), size=64).image


def test_starts_with_a_lab_world_scene_and_its_truth():
    picture = start().session_state.picture
    assert picture.name == "Lab World scene 7" and picture.image.shape == (64, 64, 3)
    np.testing.assert_array_equal(picture.image, scene(7))
    assert picture.view.semantic.shape == (64, 64) and picture.scene is picture.view.scene


def test_seed_and_next_scene():
    test = start()
    run(test.number_input(key="p_seed").set_value(41))
    np.testing.assert_array_equal(test.session_state.picture.image, scene(41))
    run(test.button(key="p_next").click())
    assert test.session_state.picture.name == "Lab World scene 42"
    assert test.number_input(key="p_seed").value == 42
    run(test.number_input(key="p_seed").set_value(999_999))
    run(test.button(key="p_next").click())
    assert test.session_state.picture.name == "Lab World scene 0"


def test_knobs_change_the_scene():
    test = start()
    run(test.slider(key="p_objects").set_range(1, 1))
    run(test.get_by_key("p_classes").set_value(["duck"]))
    run(test.slider(key="p_occlusion").set_value(0.0))
    run(test.get_by_key("p_light").set_value("Night"))
    run(test.get_by_key("p_fog").set_value("Thick"))
    run(test.get_by_key("p_noise").set_value("Strong"))
    expected = scene(7, objects=(1, 1), classes=("duck",), occlusion=0.0, light=0.0, fog=0.8, noise=0.7)
    np.testing.assert_array_equal(test.session_state.picture.image, expected)
    assert {thing.label for thing in test.session_state.picture.view.instances} <= {"duck"}


@pytest.mark.parametrize(
    ("label", "name"), [("Cat", "chelsea"), ("Astronaut", "astronaut"), ("Coffee", "coffee"), ("Rocket", "rocket")]
)
def test_photographs(label, name):
    test = start(p_source="Photograph", p_photo=label)
    picture = test.session_state.picture
    np.testing.assert_array_equal(picture.image, square(getattr(data, name)(), 64))
    assert picture.name == label and picture.scene is None and picture.view is None
    (said,) = [each.value for each in test.caption]
    assert said == f"{pictures.PHOTOGRAPHS[label].line} {pictures.PHOTOGRAPHS[label].source}"


def test_the_motorcycle_is_the_left_of_its_stereo_pair():
    picture = start(p_source="Photograph", p_photo="Motorcycle").session_state.picture
    np.testing.assert_array_equal(picture.image, square(data.stereo_motorcycle()[0], 64))


def test_what_is_marked_comes_along_in_pixels_of_the_square():
    """The astronaut is a square already, of 512 pixels."""
    shuttle, helmet = pictures.photograph("Astronaut", 256).things
    assert shuttle.names == ("space shuttle",) and shuttle.box == (177, 0, 236, 145)
    assert helmet.box == (138.5, 171.5, 256, 256)
    assert not pictures.photograph("Moon").things and not pictures.from_lab_world(7).things


def test_the_choice_is_in_the_address_and_survives_a_visit_elsewhere():
    test = start(p_seed="99")
    assert test.session_state.picture.name == "Lab World scene 99"
    run(test.get_by_key("p_source").set_value("Photograph"))
    run(test.get_by_key("p_source").set_value("Lab World"))
    assert test.session_state.picture.name == "Lab World scene 99"


def png(colour) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(out, "PNG")
    return out.getvalue()


def test_upload_is_shown_refused_and_replaced_in_one_session():
    test = start(p_source="Upload")
    assert test.caption[0].value == "No picture yet, so this is Lab World scene 7."
    np.testing.assert_array_equal(test.session_state.picture.image, scene(7))

    run(test.file_uploader[0].upload("mine.png", png((1, 2, 3))))
    assert test.session_state.picture.name == "mine.png" and not test.caption
    np.testing.assert_array_equal(test.session_state.picture.image, np.full((64, 64, 3), (1, 2, 3)))

    run(test.file_uploader[0].upload("letter.png", b"Dear lab"))
    assert [each.value for each in test.error] == [
        "“letter.png” is not a picture this lab can read: choose a PNG, JPEG, WebP, GIF, TIFF, or BMP file."
    ]
    np.testing.assert_array_equal(test.session_state.picture.image, scene(7))

    run(test.file_uploader[0].upload("next.png", png((9, 8, 7))))
    assert not test.error and test.session_state.picture.image[0, 0].tolist() == [9, 8, 7]


def test_notes_on_a_file_are_said():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    test = start(p_source="Upload")
    run(test.file_uploader[0].upload("dance.gif", out.getvalue()))
    assert test.caption[0].value == "The file is animated: this is the first frame."


def test_camera():
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 100, 50)).save(out, "JPEG", quality=95)
    test = start(p_source="Camera")
    run(test.camera_input[0].upload("snap.jpg", out.getvalue()))
    picture = test.session_state.picture
    assert picture.name == "Camera" and np.abs(picture.image.astype(int) - [200, 100, 50]).max() <= 3


def test_without_the_door_it_says_how_to_start(monkeypatch):
    from ui import lab_world

    monkeypatch.setattr(lab_world, "_load", None)
    with pytest.raises(RuntimeError, match=r"Start the lab through app\.py"):
        lab_world.scenes()


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("http://localhost:8501/anchors", True), ("http://127.0.0.1:8501", True), ("http://[::1]:8501/", True),
        ("https://lab.example/anchors", True), ("http://192.168.1.7:8501/", False), ("http://lab.example", False),
        ("http://notlocalhost/", False), (None, True),
    ],
)  # fmt: skip
def test_a_browser_lends_its_camera_only_to_https_and_localhost(url, secure):
    assert pictures._secure(url) == secure
