import hashlib

import numpy as np
import pytest

from scenes import CLASSES, JOINTS, Knobs, render, render_image, sample
from scenes.render import FIRST_THING


def digest(view):
    return hashlib.sha256(view.image.tobytes() + view.panoptic.tobytes()).hexdigest()


def test_the_same_seed_and_knobs_give_the_same_bytes():
    knobs = Knobs(objects=4, noise=0.5)
    assert digest(render(sample(3, knobs))) == digest(render(sample(3, knobs)))
    assert digest(render(sample(3, knobs))) != digest(render(sample(4, knobs)))


def test_shapes_and_types():
    view = render(sample(1), 160)
    assert (view.image.shape, view.image.dtype) == ((160, 160, 3), np.uint8)
    assert (view.panoptic.shape, view.panoptic.dtype) == ((160, 160), np.int32)
    assert (view.semantic.shape, view.semantic.dtype) == ((160, 160), np.uint8)


def test_every_pixel_has_a_class_and_instances_agree_with_both_maps():
    for seed in range(25):
        view = render(sample(seed))
        assert view.panoptic.min() >= 1
        assert set(np.unique(view.panoptic[view.panoptic >= FIRST_THING])) == {i.id for i in view.instances}
        for instance in view.instances:
            assert (instance.mask == (view.panoptic == instance.id)).all()
            assert set(np.unique(view.semantic[instance.mask])) == {CLASSES.index(instance.label)}
        stuff = view.panoptic < FIRST_THING
        assert (view.semantic[stuff] == view.panoptic[stuff] - 1).all()


def test_the_visible_box_is_the_box_of_the_mask():
    for seed in range(10):
        for instance in render(sample(seed)).instances:
            rows, columns = np.nonzero(instance.mask)
            assert instance.box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_the_full_box_contains_the_visible_one_and_equals_it_where_nothing_hides_or_cuts():
    alone = 0
    for seed in range(60):
        for instance in render(sample(seed)).instances:
            assert (instance.full_box[:2] <= instance.box[:2] + 1).all()
            assert (instance.full_box[2:] >= instance.box[2:] - 1).all()
            if instance.visible == 1 and instance.full_box.min() > 1 and instance.full_box.max() < 223:
                alone += 1
                assert instance.box == pytest.approx(instance.full_box, abs=2)
    assert alone > 20


def test_truth_scales_with_the_picture():
    small, large = (render(sample(9, Knobs(objects=3, noise=0)), size) for size in (112, 224))
    for a, b in zip(small.instances, large.instances, strict=True):
        assert a.full_box * 2 == pytest.approx(b.full_box)
    assert (large.semantic[::2, ::2] == small.semantic).mean() > 0.97


def test_keypoints_of_persons():
    seen = set()
    for seed in range(40):
        view = render(sample(seed, Knobs(objects=2, classes=("person",), occlusion=0.6)))
        for instance in view.instances:
            assert instance.keypoints.shape == (len(JOINTS), 3)
            x1, y1, x2, y2 = instance.full_box
            for x, y, visibility in instance.keypoints:
                assert x1 - 2 <= x <= x2 + 2 and y1 - 2 <= y <= y2 + 2
                inside = 0 <= x < 224 and 0 <= y < 224
                assert (visibility == 0) == (not inside)
                seen.add(int(visibility))
    assert seen == {0, 1, 2}


def test_a_mirrored_person_keeps_its_own_left():
    from dataclasses import replace

    scene = next(s for s in (sample(i, Knobs(objects=1, classes=("person",))) for i in range(30)) if s.objects)
    person = scene.objects[0]
    mirrored = replace(person, flip=not person.flip)
    a, b = (render(replace(scene, objects=(p,))).instances[0].keypoints for p in (person, mirrored))
    left, right = JOINTS.index("left_hand"), JOINTS.index("right_hand")
    assert a[left, 0] - person.x == pytest.approx(-(b[right, 0] - person.x), abs=1e-6)


def test_other_classes_have_no_keypoints():
    view = render(sample(2, Knobs(objects=3, classes=("car", "ball"))))
    assert all(instance.keypoints is None for instance in view.instances)


def test_captions_are_sentences_that_name_the_class():
    hidden = 0
    for seed in range(30):
        for instance in render(sample(seed, Knobs(occlusion=1.0))).instances:
            assert instance.caption[0].isupper() and instance.caption.endswith(".")
            assert instance.attributes
            hidden += "hidden behind" in instance.caption
            assert ("hidden behind" in instance.caption) == (instance.visible < 0.98)
    assert hidden > 0


def test_light_fog_and_noise_change_the_picture_but_not_the_truth():
    clear = {"light": 1, "fog": 0, "noise": 0}
    views = [render(sample(4, Knobs(**clear | turned))) for turned in ({}, {"light": 0}, {"fog": 1}, {"noise": 1})]
    for view in views[1:]:
        assert (view.panoptic == views[0].panoptic).all()
        assert np.abs(view.image.astype(int) - views[0].image).mean() > 5
    assert views[1].image.mean() < 0.75 * views[0].image.mean()


def test_an_empty_scene_is_all_stuff():
    view = render(sample(6, Knobs(objects=0)))
    assert view.instances == ()
    assert view.semantic.max() < 5


def test_the_picture_alone_is_the_same_picture():
    assert (render_image(sample(5)) == render(sample(5)).image).all()


def test_sizes_out_of_range_are_refused_in_words():
    with pytest.raises(ValueError, match="pixels"):
        render(sample(1), 8)
