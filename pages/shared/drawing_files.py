"""Drawings that come and go as files: COCO JSON to download, to load, and a second one to compare with."""

import json
from collections.abc import Collection, Sequence

import streamlit as st

from labs import coco_file
from labs.coco_file import Drawing, Mark
from ui import page
from ui.pictures import Picture

LARGEST = 2  # MB, of a COCO file


def offered(key: str, picture: Picture, marks: Sequence[Mark]) -> None:
    """The button that downloads the drawing."""
    text = json.dumps(coco_file.write(marks, picture.image.shape[:2], picture.name))
    st.download_button(
        "Download as COCO JSON", text, "drawing.json", "application/json", key=f"{key}_download",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def taken(key: str, label: str, picture: Picture, known: Collection[str], masks: bool = False) -> Drawing | None:
    """What a newly chosen file holds, once; None while there is none, or where it was refused, with its sentence.

    The notes of the file stay below the control for as long as the file does.
    """
    file = st.file_uploader(label, ["json"], key=f"{key}_file", max_upload_size=LARGEST)
    if file is None:
        st.session_state.pop(f"_{key}_taken", None)
        return None
    before, notes = st.session_state.get(f"_{key}_taken", (None, ()))
    found = None
    if before != file.file_id:
        notes = ()
        try:
            found = coco_file.read(file.getvalue(), known, picture.image.shape[:2], picture.name, masks)
            notes = found.notes
        except ValueError as refused:
            notes = (f"!{refused}",)
        st.session_state[f"_{key}_taken"] = (file.file_id, notes)
    for note in notes:
        page.problem(note[1:]) if note.startswith("!") else st.caption(note)
    return found
