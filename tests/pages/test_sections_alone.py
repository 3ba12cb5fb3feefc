"""A section that a frame shows alone says what it says among the others, which are not run (ui/not_shown.py).

Each page is opened with its controls moved, so that a section which needs what another one reads from the address, and
which is not run now, is found out; and with a photograph, for the sections that are there only then. What sections
leave each other in the session is watched on the whole page; one of each page is shown alone, by `make sweep` all.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from tests.pages.arriving import arrived
from tests.pages.moving import moved
from tests.pages.timed import timeless
from ui import not_shown, page
from ui.course import Lesson, ready

AS_IT_IS = True  # no network is replaced
FRAME = ("$$", "_page", "address.", "live.", "embed.")  # in the session: what is the lab's, not a section's
MOUNT = re.compile(r'\\"(mount\\": \d+|(live|token)\\": \\"[\w-]+)')  # a live component's number and secret
NUMBER = re.compile(r":gray\[\d+\]&ensp;|\$\$ID-\w+-section-\d+")  # of a heading; one that stands alone has none
PATIENCE = 300.0  # seconds


def borrowed(monkeypatch) -> Callable[[], set[tuple[str, str, str]]]:
    """Function: what a section that may end has left in the session from now on, and another has looked at: the key,
    the function that left it, and who looked."""
    left, looked, stays = defaultdict(set), set(), set()
    real = {name: getattr(SafeSessionState, name) for name in ("__getitem__", "__contains__", "__setitem__")}
    register, opened = SafeSessionState.register_widget, not_shown.opened

    def now() -> str:
        return next(iter(not_shown._within.get()), "the page")

    def watch(name, note):
        def watched(self, key, *value):
            note(key)
            return real[name](self, key, *value)

        monkeypatch.setattr(SafeSessionState, name, watched)

    def registers(self, metadata, key):
        left[key].add(now())
        return register(self, metadata, key)

    def opens(anchor, always):
        if always:
            stays.add(now())
        return opened(anchor, always)

    for name in ("__getitem__", "__contains__"):
        watch(name, lambda key: looked.add((key, now())))
    watch("__setitem__", lambda key: left[key].add(now()))
    monkeypatch.setattr(SafeSessionState, "register_widget", registers)
    monkeypatch.setattr(not_shown, "opened", opens)
    return lambda: {
        (key, giver, taker)
        for key, taker in looked
        for giver in left[key] & not_shown._held.keys() - stays - {taker}
        if not key.startswith(FRAME)
    }


def framed(lesson: Lesson, query: dict, **state) -> AppTest:
    """A visit to the page in a frame."""
    at = AppTest.from_file(str(lesson.script), default_timeout=600)
    at.context["is_embedded"] = True
    return arrived(at, query, state)


def walk(block: Block) -> Iterator[tuple[str, object]]:
    """Type and message of every element, in the order of the page."""
    for _, node in sorted(block.children.items()):
        yield (node.type or "", node.proto)
        if isinstance(node, Block):
            yield from walk(node)


def sections(at: AppTest) -> dict[str, list[str]]:
    """What the page says, pictures and controls included, by anchor: "" is what stands above the first heading."""
    found, anchor = {"": []}, ""
    headings = {*(getattr(each.proto, "anchor", None) for each in at.header)}
    for kind, message in walk(at.main):
        if kind == "header" and message.anchor in headings:
            anchor = message.anchor
            found[anchor] = []
        text = MOUNT.sub("", NUMBER.sub("", str(message)))
        found[anchor].append(f"{kind} {timeless(text)}")
    return found


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.sweep)], ids=["one", "every"])
@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_a_section_alone_says_what_it_says_among_the_others(lesson, every, monkeypatch):
    monkeypatch.setattr(page, "link", lambda *_: None)  # under test there is no navigation to link into
    at = framed(lesson, {})
    pictures = {each.key: "Photograph" for each in at.segmented_control if each.key.endswith("_source")}
    address, seen = moved(at, part=3).query_params, set()
    found = borrowed(monkeypatch)  # fresh visits from here on: no callback looks
    for query in filter(None, (address, pictures)):
        whole = framed(lesson, query)
        deadline = time.monotonic() + PATIENCE
        while any("in the background" in each.proto.text for each in whole.get("progress")):  # a film, once for all
            assert time.monotonic() < deadline
            time.sleep(0.1)
            whole = framed(lesson, query)
        assert not whole.exception and not any(error.value == page.SORRY for error in whole.error)
        among = sections(whole)
        anchors = [each for each in among if each and each not in seen]
        for anchor in anchors if every else anchors[-2:][:1]:  # what is last among the lessons: the sources follow
            alone = sections(framed(lesson, {**query, "section": anchor}))
            assert alone[anchor] == among[anchor]
            assert alone[""] == among[""]
        seen |= set(among)
    assert not found(), "say always=True where that section is opened"
