"""Addresses that mean nothing: every parameter of every page is then its default, and leaves the address.

Each parameter is given one of the words, a visit mixes them, and `make sweep` gives each all. The parameters come from
the pages themselves: those that a fresh visit binds to a widget or asks the address for.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest

from ui import page
from ui.components import address
from ui.course import Lesson, ready

AS_IT_IS = True  # no network is replaced
PAGES = Path(__file__).resolve().parents[2] / "pages"
HUGE = "1" + "0" * 400
DIGITS = "7" * 5000
BAD = {
    "empty": "",
    "inf": "inf",
    "minus inf": "-inf",
    "nan": "nan",
    "huge": HUGE,
    "digits": DIGITS,
    "word": "no-such-option",
    "list": ["no-such-option", "nan"],
    "place": "nan,inf",
    "box": f"nan,-inf,{HUGE},{DIGITS}",
    "cell": "no-such-grid,0,0",
}
WORDS = [*BAD.values()]
SOME = pytest.param(range(1), id="some")
REST = pytest.param(range(1, len(WORDS)), marks=pytest.mark.sweep, id="rest")


@pytest.fixture
def parameters(monkeypatch) -> set[str]:
    """The parameters that pages take; it fills as they run."""
    found = set()
    bind, linked = QueryParams.bind_widget, address.linked

    def watch_widget(self, param_key, *rest, **more):
        found.add(param_key)
        return bind(self, param_key, *rest, **more)

    def watch(name):
        found.add(name)
        return linked(name)

    monkeypatch.setattr(QueryParams, "bind_widget", watch_widget)
    monkeypatch.setattr(address, "linked", watch)
    return found


def opened(lesson: Lesson, query: dict) -> AppTest:
    """A visit with this query in the address."""
    at = AppTest.from_file(str(lesson.script), default_timeout=600)
    at.query_params.update(query)
    return at.run()


def values(at: AppTest, names: set[str]) -> dict:
    """What the session holds under these names, as text: tables of numbers too."""
    return {name: repr(at.session_state[name]) for name in sorted(names) if name in at.session_state}


@pytest.mark.parametrize("turns", [SOME, REST])
@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_an_address_that_means_nothing_shows_the_defaults_and_is_put_right(lesson, turns, parameters, monkeypatch):
    monkeypatch.setattr(page, "link", lambda *_: None)  # under test there is no navigation to link into
    plain = opened(lesson, {})
    assert not plain.exception and not any(error.value == page.SORRY for error in plain.error)
    names = {*parameters, *page.MODES}
    assert len(names) > 3
    defaults = values(plain, names)
    several = {name for name in defaults if isinstance(plain.session_state[name], list)}
    for turn in turns:
        query = {name: WORDS[(place + 4 * turn) % len(WORDS)] for place, name in enumerate(sorted(names))}
        # A choice of several may be empty, and an empty parameter says so: below.
        at = opened(lesson, {name: bad for name, bad in query.items() if bad or name not in several})
        said = [error.value for error in at.error]
        assert not at.exception and not [each for each in said if each == page.SORRY or "Exceeds the limit" in each]
        assert values(at, names) == defaults
        assert not names.intersection(at.query_params)
    if several:  # what depends on them, such as a question about a thing, may then not be there
        at = opened(lesson, dict.fromkeys(several, ""))
        assert not at.exception and not any(error.value == page.SORRY for error in at.error)
        assert values(at, several) == dict.fromkeys(several, "[]")
        assert names.intersection(at.query_params) == several
