"""Video: assignment and scores follow their controls, on a film of one second that a real detector has looked at."""

import numpy as np
import pytest

from labs import tracking, tracking_metrics
from labs.tracking import Settings
from pages.video import scores, shared, stored
from pages.video.assignment import EXAMPLE, total
from pages.video.looks import NONE


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """A second of the film, each second frame looked at before the page opens."""
    monkeypatch.setattr(shared, "SECONDS", 1.0)
    choice = shared.Choice(seconds=1.0)
    looks = stored.looks(choice, shared.NETWORK)
    for index in range(0, len(choice.film), shared.EVERY):
        looks.at(index)
    return choice


def test_scores_are_those_of_the_lab_and_follow_the_thresholds(visit, sound, prose, short):
    found = stored.looks(short, shared.NETWORK).found
    stored_only = [each if each is not None and i % shared.EVERY == 0 else NONE for i, each in enumerate(found)]
    for settings in (Settings(), Settings(least_score=0.95, confirm=3)):
        at = sound(visit("video", video_score=settings.least_score, video_score_confirm=settings.confirm))
        frames = scores.compared(short, tracking.track(stored_only, settings, shared.EVERY))
        mota = tracking_metrics.mota(frames)
        assert f"**MOTA {mota.value:.3f}**: {mota.truths} truths, {mota.misses} misses" in prose(at)
        assert f"**HOTA {tracking_metrics.hota(frames).value:.3f}**" in prose(at)


def test_the_costs_are_beside_the_frame_and_a_moved_detection_changes_them(visit, sound, drawn, short):
    sound(visit("video", video_look=5))
    first = drawn.grids["video_costs"]["costs"].values
    boxes = stored.looks(short, shared.NETWORK).found[10]
    sure = boxes.subset(boxes.scores >= Settings().least_score)
    assert np.asarray(first).shape[1] == len(sure.boxes)
    away = ",".join(["10", *["0,0,5,5"] * len(sure.boxes)])
    sound(visit("video", {"video_moved": away}, video_look=5))
    assert np.asarray(drawn.grids["video_costs"]["costs"].values).min() > np.asarray(first).min()


def test_boxes_of_another_frame_are_refused_in_a_sentence(visit, short):
    at = visit("video", {"video_moved": "10,1,2"}, video_look=5)
    assert not at.exception and any("do not belong to this frame" in error.value for error in at.error)


def test_greedy_pays_more_in_the_example():
    assert total(EXAMPLE, tracking.greedy(EXAMPLE, 1).pairs) == 1.0
    assert total(EXAMPLE, tracking.assign(EXAMPLE, 1).pairs) == 0.5
