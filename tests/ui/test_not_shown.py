"""A frame that shows one section: what is run of the others, and what is found where the section lies deeper."""

import pytest
from streamlit.testing.v1 import AppTest

from ui import not_shown


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch):
    monkeypatch.setattr(not_shown, "_held", {})


def script():
    import streamlit as st

    from ui import not_shown, page

    page.begin("T", question="Q?")

    @st.fragment
    @page.guard()
    def first() -> None:
        st.write("before")
        page.section("First")
        st.write("first")
        second()
        st.button("Again")

    def second() -> None:
        page.section("Second")
        st.write("second")

    @st.fragment
    @page.guard()
    def third() -> None:
        page.section("Third")
        st.write("third")

    @page.guard()
    def fourth() -> str:
        page.section("Fourth")
        st.write("fourth")
        return "returned"

    @page.guard()
    def fifth() -> None:
        page.section("Fifth", always=True)
        st.write("fifth")

    with page.guard():
        first()
        third()
        st.write(fourth())
        fifth()
        page.section("Sixth")
        st.write("sixth")
        if page.section("Seventh"):
            st.write("seventh")
    not_shown.complete(page.anchors())


def shown(section: str | None, embedded: bool = True) -> AppTest:
    test = AppTest.from_function(script, default_timeout=20)
    test.context["is_embedded"] = embedded
    if section is not None:
        test.query_params["section"] = section
    test.run()
    assert not test.exception and not test.error
    return test


def said(test: AppTest) -> list[str]:
    return [each.value for each in test.markdown[1:]]  # the first is the question


def headings(test: AppTest) -> list[str]:
    return [each.value for each in test.header]


ALL = ["before", "first", "second", "third", "fourth", "returned", "fifth", "sixth", "seventh"]
STAYS = ["fourth", "returned", "fifth", "sixth"]  # returns something, hands on, stands in the page itself


@pytest.mark.parametrize(("section", "embedded"), [(None, True), (None, False), ("third", False)])
def test_a_whole_page_is_run_whole(section, embedded):
    test = shown(section, embedded)
    assert said(test) == ALL
    assert headings(test)[:2] == [":gray[1]&ensp;First", ":gray[2]&ensp;Second"]


def test_others_end_at_their_headings_which_have_no_number():
    test = shown("third")
    assert said(test) == ["before", "third", *STAYS]
    assert headings(test) == ["First", "Third", "Fourth", "Fifth", "Sixth", "Seventh"]


def test_a_section_further_down_in_a_function_is_found_and_then_known():
    assert said(shown("second")) == ALL
    assert said(shown("second")) == ["before", "first", "second", *STAYS]
    assert said(shown("first")) == ["before", "first", "second", *STAYS]  # what is shown is not ended


def test_a_section_that_is_not_there_shows_the_whole_page_once_and_for_all():
    test = shown("no-such-section")
    assert said(test) == ALL
    test.button[0].click().run()
    assert said(test) == ALL


def test_a_fragment_that_runs_again_alone_ends_where_it_did():
    shown(None)
    test = shown("first")
    before = said(test)
    test.button[0].click().run()
    assert said(test) == before


def test_an_error_is_said_and_the_sections_after_it_are_found():
    def broken():
        import streamlit as st

        from ui import not_shown, page

        page.begin("T", question="Q?")

        @page.guard()
        def first() -> None:
            page.section("First")

        @page.guard()
        def second() -> None:
            page.section("Second")
            raise ValueError("No.")

        first()
        second()
        not_shown.complete(page.anchors())
        st.write("goes on")

    test = AppTest.from_function(broken, default_timeout=20)
    test.context["is_embedded"] = True
    test.query_params["section"] = "second"
    test.run()
    assert [each.value for each in test.error] == ["No."] and said(test) == ["goes on"]
