"""The Python side of the player: what the browser is given and says, and the route that brings frames in bounds."""

import asyncio
import json
import struct
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from ui.components import Mark, Marked, Reel
from ui.components.player import _frame, _line, _speed, reels
from ui.components.player.reels import CHUNK, Encoded, Held

FRAMES = CHUNK + 3


def script():
    import numpy as np
    import streamlit as st

    from ui.components import Reel, player, words

    view = player("film", **st.session_state.get("options", {}))
    view.show(Reel("grey", 11, 25, (4, 2), lambda at: np.zeros((2, 4, 3), np.uint8)), alt="Grey")
    words(f"{view.frame} {view.speed} {view.line}", "said")


def opened(query=None, **state) -> AppTest:
    at = AppTest.from_function(script, default_timeout=60)
    at.query_params.update(query or {})
    for name, value in state.items():
        at.session_state[name] = value
    return at.run()


def mounted(at: AppTest) -> list[dict]:
    assert not at.exception
    return [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]


def picture(at: int) -> np.ndarray:
    return np.full((2, 4, 3), 20 * at, np.uint8)


def reel(**more) -> Reel:
    return Reel(more.pop("name", "grey"), FRAMES, 25, (4, 2), picture, **more)


def held(shown: Reel) -> Held:
    found = Held(shown)
    reels._held[found.token] = found
    return found


def asked(token: str, what: str, first: int, name: str):
    scope = {
        "type": "http", "method": "GET", "path": "/", "headers": [], "query_string": f"name={name}".encode(),
        "path_params": {"token": token, "what": what, "first": first},
    }  # fmt: skip
    with ThreadPoolExecutor(1) as thread:  # this one may have the loop of a browser
        return thread.submit(asyncio.run, reels._serve(Request(scope))).result()


def unpacked(body: bytes) -> list[np.ndarray]:
    pictures = []
    while body:
        (length,) = struct.unpack("<I", body[:4])
        pictures.append(cv2.imdecode(np.frombuffer(body[4 : 4 + length], np.uint8), cv2.IMREAD_COLOR))
        body = body[4 + length :]
    return pictures


def test_the_browser_gets_the_reel_and_a_link_is_restored():
    film, said = mounted(opened())
    assert film["reel"]["frames"] == 11 and film["reel"]["size"] == [4, 2] and film["reel"]["marked"] == ""
    assert (film["frame"], film["speed"], film["line"], said["text"]) == (0, 1.0, None, "0 1.0 None")
    line = {"options": {"line": (0, 0, 4, 2), "start": 2}}
    query = {"film_frame": "7", "film_speed": "0.5", "film_line": "1,2,3.5,0"}
    at = opened(query, **line)
    assert mounted(at)[1]["text"] == "7 0.5 (1.0, 2.0, 3.5, 0.0)"
    assert {name: at.query_params[name] for name in query} == query
    assert mounted(opened(**line))[1]["text"] == "2 1.0 (0.0, 0.0, 4.0, 2.0)"
    assert mounted(opened({"film_frame": "99"}))[0]["frame"] == 10, "no further than the last frame"


@pytest.mark.parametrize(
    "query", [{"film_frame": "-1"}, {"film_frame": "2.5"}, {"film_frame": "nan"}, {"film_speed": "3"},
              {"film_line": "1,2,1,2"}, {"film_line": "1,2,3"}, {"film_line": "1,2,3,inf"}, {"film_line": "9e5,0,1,1"}],
)  # fmt: skip
def test_an_address_that_means_nothing_is_put_right(query):
    at = opened(query, options={"line": (0, 0, 4, 2)})
    assert mounted(at)[1]["text"] == "0 1.0 (0.0, 0.0, 4.0, 2.0)"
    assert not set(query) & set(at.query_params)


@pytest.mark.parametrize("told", [None, True, "3", -1, 1.5, 10**400, float("nan"), [3]])
def test_no_other_frame(told):
    assert _frame(told) is None


@pytest.mark.parametrize("told", [None, [1, 2, 3], [1, 2, 3, "4"], [1, 2, 3, 1e9], [5, 5, 5, 5], [1, 2, 3, True]])
def test_no_other_line(told):
    assert _line(told) is None


def test_frames_speeds_and_lines():
    assert (_frame(0), _frame(7.0), _speed(0.25), _speed(3)) == (0, 7, 0.25, None)
    assert _line([1, 2, 3, 4.04]) == (1, 2, 3, 4.0)


def test_pictures_come_in_parts_and_the_last_part_is_short():
    found = held(reel(name="parts"))
    first, last = (unpacked(asked(found.token, "pictures", at, reels.short("parts")).body) for at in (0, CHUNK))
    assert (len(first), len(last)) == (CHUNK, 3)
    assert [int(each.mean().round()) for each in first + last] == pytest.approx(
        [20 * at for at in range(FRAMES)], abs=2
    )


def test_who_has_no_secret_and_who_asks_for_something_else_gets_nothing():
    found = held(reel())
    name = reels.short("grey")
    assert asked("guess", "pictures", 0, name).status_code == 404
    assert asked(found.token, "secrets", 0, name).status_code == 404
    assert asked(found.token, "pictures", 1, name).status_code == 404, "parts begin at whole parts only"
    assert asked(found.token, "pictures", 10 * CHUNK, name).status_code == 404
    assert asked(found.token, "marks", 0, reels.short("marks")).status_code == 404, "this reel has none"
    assert asked(found.token, "pictures", 0, "other").status_code == reels.GONE, "what was shown before is gone"
    token = found.token
    del found
    assert asked(token, "pictures", 0, name).status_code == 404, "the session has ended"


def test_too_many_requests_wait(monkeypatch):
    found = held(reel())
    found.busy = reels.EACH
    assert asked(found.token, "pictures", 0, reels.short("grey")).status_code == reels.LATER
    found.busy = 0
    monkeypatch.setattr(reels, "WAITING", 0)
    assert asked(found.token, "pictures", 0, reels.short("grey")).status_code == reels.LATER
    assert found.busy == 0


def test_marks_come_once_they_are_there(monkeypatch):
    looks = []

    def ready(first, last):
        looks.append((first, last))
        return len(looks) > 2

    def marks(first, last):
        box = np.array([1.0, 2, 3, 4.126])
        return Marked([[Mark(tuple(box), "dog", np.float32(0.5), 3, "predicted")]] * (last - first), 6.5, 40.0)

    found = held(reel(marks=marks, ready=ready))
    answer = asked(found.token, "marks", CHUNK, reels.short("marks"))
    assert set(looks) == {(CHUNK, FRAMES)}
    told = json.loads(answer.body)
    assert told == {
        "frames": [[[1.0, 2.0, 3.0, 4.13, "dog", 0.5, 3, "predicted"]]] * 3,
        "rate": 6.5,
        "milliseconds": 40,
    }
    monkeypatch.setattr(reels, "PATIENCE", 0.05)
    found.reel = reel(marks=marks, ready=lambda first, last: False)
    assert asked(found.token, "marks", 0, reels.short("marks")).status_code == reels.LATER


def test_what_is_kept_is_bounded_and_the_oldest_goes_first():
    painted = []

    def paint(at):
        painted.append(at)
        return picture(0)

    shown = Reel("kept", 3 * CHUNK, 25, (4, 2), paint)
    part = len(Encoded().get(shown, 0))
    painted.clear()
    kept = Encoded(2 * part)
    for first in (0, CHUNK, 0, 2 * CHUNK, 0, CHUNK):
        kept.get(shown, first)
    assert kept.bytes <= 2 * part
    assert painted[::CHUNK] == [0, CHUNK, 2 * CHUNK, CHUNK], "the part that was not used for longest was dropped"
