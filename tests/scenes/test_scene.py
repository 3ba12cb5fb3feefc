import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes import THINGS, Knobs, sample
from scenes.scene import FRAME, METRES


def test_the_same_seed_and_knobs_give_the_same_scene():
    knobs = Knobs(objects=5, occlusion=0.7)
    assert sample(11, knobs) == sample(11, knobs)
    assert sample(11, knobs) != sample(12, knobs)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**40), count=st.integers(0, 8), occlusion=st.floats(0, 1))
def test_things_stand_on_the_ground_and_are_sorted_from_far_to_near(seed, count, occlusion):
    scene = sample(seed, Knobs(objects=count, occlusion=occlusion))
    depths = [thing.y for thing in scene.objects]
    assert len(depths) <= count
    assert depths == sorted(depths)
    assert all(scene.horizon < y <= FRAME for y in depths)


def test_perspective_holds_for_every_thing():
    for seed in range(40):
        scene = sample(seed)
        for thing in scene.objects:
            expected = METRES[thing.label] * (thing.y - scene.horizon) / scene.camera / 100
            assert thing.scale == pytest.approx(expected)


def test_classes_come_from_the_knob():
    for seed in range(20):
        things = sample(seed, Knobs(objects=4, classes=("cat", "ball"))).objects
        assert {thing.label for thing in things} <= {"cat", "ball"}
    assert sample(3, Knobs(classes=())).objects == ()


def test_every_class_turns_up():
    seen = {thing.label for seed in range(80) for thing in sample(seed).objects}
    assert seen == set(THINGS)


def test_light_fog_and_noise_leave_everything_in_place():
    plain, changed = sample(5), sample(5, Knobs(light=0.0, fog=0.9, noise=1.0))
    assert (changed.light, changed.fog, changed.noise) == (0.0, 0.9, 1.0)
    assert changed.objects == plain.objects
    assert changed.trees == plain.trees


def test_one_more_object_leaves_the_others_in_place():
    four, five = sample(8, Knobs(objects=4)).objects, sample(8, Knobs(objects=5)).objects
    assert set(map(repr, four)) <= set(map(repr, five))


def test_occlusion_crowds_the_picture():
    def covered(occlusion):
        shares = []
        for seed in range(40):
            boxes = [np.clip(t.box, 0, FRAME) for t in sample(seed, Knobs(objects=6, occlusion=occlusion)).objects]
            for i, a in enumerate(boxes):
                for b in boxes[i + 1 :]:
                    common = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
                    shares.append(np.prod(common) / np.prod(a[2:] - a[:2]))
        return np.mean(shares)

    assert covered(1.0) > 3 * covered(0.0)


def test_only_ducks_go_into_the_water():
    swimmers = 0
    for seed in range(120):
        scene = sample(seed)
        for thing in scene.objects:
            wet = scene.ground(thing.x, thing.y) == "water"
            swimmers += wet
            assert wet == (thing.look.get("pose") == "swimming")
            assert not wet or thing.label == "duck"
    assert swimmers > 0


@pytest.mark.parametrize(
    "knobs, word",
    [({"objects": -1}, "objects"), ({"objects": (5, 2)}, "objects"), ({"fog": 1.5}, "fog"), ({"light": -0.1}, "light")],
)
def test_knobs_out_of_range_are_refused_in_words(knobs, word):
    with pytest.raises(ValueError, match=word):
        Knobs(**knobs)


def test_an_unknown_class_is_named():
    with pytest.raises(ValueError, match="unicorn"):
        Knobs(classes=("unicorn",))


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed"):
        sample(-1)
