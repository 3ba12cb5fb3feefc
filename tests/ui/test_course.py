"""The course and the folder of pages say the same."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from ui import course
from ui.course import LESSONS, question, ready

ROOT = Path(__file__).resolve().parents[2]


def test_every_page_is_in_the_course_and_every_lesson_has_a_page():
    folders = {path.parent.name for path in (ROOT / "pages").glob("*/page.py")}
    assert {lesson.file for lesson in LESSONS} == folders


def test_titles_addresses_and_questions_are_distinct():
    for field in ("title", "path", "question"):
        assert len({getattr(lesson, field) for lesson in LESSONS}) == len(LESSONS)
    assert question("Upsampling") == "How does a network get its resolution back?" and question("Nothing") == ""


def test_a_lesson_waits_for_its_network(monkeypatch, tmp_path):
    monkeypatch.setattr(course, "WEIGHTS", tmp_path)
    waiting = [lesson for lesson in LESSONS if lesson.network]
    assert [lesson for lesson in LESSONS if lesson not in ready()] == waiting
    for lesson in waiting:
        (tmp_path / f"{lesson.network}.json").write_text("{}")
    assert ready() == list(LESSONS)


def test_every_lesson_has_a_goal_its_minutes_and_a_wrong_answer_to_expect():
    for lesson in LESSONS:
        assert len(lesson.goal.split()) >= 8 and lesson.goal.endswith("."), lesson.file
        assert 5 <= lesson.minutes <= 45, lesson.file
        _, right = re.fullmatch(r"“([^”]+)” (.+)", lesson.expect).groups()  # what they say, then what is right
        assert len(right.split()) >= 6 and right.endswith("."), lesson.file
    assert len({lesson.goal for lesson in LESSONS}) == len({lesson.expect for lesson in LESSONS}) == len(LESSONS)


def test_nothing_is_used_before_it_is_taught():
    order = [lesson.file for lesson in LESSONS]
    for first, then in (("iou_nms_precision_recall", "anchors"), ("iou_nms_precision_recall", "yolo_grid"),
                        ("anchors", "roi_pooling"), ("upsampling", "transposed_convolution")):  # fmt: skip
        assert order.index(first) < order.index(then)


def test_the_demonstration_and_the_words_lead_to_lessons():
    files = {lesson.file for lesson in LESSONS}
    assert {file for file, _ in course.DEMO} <= files and len(course.DEMO) >= 3
    assert {file for _, file in course.TERMS.values()} <= files
    assert all(sentence.endswith(".") for sentence, _ in course.TERMS.values())


@pytest.mark.parametrize(("query", "there"), [({}, False), ({"notes": "1"}, True), ({"notes": "yes"}, False),
                                              ({"notes": "1", "lecture": "1"}, True)])  # fmt: skip
def test_notes_stand_under_the_heading_for_whoever_asks(query, there):
    at = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120).run()
    at.switch_page("../pages/lab_world/page.py").run()
    at.query_params.update(query)
    at.run()
    assert not at.exception
    lesson = next(each for each in LESSONS if each.file == "lab_world")
    said = [each.value for each in at.markdown if lesson.goal in each.value]
    assert len(said) == there
    if there:
        assert f"about {lesson.minutes} minutes" in said[0] and lesson.expect in said[0]
        texts = [each.value for each in at.markdown]
        assert texts.index(said[0]) == texts.index(lesson.question) + 1
    carried = [parse_qs(node.proto.query_string) for node in at.get("page_link")]
    kept = {name: ["1"] for name, value in query.items() if value == "1"}
    assert carried and all(each == kept for each in carried)
    mounted = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
    assert [parse_qs(data["carried"]) for data in mounted if "carried" in data] == [kept]


NETWORKS = ("Fast R-CNN", "Faster R-CNN", "Mask R-CNN", "R-FCN", "RetinaNet", "SSD", "YOLO", "DETR", "U-Net", "SegNet")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.file)
def test_a_page_speaks_of_every_network_that_the_map_promises(lesson):
    """In its own text; its list of sources does not count."""
    texts = [file.read_text().partition("page.sources(")[0] for file in lesson.script.parent.glob("*.py")]
    promised = [name for name in NETWORKS if name in lesson.topics.replace("Fast and Faster", "Fast R-CNN, Faster")]
    assert not [name for name in promised if name not in "".join(texts)]
