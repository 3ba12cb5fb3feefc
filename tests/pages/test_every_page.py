"""What every lesson owes a student: questions about what is on the screen, the code, the sources, who ran where.

Home asks nothing and has no sources: it is the map, and its numbers lead to the pages that explain them.
"""

import ast
import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.moving import moved, sliders
from tests.pages.timed import timeless
from ui import outside_lab_world, pictures
from ui.course import TERMS, Lesson, ready
from ui.predict import Prediction

AS_IT_IS = True  # no network is replaced
ROOT = Path(__file__).resolve().parents[2]
LESSONS = [lesson for lesson in ready() if lesson.path]
# What a slide of the lectures gets wrong, and the page that says so: a part of its correction.
ERRATA = {
    "upsampling": ["four per axis", "several windows"],
    "transposed_convolution": ["not $X^{-1}$", "then convolve with the flipped filter"],
    "sliding_window": ["57,768,120,000", "50 × 50 = 2500"],
    "anchors": ["after non-maximum suppression"],
    "iou_nms_precision_recall": ["each truth counts once", "not read off the raw precision-recall curve"],
    "yolo_grid": ["Every box of every cell has a confidence loss"],
    "ssd": ["**several grids**", "**no confidence number**"],
    "class_activation": ["It is the **linear layer**"],
    "roi_pooling": ["aligned=True"],
    "position_sensitive": ["R-FCN has two stages"],
    "mask_rcnn": ["one mask for every class", "a threshold then makes it binary", "runs on the detections that the"],
    "rcnn_family": ["once for all regions", "no exact place on the map", "In the paper's step 1 the backbone learns"],
    "saliency": ["**not a contribution**", "**barely depends on the class**"],
    "focal_loss": ["RetinaNet gives **C·K** class maps"],
    "feature_space": ["**2,048** means", "**4,096** hidden units"],
}
# What a page says of a word that another page explains, at its first use, in one line.
REMINDED = {
    "localization": ("IoU",),
    "sliding_window": ("NMS", "IoU", "AP"), "anchors": ("IoU", "NMS"), "roi_pooling": ("Feature pyramid", "AP"),
    "position_sensitive": ("IoU", "AP"), "yolo_grid": ("Anchor", "NMS"), "ssd": ("IoU", "Anchor", "NMS"),
    "mask_rcnn": ("IoU", "RoI Pool", "Pose regression"),
    "semantic_segmentation": ("Sliding window",),
    "focal_loss": ("Anchor", "IoU", "AP", "NMS", "Feature pyramid"),
    "rcnn_family": ("NMS", "IoU"),
}  # fmt: skip
KNOWS_PHOTOGRAPHS = {"saliency", "selective_search"}  # they go to a network trained on photographs, or to none
FOOTER = re.compile(r".+ · (cpu|cuda|mps)\b.* · [\d.,]+ ms")
IN_TIME = re.compile("keeps up|falls behind, and the film waits")  # so a clock says of a network and its film
visited: dict[str, tuple[AppTest, dict]] = {}


@pytest.fixture
def asked(monkeypatch) -> dict[str, tuple]:
    """The questions of the last run: question, options and answer by key."""
    found = {}
    outcome = Prediction.outcome

    def watch(self, answer, explain=""):
        if self.kind.open:
            found[self.key] = (self.question, repr(self.kind), str(answer))
        return outcome(self, answer, explain)

    monkeypatch.setattr(Prediction, "outcome", watch)
    return found


@pytest.fixture
def first(visit, asked) -> Callable[[Lesson], tuple[AppTest, dict]]:
    """Function: a fresh visit to a lesson and its questions, once for all tests."""

    def opened(lesson: Lesson) -> tuple[AppTest, dict]:
        if lesson.path not in visited:
            visited[lesson.path] = visit(lesson.file), dict(asked)
        return visited[lesson.path]

    return opened


def runs_networks(lesson: Lesson) -> bool:
    """True if the page or one of its sections imports a model."""
    nodes = [node for file in lesson.script.parent.glob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    return any(isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "models" for node in nodes)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.file)
def test_a_fresh_visit_is_complete(first, sound, lesson: Lesson, prose):
    """Also with the title and the question of the course: the navigation paints them before the page runs."""
    at, questions = first(lesson)
    sound(at)
    assert [each.value for each in at.title] == [lesson.title]
    assert at.markdown[0].value == lesson.question
    assert len(questions) >= 2
    assert any(each.label.startswith("Show the code") for each in at.expander)
    assert at.header[-1].value == "Sources" and "paper" in at.markdown[-1].value + prose(at)
    if runs_networks(lesson):
        assert any(FOOTER.fullmatch(each.value) for each in at.caption), [each.value for each in at.caption]


@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_navigation_runs_every_page_with_one_heading(sound, lesson: Lesson):
    at = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=600).run()
    sound(at.switch_page(f"../pages/{lesson.file}/page.py").run())
    assert [each.value for each in at.title] == [lesson.title]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.file)
def test_wrong_slides_are_named(first, lesson: Lesson, prose):
    at, _ = first(lesson)
    said = prose(at)
    assert ("ERRATUM" in said) == (lesson.file in ERRATA)
    assert [part for part in ERRATA.get(lesson.file, []) if part not in said] == []


@pytest.mark.parametrize("file", REMINDED)
def test_words_of_other_pages_are_called_to_mind_once_with_a_link(first, file):
    at, _ = first(next(lesson for lesson in LESSONS if lesson.file == file))
    lines = [each.value for each in at.markdown]
    for term in REMINDED[file]:
        said = [line for line in lines if line.startswith(":small[") and f"**{term}**: {TERMS[term][0]}" in line]
        assert len(said) == 1 and f"]({TERMS[term][1]})" in said[0], term


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.file)
def test_questions_come_from_the_state_of_the_controls_and_another_sees_the_same(
    first, visit, sound, lesson: Lesson, asked, said
):
    at, before = first(lesson)
    asked.clear()
    sound(moved(at, part=5))
    assert [key for key in before if key in asked and asked[key] != before[key]], "no question follows a control"
    other = sound(visit(lesson.file, at.query_params))
    values = [{key: data["value"] for key, data in sliders(each).items()} for each in (at, other)]
    assert values[0] and values[1] == values[0]
    assert [each.value for each in other.number_input] == [each.value for each in at.number_input]
    lines = [IN_TIME.sub("", timeless(said(each))).splitlines() for each in (at, other)]
    assert lines[1] == lines[0]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda each: each.file)
def test_a_photograph_brings_one_sentence_and_no_word_of_a_truth(visit, sound, first, drawn, lesson: Lesson):
    at, _ = first(lesson)
    sources = [control.key for control in at.segmented_control if control.key.endswith("_source")]
    if not sources:
        pytest.skip("this page shows Lab World and numbers only")
    at = sound(visit(lesson.file, **dict.fromkeys(sources, "Photograph")))
    warned = [each for each in at.info if outside_lab_world.SENTENCE in each.value]
    assert len(warned) == (0 if lesson.file in KNOWS_PHOTOGRAPHS else len(sources))
    # The pictures of such a picture source carry no caption that promises a colour for the truth.
    cat = functools.cache(lambda size: pictures.photograph("Cat", size).image)
    captions = [
        drawn.options[key].get("caption", "")
        for key, picture in drawn.pictures.items()
        if picture is not None and picture.ndim == 3 and np.array_equal(picture, cat(len(picture)))
    ]
    assert captions and not [each for each in captions if "truth" in each.lower()]
