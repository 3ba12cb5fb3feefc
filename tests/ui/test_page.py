"""The frame of a page, run by Streamlit's own test runner."""

import pytest
from streamlit.testing.v1 import AppTest


def run(script, **query) -> AppTest:
    test = AppTest.from_function(script, default_timeout=20)
    for name, value in query.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception
    return test


def texts(test: AppTest) -> list[str]:
    return [each.value for each in test.markdown]


def test_begin_shows_title_and_question():
    def script():
        from ui import page

        page.begin("Anchors", question="Where to look?")

    test = run(script)
    assert test.title[0].value == "Anchors" and texts(test) == ["Where to look?"]


def test_begin_takes_the_question_of_the_course():
    def script():
        from ui import page

        page.begin("Upsampling")

    assert texts(run(script)) == ["How does a network get its resolution back?"]


def test_sections_are_numbered_and_keep_their_number_in_a_fragment():
    def script():
        import streamlit as st

        from ui import page

        page.begin("T", question="Q?")

        @st.fragment
        def second():
            page.section("Look inside", "One unit.")
            st.button("Again")

        page.section("Play")
        second()
        page.section("Sources & more")

    test = run(script)
    expected = [":gray[1]&ensp;Play", ":gray[2]&ensp;Look inside", ":gray[3]&ensp;Sources & more"]
    assert [each.value for each in test.header] == expected
    assert [each.proto.anchor for each in test.header] == ["play", "look-inside", "sources-more"]
    test.button[0].click().run()
    assert [each.value for each in test.header] == expected


def test_show_code_prints_the_running_source_formula_and_call():
    def script():
        from ui import decoding, page

        page.show_code([decoding.square, decoding.decode], formula="x^2", library="torch.square(x)")
        page.show_code(decoding.square)

    test = run(script)
    import inspect

    from ui import decoding

    source = inspect.getsource(decoding.square).rstrip()
    assert test.code[0].value.startswith(source) and "def decode(" in test.code[0].value
    assert test.code[1].value == "torch.square(x)" and test.code[2].value == source
    assert "x^2" in test.latex[0].value
    assert all(each.proto.wrap_lines for each in test.code) and not test.columns  # the full width, and no line is cut
    kinds = [child.type for child in test.expander[0].children.values()]
    assert kinds == ["latex", "code", "caption", "code"]  # the formula is above
    assert "`ui.decoding.square, ui.decoding.decode`" in test.expander[0].label


def test_erratum_and_sources():
    def script():
        from ui import page

        page.erratum(slide="three neighbours", truth="four per axis")
        page.sources([("Zeiler 2011", "paper"), ("CSE463", "lecture", "https://example.org")])

    shown = texts(run(script))
    assert shown[0].endswith("four per axis") and "ERRATUM" in shown[0]  # the right statement is read first
    assert shown[1] == "A common slide says: *three neighbours*"
    assert shown[2] == "- Zeiler 2011 :gray[(paper)]\n- [CSE463](https://example.org) :gray[(lecture)]"


@pytest.mark.parametrize(
    ("milliseconds", "line"), [(41.2, "net · cpu · 41 ms"), (0.24, "net · cpu · 0.2 ms"), (None, "net · cpu")]
)
def test_footer(milliseconds, line):
    def script(milliseconds):
        from ui import page

        page.footer("net", "cpu", milliseconds)
        page.footer()

    test = AppTest.from_function(script, args=(milliseconds,)).run()
    assert [each.value for each in test.caption] == [line]


def test_guard_turns_a_value_error_into_its_sentence():
    def script():
        import streamlit as st

        from ui import page

        with page.guard():
            raise ValueError("The matrix has 9 rows: use at most 8.")

        @page.guard()
        def later():
            raise ValueError("No.")

        later()
        st.write("goes on")

    test = run(script)
    assert [each.value for each in test.error] == ["The matrix has 9 rows: use at most 8.", "No."]
    assert texts(test) == ["goes on"]


def test_guard_hides_what_nobody_expected_but_logs_it(caplog):
    def script():
        from ui import page

        with page.guard():
            raise KeyError("secret detail")

    test = run(script)
    assert "Something went wrong" in test.error[0].value and "secret" not in test.error[0].value
    assert "secret detail" in caplog.text


def test_guard_leaves_the_error_of_a_fragment_to_streamlit_who_has_shown_it(caplog):
    def script():
        import streamlit as st

        from ui import page

        @st.fragment
        def broken():
            raise KeyError("secret detail")

        with page.guard():
            broken()

    test = AppTest.from_function(script, default_timeout=20).run()
    assert len(test.exception) == 1 and not test.error
    assert "Unexpected error on a page" not in caplog.text


def test_guard_lets_streamlit_stop_and_rerun():
    def script():
        import streamlit as st

        from ui import page

        with page.guard():
            st.stop()
        st.write("never")

    test = run(script)
    assert not test.markdown and not test.error


def test_lecture_mode_comes_from_the_address():
    def script():
        import streamlit as st

        from ui import page

        st.write(page.lecture())

    assert texts(run(script)) == ["`False`"]
    assert texts(run(script, lecture="1")) == ["`True`"]


@pytest.mark.parametrize(("query", "carried"), [({}, ""), ({"lecture": "1", "notes": "1"}, "?lecture=1&notes=1")])
def test_a_reminder_explains_in_one_line_and_leads_on(query, carried):
    def script():
        from ui import page

        page.remind("IoU")

    (line,) = texts(run(script, **query))
    assert line.startswith(":small[**IoU**: the area that two boxes share")
    assert line.endswith(f" More: [IoU, NMS and Precision-Recall](iou_nms_precision_recall{carried}).]")


def test_several_words_share_a_line_and_its_links():
    def script():
        from ui import page

        page.remind("Anchor", "IoU", "NMS")

    (line,) = texts(run(script))
    assert line.index("**Anchor**") < line.index("**IoU**") < line.index("**NMS**")
    assert line.endswith("More: [Anchors](anchors), [IoU, NMS and Precision-Recall](iou_nms_precision_recall).]")


def test_a_reminder_of_a_page_that_is_not_there_yet_leads_nowhere(monkeypatch, tmp_path):
    def script():
        from ui import page

        page.remind("IoU")

    from ui import course

    monkeypatch.setattr(course, "WEIGHTS", tmp_path)
    (line,) = texts(run(script))
    assert line.startswith(":small[**IoU**: ") and "](" not in line


def test_work_is_gone_through_once_and_again_only_for_more():
    def script():
        import streamlit as st

        from ui import page

        done = st.session_state.setdefault("done", [])
        page.work_through("_through", range(st.session_state.get("count", 3)), done.append, "Counting")

    at = AppTest.from_function(script, default_timeout=60).run()
    assert at.session_state["done"] == [0, 1, 2]
    assert at.run().session_state["done"] == [0, 1, 2]
    at.session_state["count"] = 5
    assert at.run().session_state["done"] == [0, 1, 2, 0, 1, 2, 3, 4]
