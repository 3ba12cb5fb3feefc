"""What is handed in comes back as it was or is known to be changed; and nothing that comes stops the table."""

import base64
import csv
import io
import json
import os
import zipfile
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from ui.hand_in import gathering, seal, table, work
from ui.hand_in.seal import CHANGED, ELSEWHERE, MOST, UNCHANGED, UNREADABLE

ANSWER = {
    "page": "Upsampling", "question": "How many?", "first": "4", "first_truth": "12", "first_right": False,
    "last": "12", "last_truth": "12", "last_right": True, "guesses": 2, "looked": False,
}  # fmt: skip
WORK = {"version": 1, "label": "Nr 7", "made": "2026-11-27T08:00Z", "answers": {"cells": ANSWER},
        "pages": {"upsampling": "up_factor=3"}}  # fmt: skip
TEXT = st.text(max_size=60).filter(lambda text: text.isprintable())
WORKS = st.builds(
    lambda label, first, guesses, right: WORK
    | {"label": label, "answers": {"cells": ANSWER | {"first": first, "guesses": guesses, "first_right": right}}},
    TEXT, TEXT, st.integers(0, 1000), st.booleans(),
)  # fmt: skip


@pytest.fixture(autouse=True)
def this_lab(monkeypatch):
    monkeypatch.setenv(seal.OPTION, "of this lab")


@given(WORKS)
def test_what_is_handed_in_comes_back(done):
    assert seal.open_file(seal.as_file(done).encode()) == seal.Opened(UNCHANGED, done)
    code = seal.as_code(done)
    lines = "\r\n  ".join(code[at : at + 76] for at in range(0, len(code), 76))
    assert seal.open_codes(f"Max:\n{lines} Thanks. \n{code}") == [seal.Opened(UNCHANGED, done)] * 2


@settings(max_examples=20)
@given(st.integers(1, 255))
@example(1)
def test_every_changed_byte_is_found(change):
    """At every place; or it changes nothing that is said, as another space between two brackets."""
    for written, opened in ((seal.as_file, seal.open_file), (seal.as_code, _only)):
        text = written(WORK).encode()
        for place in range(len(text)):
            found = opened(text[:place] + bytes([text[place] ^ change]) + text[place + 1 :])
            assert found.verdict in (CHANGED, UNREADABLE, ELSEWHERE) or found == seal.Opened(UNCHANGED, WORK)
            assert found.verdict != CHANGED or found.work is None


def _only(data: bytes) -> seal.Opened:
    found = seal.open_codes(data.decode("latin-1"))
    return found[0] if found else seal.Opened(UNREADABLE)


def test_an_answer_made_better_is_called_changed():
    text = seal.as_file(WORK)
    assert seal.open_file(text.replace('"first_right": false', '"first_right": true').encode()) == seal.Opened(CHANGED)
    assert seal.open_file(text.replace('"guesses": 2', '"guesses": -1').encode()) == seal.Opened(CHANGED)
    lab, signed = seal.as_code(WORK).removeprefix(seal.MARK).split(".")[:2]
    better = zlib.compress(seal._body(WORK | {"label": "Nr 8"}))
    forged = f"{seal.MARK}{lab}.{signed}.{base64.urlsafe_b64encode(better).decode().rstrip('=')}."
    assert seal.open_codes(forged) == [seal.Opened(CHANGED)]


def test_another_labs_is_shown_and_not_believed(monkeypatch):
    theirs, code = seal.as_file(WORK).encode(), seal.as_code(WORK)
    monkeypatch.setenv(seal.OPTION, "of another lab")
    assert seal.open_file(theirs) == seal.Opened(ELSEWHERE, WORK)
    assert seal.open_codes(code) == [seal.Opened(ELSEWHERE, WORK)]


def test_a_secret_is_made_once_and_is_nobody_elses(monkeypatch, tmp_path):
    monkeypatch.delenv(seal.OPTION)
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    first = seal.secret()
    assert len(first) == 64 and seal.secret() == first
    (file,) = (tmp_path / "cache").iterdir()
    assert os.name == "nt" or file.stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ValueError, match=seal.OPTION):
        seal.open_file(seal.as_file(WORK).encode())


def bomb() -> str:
    packed = base64.urlsafe_b64encode(zlib.compress(b'"' + b"0" * 50_000_000 + b'"', 9)).decode().rstrip("=")
    return f"{seal.MARK}{seal._lab(seal.secret())}.AAAA.{packed}."


def archive(**files) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        for name, data in files.items():  # of no date: every worker must name its tests alike
            made.writestr(zipfile.ZipInfo(name.replace("__", "/")), data, zipfile.ZIP_DEFLATED)
    return written.getvalue()


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b"\x80\x04N.", b"[" * 100_000, b'{"a":' * 50_000,
    b'{"receptive":1,"lab":2,"seal":3,"work":4}', b"\x89PNG\r\n", b"9" * 10_000,
    b'{"receptive":"","lab":"","seal":"zz","work":"\\ud800"}', b"{" + b" " * MOST,
    archive(a=b"x")[:-30], b"PK\x03\x04", seal.MARK.encode(), b"\xff" * 100 + seal.MARK.encode() + b"00000000.A.A.",
], ids=lambda data: repr(data[:12]))  # fmt: skip
def test_what_is_no_hand_in_is_one_row_and_the_others_stay(data):
    good = seal.as_file(WORK).encode()
    found = gathering.gathered([("a.json", good), ("bad.json", data), ("b.json", good)], bomb())
    assert [each.opened.verdict for each in found] == [UNCHANGED, UNREADABLE, UNCHANGED, UNREADABLE]
    assert len(table.rows(found)) == 4


def test_a_platforms_archive_is_read_file_by_file():
    code, good = seal.as_code(WORK | {"label": ""}), seal.as_file(WORK | {"label": ""}).encode()
    data = archive(Ada_12_file__hand_in=good, Bea_13_onlinetext__text=f"<p>{code}</p>", Huge__x=b"{" + b"0" * 9_000_000)
    found = gathering.gathered([("all.zip", data)])
    assert [(each.student, each.opened.verdict) for each in found] == [
        ("Ada_12_file/hand_in", UNCHANGED), ("Bea_13_onlinetext/text", UNCHANGED), ("Huge/x", UNREADABLE),
    ]  # fmt: skip


def test_the_table_counts_first_answers_and_leaves_changed_ones_out():
    looked = WORK | {
        "label": "=Nr 8",
        "answers": {"cells": ANSWER | {"first": "12", "first_right": True, "looked": True}},
    }
    broken = seal.as_file(WORK).replace("Nr 7", "Nr 9").encode()
    files = [("x", seal.as_file(WORK).encode()), ("y", seal.as_file(looked).encode()), ("z", broken)]
    found = table.rows(gathering.gathered(files))
    assert [(row["student"], row["answered"], row["right at first"], row["cells"]) for row in found] == [
        ("=Nr 8", 1, 0, "✓ 12 (looked first)"), ("Nr 7", 1, 0, "✗ 4"), ("z", None, None, ""),
    ]  # fmt: skip
    lines = list(csv.reader(io.StringIO(table.as_csv(gathering.gathered(files)))))
    assert lines[0][:2] == ["student", "check"] and lines[1][0] == "'=Nr 8" and len({len(line) for line in lines}) == 1
    every = table.answers_csv(gathering.gathered(files))
    assert "upsampling?up_factor=3" in every and every.count("How many?") == 2 and "Nr 9" not in every


@pytest.mark.parametrize("change", [
    {"version": 2}, {"label": 1}, {"label": "x" * 200}, {"more": 1}, {"answers": []}, {"pages": {"a": 1}},
    {"answers": {"cells": {}}}, {"answers": {"cells": ANSWER | {"guesses": True}}},
    {"answers": {"cells": ANSWER | {"first": "x" * 301}}}, {"answers": {str(n): ANSWER for n in range(501)}},
], ids=str)  # fmt: skip
def test_only_what_the_lab_writes_is_work(change):
    work.checked(json.loads(json.dumps(WORK)))
    with pytest.raises(ValueError):
        work.checked(WORK | change)


def script():
    import streamlit as st

    from ui import page
    from ui.hand_in import window

    page.begin("Upsampling", question="Which?")
    answer = st.selectbox("Truth", [12, 8], key="truth")
    with page.guard(), page.predict("cells", "How many?", [0, 8, 12]) as prediction:
        prediction.outcome(answer, "because they are empty.")
    window.part()
    st.session_state["collected"] = window.work.collected(st.session_state["hand_in_label"])


def test_a_page_collects_the_first_guess_and_the_last():
    at = AppTest.from_function(script, default_timeout=30).run()
    assert at.session_state["collected"]["answers"] == {} and "0 answers" in at.markdown[-1].value
    at.button_group[0].set_value(8).run()
    at.selectbox[0].set_value(8).run()  # the truth moves: a guess is judged when it is given
    at.button_group[0].set_value(12).run()
    at.text_input[0].set_value(" Nr  7 ").run()
    found = at.session_state["collected"]
    assert found["label"] == "Nr 7" and found["pages"] == {"upsampling": ""}
    assert found["answers"] == {"cells": {
        "page": "Upsampling", "question": "How many?", "first": "8", "first_truth": "12", "first_right": False,
        "last": "12", "last_truth": "8", "last_right": False, "guesses": 2, "looked": False,
    }}  # fmt: skip
    (code,) = seal.open_codes(at.code[0].value)
    assert code.verdict == UNCHANGED and code.work["answers"] == found["answers"]


def test_who_looks_first_is_known():
    at = AppTest.from_function(script, default_timeout=30).run()
    next(each for each in at.button if each.label == "Show me").click().run()
    at.button_group[0].set_value(12).run()
    (answer,) = at.session_state["collected"]["answers"].values()
    assert (answer["looked"], answer["guesses"], answer["first_right"]) == (True, 1, True)
