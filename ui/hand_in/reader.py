"""Hand-ins: a lecturer's page, which is not in the course. Reads what students have handed in into one table."""

from collections import Counter

import streamlit as st

from ui import page
from ui.hand_in import table
from ui.hand_in.gathering import LIMIT, gathered
from ui.hand_in.seal import SAID

SIZE = 50  # MB of a file; a platform's archive of a large class

page.begin("Hand-ins", question="What has the class answered?")
st.markdown(
    "Students press *Take home*, then *Hand-in as a file*, or copy the code, and give it to your learning platform. "
    "Bring here the files, the platform's ZIP of all submissions, or the codes. Nothing of it is kept: close the page, "
    "and it is gone."
)
with page.guard():
    with st.container(key="abreast-hand-ins"):
        left, right = st.columns(2, gap="large")
    files = left.file_uploader("Files", accept_multiple_files=True, key="hand_in_files", max_upload_size=SIZE)
    text = right.text_area("Codes, any text around them", key="hand_in_codes", height=140, max_chars=4_000_000)
    hand_ins = gathered(((each.name, each.getvalue()) for each in files), text)
    if not hand_ins:
        st.info("No hand-in yet.", icon=":material/inbox:")
    else:
        counted = Counter(each.opened.verdict for each in hand_ins)
        st.markdown(" · ".join(f"**{counted[verdict]}** {said[0].lower()}{said[1:]}" for verdict, said in SAID.items()))
        if len(hand_ins) == LIMIT:
            page.problem(f"Only the first {LIMIT:,} hand-ins are shown: bring the others in a second go.")
        asked = table.questions(hand_ins)
        st.dataframe(
            table.rows(hand_ins), hide_index=True, key="hand_in_table", placeholder="",
            column_config={key: st.column_config.TextColumn(key, help=text) for key, text in asked.items()},
        )  # fmt: skip
        st.caption("✓ and ✗ judge the first answer. Point at the name of a column for its question.")
        with st.container(horizontal=True):
            for name, written, file in (
                ("Table as CSV", table.as_csv, "receptive-hand-ins.csv"),
                ("Every answer as CSV", table.answers_csv, "receptive-answers.csv"),
            ):
                st.download_button(
                    name, written(hand_ins), file, "text/csv", icon=":material/table:", on_click="ignore"
                )
    with st.expander("What the check means", icon=":material/verified_user:"):
        st.markdown(
            "- **Unchanged, from this lab**: the lab wrote exactly these answers. It does not know who sat before it: "
            "two students may hand in the same ones.\n"
            "- **From another lab: not checked**: each lab signs with a secret of its own. Two labs believe each other "
            "if both have the same `RECEPTIVE_SECRET`.\n"
            "- **Changed since the lab wrote it**: at least one letter is another one. Its answers are left out.\n"
            "- **Not readable**: cut off when it was copied, or something else."
        )
