"""A whole lecture: a hall of two servers, a lecturer and a student in real browsers, and thirty students beside them.

They follow three pages, vote twice, and see it together. A server is killed, then the Redis that keeps the room; who
forges messages neither drives nor sees nor ends anything, and another room hears nothing of it all.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import signal

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.browser import test_hall, test_rooms
from tests.browser.many_students import Visitor, following, redis_of, until, visitor
from tests.browser.test_rooms import LAYERS, QUESTION, bar, is_veiled, step, tool
from ui.rooms import channel
from ui.rooms.redis_store import Redis
from ui.rooms.room import COUNTED, ELSEWHERE, LATE, SECOND, Rooms, standing

PATIENCE = test_hall.PATIENCE
MANY = 30
KEY, TEXT = "rf-count", "Without downsampling, how many?"
AWAY = "The class cannot be reached just now"
# A toast is there for ten seconds, and on a busy machine that is over before anybody has looked.
NOTE_TOASTS = """() => {
  window.toasts = []
  const look = () => document.querySelectorAll('[data-testid=stToast]').forEach((each) => toasts.push(each.innerText))
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true })
}"""

running = test_hall.running  # two servers behind one address, and their Redis


@pytest.fixture
def lecture(running, chromium):
    """The hall, its rooms in its own Redis, and lecturer, student and latecomer, each with a browser of her own."""
    store = Redis(redis_of(running.process.pid)[1])
    expect.set_options(timeout=PATIENCE)
    with contextlib.ExitStack() as stack:
        tabs = []
        for _ in range(3):
            context = stack.enter_context(contextlib.closing(chromium.new_context()))
            context.set_default_timeout(PATIENCE)
            tabs.append(context.new_page())
        yield running, Rooms(store), *tabs
    store.close()
    expect.set_options(timeout=30_000)


def test_a_lecture(lecture, tmp_path):
    hall, rooms, lecturer, student, late = lecture
    code = test_rooms.opened(lecturer, hall.address)
    together = {"name": test_hall.STAY, "value": test_hall.server_of(lecturer), "url": hall.address}
    student.context.add_cookies([together])  # on the lecturer's server, which will be killed
    test_rooms.joined(student, hall.address, code)
    other, others_key = rooms.open()
    with following(hall.address, code, MANY) as many, following(hall.address, other, 1) as strangers:
        expect(bar(lecturer).get_by_text(f"{MANY + 1} here")).to_be_visible()
        three_pages(lecturer, student, many)
        two_votes(rooms, code, lecturer, student)
        forged(hall.address, rooms, code, other, others_key)
        a_server_is_killed(hall, rooms, code, lecturer, student)
        redis_is_killed(hall, rooms, code, lecturer, student)
        uncovered(lecturer, student)
        handed_in(lecturer, student, many, tmp_path)
        comes_late(hall.address, code, lecturer, late)
        results_and_end(rooms, code, lecturer, student, many)
        assert rooms.there(other) and rooms.place(other) is None and rooms.asked(other) == {}
        assert {name for said in strangers[0].listen() for name in said} <= {"leads", "spread", "rest", "polls", "away"}


def three_pages(lecturer, student, many) -> None:
    """Back and forth in the course, for all of them."""
    for way, page in (
        ("Next page", "transposed_convolution"), ("Previous page", "upsampling"),
        ("Previous page", "semantic_segmentation"), ("Next page", "upsampling"),
    ):  # fmt: skip
        lecturer.get_by_role("link", name=way).click()
        lecturer.wait_for_url(f"**/{page}?*")
        student.wait_for_url(f"**/{page}?*")
        until(lambda page=page: all((each.place or "").startswith(page) for each in many), f"not all are at {page}")


def votes(rooms, code, voices) -> list[str]:
    """So many students answer where the class is, each with one of the voices in turn."""
    here = standing(rooms.place(code)[1])
    return [rooms.vote(code, KEY, f"{n:032}", voices[n % len(voices)], TEXT, here) for n in range(MANY)]


def two_votes(rooms, code, lecturer, student) -> None:
    """Thirty, and one in a browser; the lecturer alone may look before all do."""
    asks, answers = lecturer.locator(QUESTION), student.locator(QUESTION)
    asks.scroll_into_view_if_needed()
    expect(asks.get_by_text(re.compile("0 of .* have answered"))).to_be_visible()
    assert votes(rooms, code, ["8", "15", "112"]) == [COUNTED] * MANY
    answers.get_by_role("radio", name="15", exact=True).click()
    expect(answers.get_by_text("Your answer counts")).to_be_visible()
    expect(asks.get_by_text(f"{MANY + 1} of {MANY + 1} have answered")).to_be_visible()
    asks.get_by_role("button", name="Stop and discuss").click()
    expect(answers.get_by_text("Discuss: no answers")).to_be_visible()
    assert votes(rooms, code, ["75"]) == [LATE] * MANY
    asks.get_by_role("button", name="Ask again").click()
    expect(answers.get_by_text("Second vote")).to_be_visible()
    assert votes(rooms, code, ["75", "75", "15"]) == [COUNTED] * MANY
    answers.get_by_role("radio", name="75", exact=True).click()
    expect(asks.get_by_text(f"{MANY + 1} of {MANY + 1} have answered")).to_be_visible()
    asks.get_by_text("Show the answers").click()
    expect(asks.get_by_label(re.compile("First vote: 8 10, 15 11, .*Second vote: .*15 10, 75 21"))).to_be_visible()
    assert is_veiled(answers) and not answers.locator("[class*=class_tally]").count()


def forged(address, rooms, code, other, others_key) -> None:
    """Raw sockets: the class's and Streamlit's own. Nothing is driven, read or ended."""
    before = rooms.store.read(code), rooms.poll(code, KEY), rooms.answered(code, KEY, 2, standing(rooms.place(code)[1]))
    target = address.replace("http://", "ws://") + channel.PATH
    for said in ({"place": "ssd"}, {"over": True}, {"votes": KEY}, {"polls": KEY, "read": "answers"}):
        with connect(target) as socket:
            socket.send(json.dumps({"room": code}))
            socket.send(json.dumps(said))
            assert closed_by(socket) == 1008
    for key in ("guess", others_key):  # of another room: a key leads its own
        with connect(target) as socket:
            socket.send(json.dumps({"room": code, "key": key}))
            assert closed_by(socket) == 1008
    with (
        visitor(address, "upsampling", f"room={other}") as leads,
        visitor(address, "upsampling", f"room={code}") as she,
    ):
        leads.say({leads.ids["class_line.live"]: {"sequence": 1, "key": others_key, "voter": "v" * 30}})
        # Who leads has these widgets, and they have the same ids in every session.
        hers = [found for name, found in leads.ids.items() if name.startswith("class_") and name.endswith(KEY)]
        assert {"class_shown", "class_discuss", "class_answers"} <= {name.removesuffix(f"-{KEY}") for name in leads.ids}
        assert not set(hers) & set(she.ids.values())
        she.say(dict.fromkeys(hers, True))
        for number, forgery in enumerate(
            ({"key": "guess"}, {"key": others_key, "lead": others_key}, {"polls": 1, "place": "ssd"}), start=1
        ):
            she.say({she.ids["class_line.live"]: {"sequence": number, **forgery}})
        nothing_seen(she)
    after = rooms.store.read(code), rooms.poll(code, KEY), rooms.answered(code, KEY, 2, standing(rooms.place(code)[1]))
    assert after == before
    invented = standing("upsampling?forged=1")
    assert rooms.vote(code, KEY, "f" * 32, "8", TEXT, invented) == ELSEWHERE


def nothing_seen(she: Visitor) -> None:
    """She was sent no tally, no count of answers, nobody's number, and no key."""
    assert b"class_tally" not in she.sent and b"have answered" not in she.sent and b"First vote" not in she.sent
    assert not any(f"{n:032}".encode() in she.sent for n in range(MANY))
    assert b"Show the answers" not in she.sent and b"Stop and discuss" not in she.sent


def closed_by(socket) -> int:
    while True:
        try:
            socket.recv(timeout=60)
        except Exception as gone:
            return gone.rcvd.code


def a_server_is_killed(hall, rooms, code, lecturer, student) -> None:
    """Their pages stand and go on from the other one: she still leads, and the student is still the same voter."""
    first = test_hall.server_of(student)
    assert test_hall.server_of(lecturer) == first
    for tab in (lecturer, student):
        tab.evaluate("() => { window.stays = true }")
    os.kill(hall.servers()[first], signal.SIGKILL)
    for tab in (lecturer, student):
        test_hall.until_with(tab, lambda name: name != first)
    expect(bar(student).get_by_text("Following")).to_be_visible()
    expect(bar(lecturer).get_by_text(re.compile(r"\d+ here"))).to_be_visible()
    asks, answers = lecturer.locator(QUESTION), student.locator(QUESTION)
    expect(asks.get_by_role("button", name="Uncover")).to_be_visible()
    told = step(lecturer)
    expect(student.get_by_role("slider", name=LAYERS).first).to_have_attribute("aria-valuenow", told)
    expect(asks.get_by_text("answered with other settings")).to_be_visible()
    lecturer.get_by_role("slider", name=LAYERS).first.press("ArrowLeft")  # back to where the class has voted
    expect(asks.get_by_text(f"{MANY + 1} of")).to_be_visible()
    expect(student.get_by_role("slider", name=LAYERS).first).not_to_have_attribute("aria-valuenow", told)
    expect(answers.get_by_role("radio", name="75", exact=True)).to_be_checked()
    expect(answers.get_by_text("Your answer counts")).to_be_visible()
    before = counted_now(rooms, code)[1].count("8")
    answers.get_by_role("radio", name="8", exact=True).click()
    until(lambda: counted_now(rooms, code)[1].count("8") == before + 1, "the new answer, before the next")
    answers.get_by_role("radio", name="75", exact=True).click()
    until(lambda: counted_now(rooms, code)[1].count("8") == before, "the old answer again")
    expect(answers.get_by_text("Your answer counts")).to_be_visible()
    until(lambda: [len(each) for each in counted_now(rooms, code)] == [MANY + 1] * 2, "each has one vote")
    for tab in (lecturer, student):
        assert tab.evaluate("() => window.stays"), "the page was not loaded again"


def redis_is_killed(hall, rooms, code, lecturer, student) -> None:
    """One sentence, and everything else goes on; what was confirmed is there when it comes back."""
    process, _ = redis_of(hall.process.pid)
    until(lambda: [len(each) for each in counted_now(rooms, code)] == [MANY + 1] * 2, "the votes of both rounds")
    counted = counted_now(rooms, code)
    os.kill(hall.process.pid, signal.SIGSTOP)  # or it would be there again at once
    try:
        os.kill(process, signal.SIGKILL)
        for tab in (lecturer, student):
            expect(bar(tab).get_by_text(AWAY)).to_be_visible()
        told = step(student)  # a page needs no class
        student.wait_for_url(f"**rf_layers={told}*")
        expect(student.locator("[data-testid=stException], [data-testid=stAlertContentError]")).to_have_count(0)
    finally:
        os.kill(hall.process.pid, signal.SIGCONT)
    hall.until("Redis has ended and is started again.")
    for tab in (lecturer, student):
        expect(bar(tab).get_by_text(AWAY)).to_have_count(0)
    until(lambda: reached(rooms, code))
    assert rooms.poll(code, KEY).phase == SECOND and counted_now(rooms, code) == counted
    bar(student).get_by_role("button", name="Catch up").click()
    expect(bar(student).get_by_text("Following")).to_be_visible()


def counted_now(rooms, code) -> tuple[list[str], list[str]]:
    """What both rounds have where the class is."""
    return rooms.answers(code, KEY, rooms.poll(code, KEY).cases(standing(rooms.place(code)[1]).case))


def reached(rooms, code) -> bool:
    try:
        return rooms.there(code)
    except Exception:
        return False


def uncovered(lecturer, student) -> None:
    asks, answers = lecturer.locator(QUESTION), student.locator(QUESTION)
    expect(asks.get_by_text(re.compile(f"{MANY + 1} of .* have answered"))).to_be_visible()
    asks.get_by_role("button", name="Uncover").click()
    expect(answers.get_by_text("You said 75")).to_be_visible()
    for view in (asks, answers):
        expect(view.get_by_label(re.compile("First vote: 8 10, 15 11, .*Second vote: .*15 10, 75 21"))).to_be_visible()


def handed_in(lecturer, student, many, tmp_path) -> None:
    """A file of the student's, read by the lecturer on a page to which nobody follows her."""
    student.locator(".st-key-page-bar").get_by_text("Take home").click()
    expect(student.get_by_text("1 answer since")).to_be_visible()
    with student.expect_download() as caught:
        student.get_by_role("button", name="Hand-in as a file").click()
    caught.value.save_as(tmp_path / "student.json")
    student.keyboard.press("Escape")
    tool(lecturer)
    lecturer.get_by_role("link", name="Read hand-ins").click()
    expect(lecturer.get_by_role("heading", level=1, name="Hand-ins")).to_be_visible()
    lecturer.locator("input[type=file]").set_input_files(tmp_path / "student.json")
    expect(lecturer.get_by_text("1 unchanged, from this lab")).to_be_visible()
    lecturer.go_back()
    expect(lecturer.locator(QUESTION).get_by_role("button", name="Ask anew")).to_be_visible()
    expect(bar(lecturer).get_by_text(re.compile(r"\d+ here"))).to_be_visible()
    assert "upsampling" in student.url and all(each.place.startswith("upsampling") for each in many)


def comes_late(address, code, lecturer, late) -> None:
    """By the link of the QR code: she lands at the page, the settings and the section where the class is."""
    told = step(lecturer)
    late.goto(f"{address}/?room={code}")
    late.wait_for_url(f"**/upsampling*room={code}*")
    expect(late.get_by_role("slider", name=LAYERS).first).to_have_attribute("aria-valuenow", told)
    expect(late.locator(QUESTION).get_by_label(re.compile("Second vote: .*75 21"))).to_be_visible()


def results_and_end(rooms, code, lecturer, student, many) -> None:
    tool(lecturer)
    with lecturer.expect_download() as caught:
        lecturer.get_by_role("button", name="Results as CSV").click()
    table = list(csv.DictReader(io.StringIO(caught.value.path().read_text())))
    assert {(row["round"], row["answer"]): int(row["votes"]) for row in table} == {
        ("1", "8"): 10, ("1", "15"): 11, ("1", "112"): 10, ("2", "75"): 21, ("2", "15"): 10,
    }  # fmt: skip
    assert {row["page"] for row in table} == {"upsampling"}
    told = {name for each in many for said in each.listen() for name in said}
    known = {"leads", "place", "number", "polls", "spread", "rest", "drawings", "away"}
    assert told <= known, "a student is told nothing else"
    student.evaluate(NOTE_TOASTS)
    lecturer.get_by_role("button", name="End the room").click()
    student.wait_for_function("toasts.some((said) => said.includes('The room is closed.'))")
    assert until(lambda: all(any("over" in said for said in each.listen()) for each in many))
    assert not rooms.there(code) and not rooms.store._redis.keys(f"*{code}*")
