"""What is handed in: answers, and the state of every page that was opened. Texts, whole numbers and truth values only.

{"version": 1, "label": "", "made": "2026-11-27T08:20Z",
 "answers": {"cells": {"page": "Upsampling", "question": "…", "first": "8", …}},
 "pages": {"upsampling": "up_factor=3"}}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ui import answers, course
from ui.components import address

Work = dict[str, Any]
VERSION = 1
LABEL = 60  # characters
STATE = 4000  # characters of a page's query; longer ones, with brush strokes, are left out
OWN = ("room", "follow", "lecture", "notes", "predict", "embed", "embed_options", "section")  # of no page's state
TEXTS = ("page", "question", "first", "first_truth", "last", "last_truth")
TRUTHS = ("first_right", "last_right", "looked")


def collected(label: str, now: datetime | None = None) -> Work:
    """The visitor's answers and states so far, with a `label` of her choice or none."""
    files = {lesson.title: lesson.file for lesson in course.ready()}
    states = {files[title]: _state(query) for title, query in address.states().items() if title in files}
    return {
        "version": VERSION,
        "label": " ".join(label.split())[:LABEL],
        "made": (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%MZ"),
        "answers": {key: dict(each) for key, each in answers.given().items()},
        "pages": {file: query for file, query in states.items() if query is not None},
    }


def _state(query: Mapping[str, Sequence[str]]) -> str | None:
    kept = {name: texts for name, texts in query.items() if name not in OWN and not name.startswith("predict-")}
    text = urlencode(kept, doseq=True)
    return text if len(text) <= STATE else None


def checked(found: object) -> Work:
    """`found` itself, if it is what `collected` makes. Raises ValueError if not: files come from anywhere."""
    if not isinstance(found, dict) or set(found) != {"version", "label", "made", "answers", "pages"}:
        raise ValueError("no hand-in")
    if found["version"] != VERSION or not isinstance(found["answers"], dict) or not isinstance(found["pages"], dict):
        raise ValueError("no hand-in of this version")
    if len(found["answers"]) > answers.MOST or len(found["pages"]) > 200:
        raise ValueError("too many answers")
    _texts((found["label"], found["made"], *found["answers"], *found["pages"]), LABEL * 2)
    _texts(found["pages"].values(), STATE)
    for answer in found["answers"].values():
        if not isinstance(answer, dict) or set(answer) != {*TEXTS, *TRUTHS, "guesses"}:
            raise ValueError("no answer")
        _texts((answer[name] for name in TEXTS), answers.LONGEST)
        if not all(isinstance(answer[name], bool) for name in TRUTHS) or type(answer["guesses"]) is not int:
            raise ValueError("no answer")
        if not 0 <= answer["guesses"] <= 1000:
            raise ValueError("no answer")
    return found


def _texts(found: Any, longest: float = math.inf) -> None:
    if not all(isinstance(each, str) and len(each) <= longest for each in found):
        raise ValueError("no text, or too long")


def file_name(label: str) -> str:
    """The label as a part of a file's name."""
    return "".join(each if each.isalnum() else "-" for each in label.strip()).strip("-") or "hand-in"
