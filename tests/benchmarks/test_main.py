"""The command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import parser

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "words", [["--help"], ["latency", "--help"], ["class", "--help"], ["heatmaps", "--help"], ["rcnn", "--help"]]
)
def test_help(words):
    done = subprocess.run([sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "python -m benchmarks" in done.stdout


def test_arguments():
    given = parser().parse_args(["latency", "--json", "--view", "iou", "matrix", "--seconds", "2"])
    assert (given.json, given.view, given.seconds) == (True, ["iou", "matrix"], 2.0)
    given = parser().parse_args(["class", "--students", "100", "--minutes", "10"])
    assert (given.students, given.minutes, given.json) == (100, 10.0, False)
    given = parser().parse_args(["heatmaps", "--json", "--scenes", "3"])
    assert (given.command, given.scenes, given.json) == ("heatmaps", 3, True)


@pytest.mark.parametrize("words, said", [
    (["class", "--students", "0"], "'0' is not a number from 1 to 1000"),
    (["class", "--students", "many"], "'many' is not a number"),
    (["class"], "--students"),
    (["latency", "--view", "nothing"], "nothing"),
    (["latency", "--seconds", "nan"], "'nan' is not a number"),
])  # fmt: skip
def test_a_wrong_word_is_refused_with_a_sentence(words, said, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert said in capsys.readouterr().err
