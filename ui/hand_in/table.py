"""What was handed in as tables: a row for each student, and as CSV also a row for each answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from ui.hand_in.gathering import HandIn
from ui.hand_in.seal import SAID
from ui.rooms.tally import harmless

RIGHT, WRONG, LOOKED = "✓", "✗", "looked first"
ANSWER = ("first", "first_right", "first_truth", "last", "last_right", "guesses", "looked")
HEAD = ("student", "check", "handed in", "answered", "right at first", "pages")


def questions(hand_ins: Sequence[HandIn]) -> dict[str, str]:
    """Every question that somebody has met, in words, by its key."""
    found: dict[str, str] = {}
    for each in hand_ins:
        for key, answer in (each.opened.work or {}).get("answers", {}).items():
            found.setdefault(key, answer["question"])
    return dict(sorted(found.items()))


def rows(hand_ins: Sequence[HandIn]) -> list[dict[str, Any]]:
    """One for each hand-in, by student: HEAD, then what was said first to every question."""
    asked = questions(hand_ins)
    found = []
    for each in sorted(hand_ins, key=lambda one: (one.student.casefold(), one.name)):
        row: dict[str, Any] = dict.fromkeys(HEAD)
        row |= {"student": each.student, "check": SAID[each.opened.verdict]}
        if (work := each.opened.work) is not None:
            answered = [answer for answer in work["answers"].values() if answer["guesses"]]
            right = sum(answer["first_right"] and not answer["looked"] for answer in answered)
            row |= {"handed in": work["made"], "answered": len(answered), "right at first": right}
            row |= {"pages": len(work["pages"])}
        answers = work["answers"] if work is not None else {}
        found.append(row | {key: _said(answers.get(key)) for key in asked})
    return found


def _said(answer: dict[str, Any] | None) -> str:
    if answer is None:
        return ""
    if not answer["guesses"]:
        return LOOKED
    return f"{RIGHT if answer['first_right'] else WRONG} {answer['first']}" + f" ({LOOKED})" * answer["looked"]


def as_csv(hand_ins: Sequence[HandIn]) -> str:
    """The rows of the table."""
    return _written([[*HEAD, *questions(hand_ins)], *(list(row.values()) for row in rows(hand_ins))])


def answers_csv(hand_ins: Sequence[HandIn]) -> str:
    """A row for each answer, with the last one, and for each page with its address."""
    lines = [["student", "check", "page", "question", "text", "first answer", "right", "truth", "last answer", "right",
              "guesses", "looked first"]]  # fmt: skip
    for each in hand_ins:
        if (work := each.opened.work) is None:
            continue
        begin = [each.student, SAID[each.opened.verdict]]
        for key, said in sorted(work["answers"].items()):
            lines.append([*begin, said["page"], key, said["question"], *(said[name] for name in ANSWER)])
        for file, query in sorted(work["pages"].items()):
            lines.append([*begin, file, "", f"{file}?{query}".rstrip("?")])
    return _written(lines)


def _written(lines: Sequence[Sequence[Any]]) -> str:
    written = io.StringIO()
    table = csv.writer(written)
    for line in lines:
        table.writerow(["" if cell is None else harmless(str(cell)) for cell in line])
    return written.getvalue()
