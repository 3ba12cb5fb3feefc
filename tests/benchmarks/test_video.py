"""The measurement of films: its options, its keys, and that a played film is counted frame by frame."""

from benchmarks import video
from benchmarks.__main__ import parser
from pages.video import shared


def test_the_options():
    assert (parser().parse_args(["video"]).films, parser().parse_args(["video"]).plays) == (10, 3)
    assert parser().parse_args(["video", "--films", "2", "--json"]).films == 2


def test_the_films_are_ten_and_nobody_is_shown_them():
    assert len(video.HELD_OUT) == 10 and shared.SEED not in video.HELD_OUT and video.SHOWN not in video.HELD_OUT


def test_scores_of_a_short_film(monkeypatch):
    monkeypatch.setattr(shared, "SECONDS", 0.4)
    found = video.scores(1)
    assert found["films"] == len(found["idf1_each"]) == 1 and 0 <= found["idf1"] <= 1 and found["truths"] > 0
    assert found["misses"] <= found["truths"] and found["every"] == shared.EVERY
