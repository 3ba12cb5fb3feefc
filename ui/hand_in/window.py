"""What a student hands in: the file and the code, as they are when the window opens."""

from __future__ import annotations

import streamlit as st

from ui import answers
from ui.hand_in import seal, work


def part() -> None:
    """Inside a window: how much there is, a label, the file, and the code."""
    given = sum(bool(each["guesses"]) for each in answers.given().values())
    st.markdown(f"**Hand in:** {given} answer{'s' * (given != 1)} since you opened the lab or last loaded a page anew.")
    label = st.text_input(
        "Label, if your lecturer wants one", key="hand_in_label", max_chars=work.LABEL, placeholder="such as a number"
    )
    done = work.collected(label)
    try:
        file, code = seal.as_file(done), seal.as_code(done)
    except ValueError as error:
        st.error(str(error))
        return
    st.download_button(
        "Hand-in as a file", file, f"receptive-{work.file_name(label)}.json", "application/json",
        key="hand_in_file", icon=":material/assignment_turned_in:", on_click="ignore", width="stretch",
    )  # fmt: skip
    with st.expander("The same as a code for a text field"):
        st.code(code, language=None, wrap_lines=True, height=120)
    st.caption("Your first answer to each question counts. The lab keeps none of this.")
