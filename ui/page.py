"""The frame every page shares: heading, sections, questions, code, errata, sources, footer, errors.

A page is a script that calls these from top to bottom::

    page.begin("Upsampling", question="How does a network get its resolution back?")
    page.section("Play", "Change a number and watch the rest follow.")
    ...
    page.sources([("Odena et al. 2016, Deconvolution and checkerboard artifacts", "paper")])

Text arguments are Markdown; ``$...$`` sets mathematics. Everything may be called inside ``st.fragment``.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

import streamlit as st

from ui import course, figures, not_shown, warmup
from ui.components import address, following, live, section_bar
from ui.plain import plain
from ui.predict import Number as Number
from ui.predict import Order as Order
from ui.predict import Region as Region
from ui.predict import predict as predict
from ui.recording import alike as alike
from ui.rooms import seat
from ui.streamlit_inside import Inside

_LOG = logging.getLogger(__name__)
_LECTURE_STYLE = Path(__file__).with_name("lecture.css")
_SECTIONS = "_page_sections"
FIRST = 2.5  # s given to a new visitor's browser to draw the first section before the others are sent
_BEGUN = "_page_begun"

FragmentHandledException: type[Exception] | tuple = ()  # none
with Inside("the error of a fragment inside a guarded block is logged and shown twice"):
    from streamlit.errors import FragmentHandledException

SORRY = "Something went wrong on this page. Change a control or reload the page; the server log has the details."


MODES = {"lecture": "1", "notes": "1", "predict": "off"}  # of the address; the frame's links carry them along


def lecture() -> bool:
    """True when the address ends in ``?lecture=1``: side bar hidden, type enlarged."""
    return _on("lecture")


def _on(mode: str) -> bool:
    return st.query_params.get(mode) == MODES[mode]


def begin(title: str, question: str | None = None) -> None:
    """Start a page: title, and the question it answers (default: the one in ``ui.course``).

    Coming through the navigation, ``begin_ahead`` has already done so, and this does nothing.
    """
    if st.session_state.pop(_BEGUN, None) == title:
        return
    st.session_state[_SECTIONS] = []
    address.turn_to(title)
    for mode in MODES:
        if mode in st.query_params and not _on(mode):
            address.keep(mode, None)
    seat.stand()
    if lecture():  # also where a link within the lab has led here; what holds everywhere comes from ui.first_paint
        st.html(_LECTURE_STYLE)
    with st.container(key="page-heading", gap="xsmall"):
        st.title(title, anchor=False)
        st.markdown(course.question(title) if question is None else question)


def begin_ahead(title: str, question: str) -> None:
    """What ``begin`` does, from ui/main.py: the heading is painted before the page's own imports run."""
    st.session_state.pop(_BEGUN, None)
    begin(title, question)
    st.session_state[_BEGUN] = title


def notes(lesson: course.Lesson) -> None:
    """For whoever teaches, with ``?notes=1``: goal, minutes, and the wrong answer to expect."""
    if _on("notes") and lesson.goal:
        with st.container(key="page-notes"):
            st.markdown(
                f"**Goal:** {lesson.goal}\n\n**Time:** about {lesson.minutes} minutes\n\n"
                f"**Wrong answer to expect:** {lesson.expect}"
            )


def bar(lesson: course.Lesson, *tools: Callable[[course.Lesson], None]) -> None:
    """Always in sight, beside the logo: the page before, its sections, the page after, the class, and the `tools`."""
    lessons = course.ready()
    at = lessons.index(lesson)
    with st.container(key="page-bar", horizontal=True, vertical_alignment="center", gap="small"):
        if at > 0:
            link(lessons[at - 1], f"Previous page: {lessons[at - 1].title}", ":material/arrow_back:")
        section_bar(urlencode(_carried()))
        if at + 1 < len(lessons):
            link(lessons[at + 1], f"Next page: {lessons[at + 1].title}", ":material/arrow_forward:")
        seat.line()
        for tool in tools:
            tool(lesson)


def warming() -> NoReturn:
    """On a cold server: grey shapes below the heading until the libraries are loaded, then rerun.

    The rerun writes the same heading in the same place, so nothing moves.
    """
    status = st.empty()
    st.skeleton(height=360)
    st.skeleton(height=120)
    started = time.monotonic()
    warmup.start()
    warmup.painted(drawing=0)  # nothing but grey shapes
    while not warmup.finished():
        # Writing also lets Streamlit end this run if the visitor goes elsewhere meanwhile.
        status.caption(f"Starting the lab: loading PyTorch, once per start ({time.monotonic() - started:.0f} s).")
        time.sleep(0.1)
    st.rerun()


def section(title: str, sentence: str = "", always: bool = False) -> bool:
    """Numbered heading with an anchor (``#look-inside``) and one sentence under it.

    The number belongs to the title, so a fragment that reruns alone keeps it; a section alone in a frame has none. With
    `always` the function that opens it runs also where a frame shows another section (ui/not_shown.py): others use what
    is chosen in it, or it draws above its heading. In the page itself ``if page.section(…):`` leaves out what would not
    be seen.
    """
    titles = st.session_state.setdefault(_SECTIONS, [])
    if titles and title not in titles and not_shown.wanted() in (None, *anchors()):
        live.first_drawn(FIRST)  # what is above is drawn before the browser is busy with the rest
    if title not in titles:
        titles.append(title)
    number = titles.index(title) + 1
    anchor = _anchor(title, number)
    with st.container(key=f"section-{number}", gap="xsmall"):
        st.header(title if not_shown.wanted() else f":gray[{number}]&ensp;{title}", anchor=anchor)
        if sentence:
            st.markdown(sentence)
    return not_shown.opened(anchor, always)


def _anchor(title: str, number: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or f"section-{number}"


def anchors() -> list[str]:
    """Of the sections that the page has so far, in order."""
    return [_anchor(title, number) for number, title in enumerate(st.session_state.get(_SECTIONS, []), start=1)]


def show_code(functions: Callable | Sequence[Callable], formula: str = "", library: str = "") -> None:
    """The formula, below it the source of the functions that made the picture, and the library call for practice."""
    functions = list(functions) if isinstance(functions, Sequence) else [functions]
    names = ", ".join(f"{f.__module__}.{f.__qualname__}" for f in functions)
    with st.expander(f"Show the code: `{names}`", icon=":material/code:"):
        if formula:
            st.latex(formula)
        source = "\n\n".join(_source(function).rstrip() for function in functions)
        st.code(source, language="python", wrap_lines=True)
        if library:
            st.caption("In practice, call the library:")
            st.code(library, language="python", wrap_lines=True)


_source = functools.lru_cache(512)(inspect.getsource)  # 7 % of what an opened page costs if it is read anew each time


def erratum(slide: str, truth: str) -> None:
    """Box for a statement that is common on slides and not right: first what is true, then what the slide says.

    `truth` stands alone, in whole sentences: nobody has read the slide yet.
    """
    with st.container(key=f"erratum-{zlib.crc32((slide + truth).encode()):08x}", gap="xsmall"):
        st.markdown(f":small[:orange[**ERRATUM**]]&ensp;{truth}")
        st.markdown(f"A common slide says: *{slide}*")


def sources(entries: Iterable[tuple[str, ...]]) -> None:
    """List of ``(text, kind)`` or ``(text, kind, address)``; ``kind`` is a word such as "paper" or "lecture"."""
    with st.container(key="page-sources", gap="xsmall"):
        st.header("Sources", anchor="sources")
        lines = []
        for text, kind, *address in entries:
            lines.append(f"- {f'[{text}]({address[0]})' if address else text} :gray[({kind})]")
        st.markdown("\n".join(lines))


def link(lesson: course.Lesson, label: str | None = None, icon: str | None = None) -> None:
    """A link to the page of `lesson`, labelled with its title and icon; what MODES names goes along."""
    script = f"../pages/{lesson.file}/page.py"
    st.page_link(script, label=label or lesson.title, icon=icon or lesson.icon, query_params=_carried() or None)


def _carried() -> dict[str, str]:
    return {mode: value for mode, value in MODES.items() if _on(mode)} | seat.carried()


def remind(*terms: str) -> None:
    """One quiet line where terms of ``course.TERMS`` are used first: what they mean, and the pages that explain them.

    Those pages open beside this one, so that nobody loses the place.
    """
    said = " ".join(f"**{term}**: {course.TERMS[term][0]}" for term in terms)
    files, query = dict.fromkeys(course.TERMS[term][1] for term in terms), urlencode(_carried())
    lessons = [each for file in files for each in course.ready() if each.file == file]
    ways = [f"[{each.title}]({each.file}{'?' * bool(query)}{query})" for each in lessons]
    more = f" More: {', '.join(ways)}." if ways else ""
    st.markdown(f":small[{said}{more}]")


def way_on(lesson: course.Lesson) -> None:
    """Below a page: the next page in teaching order with its question, and the map of the course."""
    lessons = course.ready()
    after = lessons[lessons.index(lesson) + 1 :]
    with st.container(key="page-way-on", horizontal=True, vertical_alignment="center", gap="large"):
        if after:
            link(after[0], f"**Next: {after[0].title}.** {after[0].question}")
        link(lessons[0], "The map of the course")


def work_through(key: str, items: Collection, work: Callable[[Any], object], doing: str) -> None:
    """Do ``work`` with every item, once per visitor, under a progress bar: what is ``doing``, and how far it is.

    For what fills a cache: items that somebody else has worked through cost nothing. ``key`` remembers in the session
    how many this visitor has seen through.
    """
    if st.session_state.get(key, 0) >= len(items):
        return
    bar = st.empty()
    try:
        for done, item in enumerate(items):
            bar.progress(done / len(items), f"{doing}: {done} done.")
            work(item)
    finally:
        bar.empty()
    st.session_state[key] = len(items)


def footer(model: str | None = None, device: str | None = None, milliseconds: float | None = None) -> None:
    """One quiet line: which model ran, where, and how long it took."""
    if following():
        return
    parts = [plain(part) for part in (model, device) if part]  # own weights bring the name of their file
    if milliseconds is not None:
        parts.append(f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms")
    if parts:
        st.caption(" · ".join(parts))


def figure(fig, key: str, *, height: int | None = None, alt: str | None = None, points: bool = False) -> None:
    """Plotly figure in the house style. Under the same key it updates in place: zoom and view survive.

    With ``points`` it reports the point under the pointer: read ``figures.touched(key)`` once, before this call.
    """
    figures.show(fig, key, height=height, alt=alt, points=points)


def problem(sentence: str) -> None:
    """One plain sentence: what is wrong and what to do. It may hold a visitor's words, such as the name of a file."""
    st.error(plain(sentence), icon=":material/error:")


class guard:
    """Turn a ValueError into its sentence on the page; anything unexpected into one sentence and a log entry.

    Use as ``with page.guard():`` or as a decorator below ``@st.fragment``: ``@page.guard()``. A function that is
    decorated so and returns None ends at the heading of a section that a frame does not show (ui/not_shown.py).
    """

    def __call__(self, body: Callable) -> Callable:
        ending = not_shown.ends(body)

        @functools.wraps(body)
        def guarded(*given: Any, **named: Any) -> Any:
            with _caught(), ending():
                return body(*given, **named)

        return guarded

    def __enter__(self) -> None:
        self._block = _caught()
        self._block.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._block.__exit__(*error)


@contextlib.contextmanager
def _caught() -> Iterator[None]:
    try:
        yield
        address.mend()
    except ValueError as error:
        problem(str(error))
    except FragmentHandledException:
        pass  # a fragment in the block failed: Streamlit has logged it and shown the sentence in its place
    except Exception as error:
        _LOG.exception("Unexpected error on a page")
        show_unexpected(error)


def show_unexpected(_error: BaseException) -> bool:
    """Last resort, after Streamlit has logged the traceback: one sentence. True: nothing more is to be shown."""
    problem(SORRY)
    return True
