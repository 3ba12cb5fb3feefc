"""Home: the live scene and the map of the course."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import scenes
from ui.course import ready

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home():
    test = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    assert not test.exception and not test.error
    return test


def test_map_links_to_every_lesson_with_its_question(home):
    lessons = [lesson for lesson in ready() if lesson.path]
    assert [link.value for link in home.page_link][1:] == [f"**{lesson.title}**" for lesson in lessons]
    assert [caption.value for caption in home.caption] == [lesson.question for lesson in lessons]


def shown(test) -> dict:
    """What the stage was given: boxes with their labels, and the words for a screen reader."""
    import json

    return json.loads(test.get("bidi_component")[0].proto.json)


def test_scene_shows_its_truth_in_words_and_next_scene_changes_it(home):
    for seed in (3, 4):
        captions = [thing.caption for thing in scenes.render(scenes.sample(seed, scenes.Knobs()), 448).instances]
        assert captions and shown(home)["alt"] == "; ".join(captions)
        home.button[0].click().run()
        assert not home.exception and not home.error


def test_layers(home):
    layers = {}
    for look in ("Picture", "Every pixel", "Who is who"):
        home.get_by_key("home_look").set_value(look).run()
        assert not home.exception and not home.error
        layers[look] = str(shown(home))
    assert len(set(layers.values())) == 3
    things = scenes.render(scenes.sample(3, scenes.Knobs()), 448).instances
    for thing in things:
        assert str(round(float(np.round(thing.box[0])))) in layers["Who is who"]
        assert thing.caption in layers["Who is who"]
