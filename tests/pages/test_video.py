"""The video page: what plays, what a look may take, what becomes of a box between two looks, who crosses a line."""

import numpy as np
import pytest

from labs import between_looks, line_counting, tracking
from labs.tracking import KALMAN, STILL, Settings
from models import catalog
from pages.video import between, chain, counting, looks, play, shared, stored
from pages.video.shared import Choice
from scenes import THINGS
from scenes.film import FilmKnobs
from ui.components import Player
from ui.components.player.reels import CHUNK

PAGE = "video"
SECONDS = 1.0  # of the films here: what holds for 25 frames holds for 200
KNOBS = FilmKnobs(people=2, vehicles=2, dogs=1, light=1.0, noise=0.0, fog=0.0)
NAMED = {"video_people": 2, "video_vehicles": 2, "video_dogs": 1, "video_light": "Day", "video_noise": "None",
         "video_fog": "None"}  # fmt: skip
LINE = (112, 0, 112, 224)


@pytest.fixture(autouse=True)
def short_films(monkeypatch):
    monkeypatch.setattr(shared, "SECONDS", SECONDS)


@pytest.fixture
def shown(monkeypatch) -> dict:
    """What the players of this test show, by key: the reel, and what is said beside it."""
    found = {}
    show = Player.show

    def watch(self, reel, **options):
        found[self.key] = (reel, options)
        return show(self, reel, **options)

    monkeypatch.setattr(Player, "show", watch)
    return found


@pytest.fixture(scope="module")
def choice() -> Choice:
    return Choice(shared.SEED, KNOBS, SECONDS)


@pytest.fixture(scope="module")
def every_frame(choice) -> list:
    """What SSD says of each frame, asked directly."""
    network, found = catalog.load("ssd"), []
    for index in range(len(choice.film)):
        said = network(choice.frame(index))
        found.append(stored.Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy()))
    return found


def looked(choice: Choice, every: int = 1) -> stored.StoredLooks:
    """SSD's looks at a whole film, once all are there."""
    watched = stored.looks(choice, "ssd")
    for index in looks.looked_at(0, len(choice.film), every):
        watched.at(index)
    return watched


def opened(visit, sound, **state):
    return sound(visit(PAGE, {"predict": "off"}, **NAMED, video_detector="ssd", **state))


def test_every_kth_frame_counted_from_the_first():
    assert list(looks.looked_at(0, 8, 3)) == [0, 3, 6]
    assert list(looks.looked_at(8, 16, 3)) == [9, 12, 15]
    assert list(looks.looked_at(9, 10, 3)) == [9] and list(looks.looked_at(10, 12, 3)) == []


def test_the_network_looks_in_the_background_at_what_somebody_waits_for(choice, every_frame):
    watched = stored.StoredLooks(choice, "ssd")
    assert watched.found == [None] * 25 and watched.done(3) == (0, 9)
    assert not watched.want(8, 16, 3)
    while not watched.there(8, 16, 3):
        assert watched.running
        watched.want(8, 16, 3)
    seen = [index for index, found in enumerate(watched.found) if found is not None]
    assert seen == [9, 12, 15] and watched.want(8, 16, 3) and watched.done(3) == (3, 9)
    for index in seen:
        np.testing.assert_allclose(watched.found[index].boxes, every_frame[index].boxes, atol=1e-4)
    assert watched.typical > 0 and watched.device
    watched.stop(wait=30)
    assert not watched.running and watched.rate is None


def test_a_network_that_nobody_waits_for_stops(choice):
    watched = stored.StoredLooks(choice, "ssd")
    watched.patience = 0.0
    watched.want(0, 25)
    watched._thread.join(30)
    assert watched.state == "stopped" and None in watched.found


def test_tracks_part_by_part_are_those_of_the_whole_film(choice, every_frame):
    looked(choice, every=2)
    settings = Settings(confirm=1)
    parts = chain.Chain(choice, "ssd", 2, settings)
    assert parts.ready(0, 25)
    found = [frame for first in range(0, 25, CHUNK) for frame in parts.frames(first, min(first + CHUNK, 25))]
    whole = tracking.track(every_frame, settings, 2)
    assert [[(each.track, each.label, each.state) for each in frame] for frame in found] == [
        [(each.track, each.label, each.state) for each in frame] for frame in whole
    ]
    told = parts.marks(CHUNK, 2 * CHUNK)
    kinds = {mark.kind for frame in told.frames for mark in frame}
    assert kinds == {"detected", "predicted"} and len(told.frames) == CHUNK
    assert all(mark.score is None for mark in told.frames[1] if mark.kind == "predicted")


def test_the_player_shows_the_film_and_what_the_network_may_take(visit, sound, prose, shown, choice):
    looked(choice, every=4)
    told = prose(opened(visit, sound, video_every=4))
    reel, options = shown["video_play"]
    assert (reel.frames, reel.rate, reel.size) == (25, 25, (224, 224)) and reel.marks is not None
    np.testing.assert_array_equal(reel.picture(3), choice.film.frame(3))
    assert options["alt"].startswith(f"Film {shared.SEED}, frame 1: SSD finds")
    assert "**160 ms** from one look to the next" in told and "one of 4" in told
    # the lectures: 47 s and 0.2 s a picture, in frames of this film
    assert "R-CNN took 47 s a picture, 1,175 frames" in told and "Faster R-CNN 0.2 s, 5 frames" in told


def test_the_film_alone_asks_no_network_and_the_truth_is_drawn_on_wish(visit, sound, shown, choice):
    opened(visit, sound, video_shown="Film alone")
    assert shown["video_play"][0].marks is None
    looked(choice, every=3)
    opened(visit, sound, video_shown="Truth too")
    marks = shown["video_play"][0].marks(0, CHUNK).frames[0]
    assert [mark.label for mark in marks if mark.kind == "truth"] == [each.label for each in choice.film.truth(0)]
    found = [mark for mark in marks if mark.kind != "truth"]
    assert found and all(mark.track is None and mark.kind == "detected" for mark in found), "seen once: no number yet"
    later = [mark for mark in shown["video_play"][0].marks(CHUNK, 2 * CHUNK).frames[-1] if mark.kind != "truth"]
    assert any(mark.track is not None for mark in later)


def test_held_and_predicted_boxes_are_compared_with_the_truth(visit, sound, prose, choice):
    told = prose(opened(visit, sound, video_gap=5))
    things, found = between.truth_of(choice)
    for name, predict in (("held", STILL), ("predicted", KALMAN)):
        last = between_looks.overlap_by_age(things, found, Settings(predict=predict, confirm=1), 5)[-1]
        assert f"{name} **{last:.2f}**" in told
    assert "After **4** frames, 0.16 s" in told


@pytest.mark.parametrize(("value", "answer"), [(float("nan"), 0.3), (0.0, 0.3), (0.84, 0.8), (1.0, 1.0)])
def test_the_nearest_answer(value, answer):
    assert between.nearest(value) == answer


def test_counts_of_the_truth_and_of_the_tracks(visit, sound, prose, shown, choice, every_frame):
    looked(choice)
    told = prose(opened(visit, sound, video_count_every=1, video_count_line=LINE))
    truth = line_counting.crossings(counting.true_tracks(choice), np.array(LINE, float))
    seen = line_counting.crossings(tracking.track(every_frame, Settings(), 1), np.array(LINE, float))
    assert truth, "somebody crosses the middle within a second"
    assert f"**In truth: {len(truth)}**" in told and f"**SSD and its tracks: {len(seen)}**" in told
    for label, ways in line_counting.tally(truth).items():
        assert f"{THINGS[label - 1]}: **{ways['left']}** to A, **{ways['right']}** to B" in told
    reel, options = shown["video_count"]
    assert options["sides"] == ("A", "B") and len(reel.marks(0, 3).frames) == 3


def test_while_the_network_looks_there_is_a_progress_bar_and_the_truth(visit, sound, prose, shown, monkeypatch):
    monkeypatch.setattr(stored.StoredLooks, "start", lambda self: None)
    at = opened(visit, sound, video_count_every=7, video_seed=4)
    assert shown["video_count"][0].marks is None and "In truth" in prose(at) and "and its tracks" not in prose(at)


@pytest.mark.parametrize(
    ("truth", "seen", "told"), [(2, 2, "The same number"), (3, 1, "2 missed"), (0, 1, "1 counted twice or invented")]
)
def test_what_a_difference_means(truth, seen, told):
    assert told in counting.verdict(truth, seen)


@pytest.mark.parametrize(("milliseconds", "every", "told"), [(40, 1, "keeps up"), (41, 1, "falls behind")])
def test_a_budget_that_is_just_met(monkeypatch, milliseconds, every, told):
    said = []
    monkeypatch.setattr(play, "words", lambda text, key: said.append(text))
    play.budget(milliseconds, 25, every)
    assert told in said[0] and "**40 ms** from one look" in said[0]


def test_a_network_that_broke_off_is_said_in_one_sentence(visit, choice, monkeypatch):
    broken = stored.StoredLooks(choice, "ssd")
    broken.state = "failed"
    monkeypatch.setattr(stored, "looks", lambda choice, network: broken)
    with pytest.raises(ValueError, match="broke off"):
        stored.detections(choice.seed, choice.knobs, choice.seconds, "ssd", 1)
