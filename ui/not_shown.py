"""What a frame does not show is not run: `?embed=true&section=ANCHOR` shows one section of a page (ui/embed.py).

A guarded function that opens a section (`page.guard`, `page.section`) ends there where the frame shows another: the
heading is written, since the sections are told apart and counted by it, and what would follow it is left out. So
nothing is lost that anybody sees, as long as nobody else needs it:

- A function that returns something is run. So is what stands in the page itself, such as the choice of a picture,
  unless the page asks: `if page.section(…):`.
- A section that writes what others read from the session, or that draws above its own heading, says so:
  `page.section(…, always=True)`.
- A function that opens the wanted section further down is run, and all others in it end. Which do is learned from
  every run of it. Where that is not known yet, the wanted section has not come when the page is over: then all of it
  is run, once. The same happens where there is no such section.

tests/pages/test_sections_alone.py holds every section of every page to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial

import streamlit as st

from ui import recording
from ui.components import address

SECTION = "section"  # of the address
_ALL = "embed.all"  # in the session: page and section for which all of the page is run
_within: ContextVar[tuple[str, ...]] = ContextVar("not_shown_within", default=())  # the functions that may end
_held: dict[str, set[str]] = {}  # by function: the anchors of the sections that it has opened


def wanted() -> str | None:
    """Anchor of the section that a frame shows alone; None for the whole page."""
    return st.query_params.get(SECTION) or None if st.context.is_embedded else None


class NotShownError(BaseException):
    """What follows is not shown. No error, so nothing but `_ends` catches it."""


def ends(body: Callable) -> Callable[[], AbstractContextManager[None]]:
    """What a call of `body` stands in, to be over where a section begins that is not shown."""
    if inspect.signature(body).return_annotation not in (None, "None"):
        return nullcontext  # somebody may need what it returns
    return partial(_ends, f"{body.__module__}.{body.__qualname__}")


@contextmanager
def _ends(body: str) -> Iterator[None]:
    before = _within.set((*_within.get(), f"{address.title()}: {body}"))
    try:
        yield
    except NotShownError:
        recording.spoil("it ended where a frame shows no more")
    finally:
        _within.reset(before)


def opened(anchor: str, always: bool) -> bool:
    """The heading of this section has been written: whether somebody sees or needs the rest. If nobody does, and a
    function that may end has written it, that ends."""
    within = _within.get()
    for each in within:
        _held.setdefault(each, set()).add(anchor)
    goal = wanted()
    if always or goal in (None, anchor) or _all_for(goal) or (within and goal in _held[within[-1]]):
        return True
    if within:
        raise NotShownError
    return False


def complete(anchors: list[str]) -> None:
    """The page is over, and has headings with these anchors: run all of it if the wanted one is not among them."""
    goal = wanted()
    if goal not in (None, *anchors) and not _all_for(goal):
        st.session_state[_ALL] = address.title(), goal
        st.rerun()


def _all_for(goal: str) -> bool:
    return st.session_state.get(_ALL) == (address.title(), goal)
