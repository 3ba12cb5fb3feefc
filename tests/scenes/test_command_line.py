import json

import cv2
import pytest

from scenes.__main__ import main


def test_render_draws_a_contact_sheet(tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["render", "--count", "3", "--columns", "2", "--size", "32", "--out", str(out)]) == 0
    assert cv2.imread(str(out)).shape == (2 * 36 + 4, 2 * 36 + 4, 3)
    assert str(out) in capsys.readouterr().out


def test_export_writes_coco_and_a_second_call_finds_it_done(tmp_path):
    command = ["export", "--format", "coco", "--count", "2", str(tmp_path), "--size", "32", "--classes", "cat", "duck"]
    assert main(command) == 0
    found = json.loads((tmp_path / "annotations.json").read_text())
    assert len(found["images"]) == 2
    assert {a["category_id"] for a in found["annotations"]} <= {2, 4}
    assert main(command) == 0


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["render", "--count", "0"], "count"),
        (["render", "--fog", "3"], "fog"),
        (["render", "--classes", "unicorn"], "unicorn"),
        (["render", "--size", "5", "--count", "1", "--out", "unwritten.png"], "pixels"),
        (["render", "--count", "1", "--size", "32", "--out", "/nowhere/sheet.png"], "sheet.png"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(arguments, word, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert word in error and "Traceback" not in error
