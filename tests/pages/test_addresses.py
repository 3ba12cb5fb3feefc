"""Whatever an address says, a page opens: what makes sense counts, the rest is the default, and it is put right."""

import re
from collections.abc import Callable

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest

from ui.components import address
from ui.course import ready

PAGES = [lesson.file for lesson in ready() if lesson.path]  # home links to the others and opens with them alone
BAD = ["", "inf", "-inf", "nan", "1" + "0" * 400, "9" * 5000, "a word", "1,2", ["1", "2"], "-7", "1e999", "[1]"]
asked: dict[str, set[str]] = {}


@pytest.fixture
def parameters(monkeypatch, visit) -> Callable[[str], set[str]]:
    """Function: every parameter that a page of this name looks for, of its own and of its bound widgets."""

    def of(page: str) -> set[str]:
        if page not in asked:
            names = asked.setdefault(page, set())
            linked, bind = address.linked, QueryParams.bind_widget

            def look(name):
                names.add(name)
                return linked(name)

            def bound(self, *args, **kwargs):
                names.add(str(kwargs.get("param_key") or args[0]))
                return bind(self, *args, **kwargs)

            monkeypatch.setattr(address, "linked", look)
            monkeypatch.setattr(QueryParams, "bind_widget", bound)
            visit(page)
            monkeypatch.undo()
        return asked[page]

    return of


def opened(visit, page: str, query: dict) -> AppTest:
    at = visit(page, query)
    assert not at.exception, [each.message for each in at.exception]
    for error in at.error:
        assert "Something went wrong" not in error.value and re.search(r"link|address", error.value), error.value
    return at


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:8] or "empty")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_whatever_every_parameter_says(visit, parameters, unpublished, page, bad):
    names = parameters(page)
    assert names
    at = opened(visit, page, dict.fromkeys(sorted(names), bad))
    left = {name: at.query_params[name] for name in names if name in at.query_params}
    nowhere_sense = bad not in ("", "-7", "1,2", ["1", "2"])  # of these some make sense: a range from 1 to 2, say
    as_bad = [name for name, value in left.items() if value in (bad, [bad]) and nowhere_sense]
    assert as_bad == [], "the address is put right"
