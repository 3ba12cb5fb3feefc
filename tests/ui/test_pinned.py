"""The pin: where its button is, what it takes from the address and the browser, and whose files its copy shows."""

import gc
import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui import course, own_files
from ui.components import address
from ui.components.pin import LONGEST, legible

MAIN = Path(__file__).resolve().parents[2] / "ui" / "main.py"


def pins(at: AppTest) -> list[dict]:
    """What the bar says to the browser's pin."""
    assert not at.exception
    mounted = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
    return [data for data in mounted if isinstance(data, dict) and data.get("key") == "pin.live"]


def arrived(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=600).run()
    at.switch_page(f"../pages/{page}/page.py")
    at.query_params.update(query)
    return at.run()


def test_the_button_is_on_pages_with_a_network_and_on_no_other():
    lessons = {lesson.file: lesson for lesson in course.LESSONS}
    assert [file for file, lesson in lessons.items() if not lesson.asks_network] == ["lab_world"]
    assert lessons["lab_world"].asks_network is False
    assert not pins(arrived("lab_world", pin="-"))
    (told,) = pins(arrived("roi_pooling", pin="-=roi_level&roi_output=3"))
    assert told["pin"] == "-=roi_level&roi_output=3" and not told["copy"] and not told["student"] and told["shelf"]
    (told,) = pins(arrived("roi_pooling", pinned=told["shelf"]))
    assert told["copy"] and "shelf" not in told


@pytest.mark.parametrize(("text", "found"), [
    ("-", "-"), ("a=1&-=b", "a=1&-=b"), ("a=", "a="), ("", None), (None, None), (["a"], None), (3, None),
    ("&", None), ("a=" + "x" * (LONGEST - 2), "a=" + "x" * (LONGEST - 2)), ("a=" + "x" * (LONGEST - 1), None),
])  # fmt: skip
def test_only_what_says_a_difference_is_taken(text, found):
    assert legible(text) == found


def test_a_page_without_catalogue_asks_no_network(tmp_path):
    page = tmp_path / "pages" / "quiet"
    page.mkdir(parents=True)
    (page / "page.py").write_text("from pages.shared import truths\nfrom models.device import best_device\n")
    shared = tmp_path / "pages" / "shared"
    shared.mkdir()
    (shared / "truths.py").write_text("import torch\n")
    (shared / "detections.py").write_text("from models import catalog, choice\n")
    assert course._asks_network(page) is False
    loud = tmp_path / "pages" / "loud"
    loud.mkdir()
    (loud / "page.py").write_text("from pages.shared import detections, truths\n")
    assert course._asks_network(loud) is True


@dataclass
class File:
    """What an uploader gives, as far as a shelf looks."""

    name: str
    file_id: str = field(default_factory=lambda: str(uuid4()))


@pytest.fixture
def visitor(monkeypatch):
    """Function: from now on a visitor with this session and this address is served."""

    monkeypatch.setattr(address, "_put_right", address._mend_in_public)  # there is no run of Streamlit's here

    def serve(session: dict, query: dict) -> None:
        monkeypatch.setattr(st, "session_state", session)
        monkeypatch.setattr(st, "query_params", query)
        monkeypatch.setattr(st, "caption", lambda text: session.setdefault("said", []).append(text))

    return serve


def test_an_own_file_is_on_both_sides_and_with_nobody_else(visitor):
    owner, query, first, second = {}, {"pin": "-"}, File("first.png"), File("second.png")
    visitor(owner, query)
    assert own_files.chosen("p_upload", first) is first
    name = query["p_upload_file"]
    assert own_files.chosen("p_upload", None) is first  # where only the address knows of it
    assert own_files.chosen("p_upload", second) is second and query["p_upload_file"] != name
    secret = own_files.shelf().secret

    copy = {}
    visitor(copy, {"pinned": secret, "p_upload_file": name})
    assert own_files.chosen("p_upload", None) is first and "said" not in copy

    for link in ({"p_upload_file": name}, {"pinned": "x" * 22, "p_upload_file": name}):
        stranger = {}
        visitor(stranger, link)
        assert own_files.chosen("p_upload", None) is None and "choose it again" in stranger["said"][0]
        assert "p_upload_file" not in link

    visitor(owner, query)
    own_files.cleared("p_upload")  # the session has no file under this key any more
    assert own_files.chosen("p_upload", None) is None and "p_upload_file" not in query and "said" not in owner
    shelves = len(own_files._shelves)
    owner.clear(), copy.clear(), stranger.clear()
    gc.collect()
    assert secret not in own_files._shelves and len(own_files._shelves) < shelves


def test_without_a_pin_a_shelf_holds_one_file_of_a_control(visitor):
    session, files = {}, [File(str(number)) for number in range(3)]
    visitor(session, {})
    for file in files:
        own_files.chosen("p_upload", file)
    assert list(own_files.shelf().files["p_upload"].values()) == files[-1:]
