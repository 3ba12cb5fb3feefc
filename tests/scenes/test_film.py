"""Films: the same bytes again, tracks without gaps, truth that is the scene's, and nothing of it in still scenes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

import scenes
from models.recipes import scene_cache
from scenes.film import RATE, SWAY, Film, FilmKnobs, film
from scenes.motion import running, walking
from scenes.motion.moving import Moving
from scenes.things import dog, person

SMALL = 112  # pixels: what a test needs to see


def walker(**look) -> dict:
    return person.sample(np.random.default_rng(5)) | {"pose": "walking", "view": "side", "gaze": "side"} | look


def places(passing: Film, every: int = 1) -> dict[int, list[tuple[int, Moving]]]:
    """Where each track is, frame by frame."""
    tracks: dict[int, list[tuple[int, Moving]]] = {}
    for index in range(0, len(passing), every):
        scene, numbers = passing._scene_and_tracks(index)
        for number, thing in zip(numbers, scene.objects, strict=True):
            tracks.setdefault(number, []).append((index, thing))
    return tracks


def test_the_same_seed_and_knobs_give_the_same_bytes_in_any_order():
    knobs = FilmKnobs(people=2, noise=0.2, pan=0.5)
    one, other = film(8, knobs, 1), film(8, knobs, 1)
    late = other.frame(20, SMALL)
    for index in (0, 20):
        np.testing.assert_array_equal(one.frame(index, SMALL), other.frame(index, SMALL))
    np.testing.assert_array_equal(late, one.frame(20, SMALL))
    assert len(one) == RATE == one.rate and one.frame(0, SMALL).dtype == np.uint8
    assert (film(9, knobs, 1).frame(0, SMALL) != one.frame(0, SMALL)).any()


def test_noise_is_new_in_every_frame():
    still = film(2, FilmKnobs(0, 0, 0, noise=0.5), 1)
    assert (still.frame(0, SMALL) != still.frame(1, SMALL)).mean() > 0.5
    np.testing.assert_array_equal(*(film(2, FilmKnobs(0, 0, 0, noise=0.0), 1).frame(k, SMALL) for k in (0, 1)))


@pytest.mark.parametrize(("seed", "knobs"), [(3, FilmKnobs(fog=0.4)), (4, FilmKnobs(6, 3, 2, light=0.1, pan=0.7))])
def test_pictures_and_truth_are_those_of_the_renderer(seed, knobs):
    passing = film(seed, knobs, 4)
    for index in (0, 37, 99):
        view = scenes.render(passing.scene(index), 224)
        away = np.abs(passing.frame(index).astype(int) - view.image)[:, 4:-4]  # at its rim resvg paints otherwise
        assert np.quantile(away, 0.999) <= 2 and away.max() <= 40
        truth = passing.truth(index)
        assert [each.label for each in truth] == [each.label for each in view.instances]
        for passer, instance in zip(truth, view.instances, strict=True):
            np.testing.assert_allclose(passer.box, instance.box, atol=1)  # one pixel at the rim
            assert passer.visible == pytest.approx(instance.visible, abs=0.02)


@settings(max_examples=12, deadline=None)
@given(seed=some.integers(0, 9999), pan=some.sampled_from([0.0, 0.4, 1.0]))
@example(seed=614, pan=0.0)
def test_tracks_have_no_gaps_and_things_go_the_way_they_face(seed, pan):
    passing = film(seed, FilmKnobs(people=3, vehicles=2, dogs=1, pan=pan), 6)
    for steps in places(passing).values():
        frames = [index for index, _ in steps]
        assert frames == list(range(frames[0], frames[-1] + 1))
        assert len({thing.label for _, thing in steps}) == len({str(thing.look) for _, thing in steps}) == 1
        seen_at = np.array([thing.x - passing.scene(index).shift for index, thing in steps])
        assert len({thing.flip for _, thing in steps}) == 1
        ahead = np.diff(seen_at) * (-1 if steps[0][1].flip else 1)
        assert (ahead > 0).all() and ahead.max(initial=0) < 12  # none of who is there for one frame
        heights = np.diff([thing.y for _, thing in steps])
        assert (heights >= 0).all() or (heights <= 0).all()
        sizes = [thing.scale / (thing.y - passing.scene(0).horizon) for _, thing in steps]
        assert max(sizes) / min(sizes) < 1.01  # the pinhole camera: size and distance go together


@settings(max_examples=6, deadline=None)
@given(seed=some.integers(0, 9999), index=some.integers(0, 49))
def test_boxes_lie_in_the_picture(seed, index):
    passing = film(seed, seconds=2)
    for passer in passing.truth(index, SMALL):
        x1, y1, x2, y2 = passer.box
        assert 0 <= x1 < x2 <= SMALL and 0 <= y1 < y2 <= SMALL and 0 < passer.visible <= 1


def test_a_pan_shifts_everything_by_whole_units():
    still, panned = (film(7, FilmKnobs(noise=0.0, pan=pan), 3) for pan in (0.0, 0.8))
    shifts = [panned.scene(index).shift for index in range(len(panned))]
    assert SWAY - 1 <= max(shifts) <= SWAY and shifts[0] == 0 and set(np.mod(shifts, 1)) == {0}
    index = int(np.argmax(shifts))
    shift = int(shifts[index])
    for one, other in zip(still.scene(index).objects, panned.scene(index).objects, strict=True):
        np.testing.assert_allclose(one.box + [shift, 0, shift, 0], other.box, atol=1e-9)
    a, b = still.frame(index)[:, 4 : 220 - shift], panned.frame(index)[:, 4 + shift : 220]
    assert (np.abs(a.astype(int) - b) > 2).mean() < 0.02  # the rims, where resvg paints otherwise


def test_one_knob_leaves_the_rest_in_place():
    before, after = (film(5, FilmKnobs(people=count), 1).scene(3).objects for count in (2, 3))
    assert [str(thing) for thing in before] == [str(thing) for thing in after if str(thing) in {str(t) for t in before}]
    assert len(film(5, FilmKnobs(0, 0, 0), 1).scene(0).objects) == 0


def test_a_foot_stays_where_it_stands():
    """From the touch of the heel to that of the other one, the body passes over the foot at one speed."""
    look = walker()
    phases = np.linspace(0.05, 0.45, 9)
    feet = np.array([walking._body(look, phase).at["left_foot"][0] for phase in phases])
    drift = feet + walking.cycle(look) * phases
    assert np.ptp(drift) < 0.12 * walking.cycle(look)


def test_legs_and_arms_swing_in_turn():
    thigh_left, _, thigh_right, _, arm_left, _, arm_right, _ = (swing for swing, _ in walking.bones(0.0))
    assert thigh_left > 20 > -5 > thigh_right and arm_left < 0 < arm_right
    np.testing.assert_allclose(walking.bones(0.5)[:2], walking.bones(0.0)[2:4])
    np.testing.assert_allclose(walking.bones(1.0), walking.bones(0.0))


def test_a_running_foot_goes_back_on_the_ground_and_forward_in_the_air():
    assert running.foot(0.0) == (1.0, 0.0) and running.foot(0.25) == (0.0, 0.0)
    along, height = running.foot(0.75)
    assert along == pytest.approx(0) and height == pytest.approx(1)
    look = dog.sample(np.random.default_rng(1)) | {"pose": "walking"}
    outlines = {phase: running.draw(look, phase).shapes for phase in (0.0, 0.5)}
    assert any((a.segments != b.segments).any() for a, b in zip(*outlines.values(), strict=True))


def test_what_cannot_be_filmed_is_said():
    with pytest.raises(ValueError, match="0 to 12 people at a time, not 13"):
        FilmKnobs(people=13)
    with pytest.raises(ValueError, match=r"pan goes from 0 to 1, not 1\.5"):
        FilmKnobs(pan=1.5)
    with pytest.raises(ValueError, match="fog goes from 0 to 1"):
        FilmKnobs(fog=2)
    with pytest.raises(ValueError, match="at most 600 seconds, not 0"):
        film(1, seconds=0)
    with pytest.raises(ValueError, match="whole number from 0 on"):
        film(-1)
    with pytest.raises(IndexError, match="frames 0 to 24, not 25"):
        film(1, seconds=1).scene(25)


def test_still_scenes_know_nothing_of_films(monkeypatch):
    """The caches of rendered scenes, and all that was trained on them, stay what they were."""
    kept, read = scene_cache.fingerprint(), Path.read_bytes
    of_films = Path(scenes.__file__).parent

    def without(file: Path) -> bytes:
        films = file == of_films / "film.py" or file.parent == of_films / "motion"
        return read(file) + (b"# other" if films else b"")

    monkeypatch.setattr(Path, "read_bytes", without)
    assert scene_cache.fingerprint() == kept
