"""The Python side of words: what the browser is given."""

import json

from streamlit.testing.v1 import AppTest


def script():
    import streamlit as st

    from ui.components import words

    @st.fragment
    def fragment():
        for turn in range(2):
            words(f"**{st.session_state.get('number', 1)}** <i>of</i> {turn}", key=f"line-{turn}")

    fragment()


def mounted(at: AppTest) -> list[dict]:
    assert not at.exception
    return [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]


def test_text_travels_as_it_is_under_its_key():
    at = AppTest.from_function(script, default_timeout=60).run()
    first, second = mounted(at)
    assert (first["text"], second["text"]) == ("**1** <i>of</i> 0", "**1** <i>of</i> 1")
    assert (first["key"], second["key"]) == ("line-0.live", "line-1.live")
    assert first["mount"] < second["mount"]


def test_a_later_run_brings_new_text_under_the_same_key():
    at = AppTest.from_function(script, default_timeout=60).run()
    before = mounted(at)[0]
    at.session_state["number"] = 2
    after = mounted(at.run())[0]
    assert after["text"].startswith("**2**") and after["key"] == before["key"] and after["mount"] > before["mount"]


def test_prose_reads_words_and_markdown(prose):
    def page():
        import streamlit as st

        from ui.components import live_slider, words

        st.markdown("from Streamlit")
        with live_slider("Not prose", 0, 1, key="slider"):
            words("from words", "line")

    assert prose(AppTest.from_function(page, default_timeout=60).run()).splitlines() == ["from Streamlit", "from words"]
