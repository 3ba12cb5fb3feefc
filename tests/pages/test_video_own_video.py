"""The section for a visitor's own video: a film of Lab World goes in as a file, is looked at, and comes out again."""

import time

import numpy as np
import pytest

from labs.tracking import Settings
from models import catalog
from pages.video import own_looks, own_video, shared
from scenes.film import FilmKnobs, film
from ui import own_video as videos
from ui import video_coding
from ui.components import Box, Mark, Player

FRAMES = 8


@pytest.fixture(scope="module")
def street() -> bytes:
    """A third of a second of Lab World as a video file."""
    passing = film(3, FilmKnobs(light=1.0, noise=0.0, fog=0.0), 1)
    return videos.write((passing.frame(index) for index in range(FRAMES)), 25.0).data


@pytest.fixture(scope="module")
def looks(street) -> own_looks.OwnLooks:
    seen = own_looks.OwnLooks("street", videos.read(street, "street.mp4"), catalog.load("ssd"))
    steps = list(seen.work(3))
    assert [step[:2] for step in steps] == [(1, 3), (2, 3), (3, 3)] and list(seen.work(3)) == []
    return seen


@pytest.fixture
def shown(monkeypatch) -> dict:
    found, show = {}, Player.show

    def watch(self, reel, **options):
        found[self.key] = (reel, options)
        return show(self, reel, **options)

    monkeypatch.setattr(Player, "show", watch)
    monkeypatch.setattr(shared, "SECONDS", 0.4)
    return found


def test_every_k_th_frame_is_looked_at_once_and_tracks_go_on_between(looks):
    assert [each is not None for each in looks.found] == [True, False, False, True, False, False, True, False]
    assert looks.done(3) == (3, 3) and looks.device == "cpu" and looks.typical > 0
    frames = looks.tracked(Settings(confirm=1), 3)
    assert len(frames) == FRAMES
    followed = set.intersection(*({each.track for each in frame} for frame in frames))
    assert {"person", "car"} & {looks.names[each.label] for each in frames[0] if each.track in followed}
    assert len(looks.tracked(Settings(), 1)) == 1  # frame 1 has not been looked at


def test_the_labs_networks_see_a_large_video_at_the_size_of_lab_world(looks):
    """Twice as large, the same things are found, at twice the place."""
    large = own_looks.OwnLooks("large", Twice(looks.video), looks.network)
    list(large.work(FRAMES))
    np.testing.assert_allclose(large.found[0].boxes[:2] / 2, looks.found[0].boxes[:2], atol=6)
    assert [large.names[each] for each in large.found[0].labels[:2]] == [
        looks.names[each] for each in looks.found[0].labels[:2]
    ]


class Twice:
    """A video with every pixel four times."""

    def __init__(self, video: videos.Video):
        self.video = video

    def __len__(self) -> int:
        return len(self.video)

    def frame(self, index: int) -> np.ndarray:
        return self.video.frame(index).repeat(2, 0).repeat(2, 1)


def test_boxes_are_painted_in_the_colour_of_the_track():
    blank = np.zeros((60, 80, 3), np.uint8)
    image = own_looks.drawn(blank, [Mark((20.0, 25.0, 60.0, 50.0), "dog", 0.9, 1)])
    assert image[50, 40].tolist() == [0xD5, 0x5E, 0x00] and not image[37, 40].any()
    assert own_looks.drawn(blank, [Mark((0.0, 0.0, 10.0, 10.0), "dog", None, 2, "predicted")]).shape == blank.shape


def test_every_detector_is_offered_once():
    names = [offer.name for offer in own_video.offers()]
    assert names[0] == shared.NETWORK and len(names) == len(set(names))
    assert {"ssd", "yolo-anchor", "fasterrcnn_resnet50_fpn_v2", "keypointrcnn_resnet50_fpn"} <= set(names)
    assert not set(own_video.PLAYS) ^ {codec for *_, codec in video_coding.CODECS}


def test_a_video_is_looked_at_and_taken_home(visit, sound, said, shown, street):
    at = sound(visit("video", video_own_model="ssd", video_own_every=4))
    assert "No video yet" in said(at)
    at = sound(at.file_uploader("video_own_file").upload("street.mp4", street).run())
    assert f"{FRAMES} frames, 0.3 s at 25 a second, 224 × 224 pixels" in said(at)
    assert "No frame has been looked at yet" in said(at) and shown["video_own_play"][0].marks is None
    at = sound(at.button("video_own_look").click().run())
    until = time.monotonic() + 120
    while "in 2 of 2 frames" not in said(at) and time.monotonic() < until:
        at = sound(at.run())
        time.sleep(0.1)
    assert "in 2 of 2 frames" in said(at) and "ssd · cpu" in said(at)
    reel, options = shown["video_own_play"]
    assert reel.frames == FRAMES and reel.size == (224, 224) and "ssd finds" in options["alt"]
    assert reel.marks(4, 8).frames[0]
    at.session_state["video_own_play_frame"] = 5  # no frame that has been looked at
    at = sound(at.toggle("video_own_draw").set_value(True).run())
    assert "This is frame **6**" in said(at) and "Draw the first box" in said(at)
    at.session_state["video_own_truth_stage"] = [Box("a", (0.0, 0.0, 9.0, 9.0), "dog", editable=True)]
    at = sound(at.run())
    assert "**ssd**: precision" in said(at) and "recall **0.00** (0 of 1)" in said(at)
    assert "in 2 of 2 frames" in said(at), "a look for the truth is none for the film"
    at.session_state["video_own_play_frame"] = 4
    at = sound(at.button("video_own_take").click().run())
    assert "This is frame **5**" in said(at) and "Draw the first box" in said(at)
    at = sound(at.button("video_own_write").click().run())
    assert "without sound" in said(at)


def test_a_file_that_is_no_video_is_one_sentence(visit, said, shown):
    at = visit("video")
    at = at.file_uploader("video_own_file").upload("letter.mp4", b"Dear lab").run()
    assert not at.exception and "“letter.mp4” is not a video" in "".join(each.value for each in at.error) + said(at)
