"""The course and the folder of pages say the same."""

from pathlib import Path

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


@pytest.mark.parametrize("lesson", LESSONS[1:], ids=lambda each: each.file)
def test_page_alone_shows_the_title_and_question_of_the_course(lesson):
    """The navigation paints the heading from the course before the page runs: both must say the same."""
    test = AppTest.from_file(str(lesson.script), default_timeout=120).run()
    assert not test.exception
    assert [each.value for each in test.title] == [lesson.title]
    assert test.markdown[0].value == lesson.question


@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_navigation_runs_every_page_with_one_heading(lesson):
    test = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120).run()
    test.switch_page(f"../pages/{lesson.file}/page.py").run()
    assert not test.exception
    assert [each.value for each in test.error] == []
    assert [each.value for each in test.title] == [lesson.title]


NETWORKS = ("Fast R-CNN", "Faster R-CNN", "Mask R-CNN", "R-FCN", "RetinaNet", "SSD", "YOLO", "DETR", "U-Net", "SegNet")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.file)
def test_a_page_speaks_of_every_network_that_the_map_promises(lesson):
    """In its own text; its list of sources does not count."""
    texts = [file.read_text().partition("page.sources(")[0] for file in lesson.script.parent.glob("*.py")]
    promised = [name for name in NETWORKS if name in lesson.topics.replace("Fast and Faster", "Fast R-CNN, Faster")]
    assert not [name for name in promised if name not in "".join(texts)]
