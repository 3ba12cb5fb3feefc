from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

import scenes
from labs import grab_cut_seeds as lab
from labs.grab_cut_seeds import OPEN, REST, THING


@given(seed=some.integers(0, 999), foreground=some.floats(0.5, 0.99), background=some.floats(0, 0.45))
def test_seeds_are_the_shares_that_the_quantiles_say(seed, foreground, background):
    heat = np.random.default_rng(seed).permutation(1000).reshape(25, 40).astype(float)
    found = lab.seeds(heat, foreground, background)
    assert (found == THING).mean() == pytest.approx(1 - foreground, abs=2e-3)
    assert (found == REST).mean() == pytest.approx(background, abs=2e-3)
    assert heat[found == THING].min() > heat[found == OPEN].max() > heat[found == REST].max()


def test_a_value_at_a_quantile_seeds_the_rest_and_never_the_thing():
    assert lab.seeds(np.array([[0.0, 0, 0, 1]]), 0.75, 0.25).tolist() == [[REST, REST, REST, THING]]
    assert lab.seeds(torch.tensor([[0.0, 1, 1, 1, 2]]), 0.75, 0.0).tolist() == [[REST, OPEN, OPEN, OPEN, THING]]


@pytest.mark.parametrize(
    ("heat", "quantiles", "told"),
    [
        (np.full((9, 9), 0.3), (0.95, 0.3), "same everywhere"),
        (np.array([[7.0]]), (0.95, 0.3), "same everywhere"),
        (np.array([[0.0, 1, 1, 1]]), (0.95, 0.3), "above the 95% quantile"),
        (np.array([[0.0, np.nan]]), (0.95, 0.3), "not a number"),
        (np.array([[0.0, 1]]), (0.3, 0.3), "thing's above the rest's"),
        (np.array([[0.0, 1]]), (1.01, 0.3), "thing's above the rest's"),
    ],
)
def test_what_seeds_nothing_is_one_sentence(heat, quantiles, told):
    with pytest.raises(ValueError, match=told) as refused:
        lab.seeds(heat, *quantiles)
    assert str(refused.value).count(". ") == 0


@pytest.mark.parametrize("label", [THING, REST])
def test_seeds_of_one_kind_alone_are_refused(label):
    with pytest.raises(ValueError, match="at least one pixel each"):
        lab.cut(np.zeros((4, 4, 3), np.uint8), np.array([[label, OPEN, OPEN, OPEN]] * 4, np.uint8))


def disc(noise: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc on a dark ground, and its mask."""
    row, column = np.indices((60, 80))
    mask = (row - 30) ** 2 + (column - 40) ** 2 < 18**2
    image = np.where(mask[..., None], (200, 160, 40), (40, 60, 90))
    grain = np.random.default_rng(seed).integers(-noise, noise + 1, image.shape)
    return (image + grain).astype(np.uint8), mask


@pytest.mark.parametrize("rounds", [0, 3])
def test_a_few_seeds_find_the_whole_disc(rounds):
    image, mask = disc(noise=12)
    marked = np.full(mask.shape, OPEN, np.uint8)
    marked[28:32, 38:42], marked[:5] = THING, REST
    assert lab.mask_iou(lab.cut(image, marked, rounds), mask) > 0.97


def test_a_seed_stays_what_it_is_though_its_colour_speaks_against_it():
    image, mask = disc(noise=5)
    marked = np.full(mask.shape, OPEN, np.uint8)
    marked[28:32, 38:42], marked[:5], marked[50:, 70:] = THING, REST, THING
    found = lab.cut(image, marked, 2)
    assert found[50:, 70:].all() and not found[:5].any()


def test_the_colour_models_come_from_the_seeds_alone_and_are_cut_with_once(monkeypatch):
    """OpenCV's own way of beginning takes open pixels into its model of the rest, whatever they look like."""
    image, mask = disc(noise=40)
    few = np.where(mask, OPEN, REST).astype(np.uint8)
    few[24:36, 34:46] = THING
    calls, real = [], cv2.grabCut

    def spied(pixels, labels, box, rest, thing, count, mode):
        before = rest.copy(), thing.copy()
        real(pixels, labels, box, rest, thing, count, mode)
        calls.append((pixels, labels, count, mode, before, (rest.copy(), thing.copy())))

    monkeypatch.setattr(cv2, "grabCut", spied)
    assert lab.mask_iou(lab.cut(image, few), mask) > 0.9
    first, second = calls
    assert first[0].reshape(-1, 3).tolist() == image[few != OPEN].tolist() and not (first[1] == OPEN).any()
    assert first[2:4] == (0, cv2.GC_INIT_WITH_MASK) and second[2:4] == (1, cv2.GC_EVAL_FREEZE_MODEL)
    assert all((one == other).all() and one.any() for one, other in zip(first[5], second[4]))
    assert all((one == other).all() for one, other in zip(*second[4:]))
    lab.cut(image, few, 2)
    assert calls[-1][2:4] == (2, cv2.GC_EVAL)


def test_where_all_are_seeds_nothing_is_left_to_cut():
    image, mask = disc(noise=40)
    assert (lab.cut(image, np.where(mask, THING, REST).astype(np.uint8)) == mask).all()


def test_the_same_picture_gives_the_same_mask_whatever_was_cut_before_and_beside_it():
    view = scenes.render(scenes.sample(577))
    heat = cv2.GaussianBlur(view.instances[-1].mask.astype(np.float64), (31, 31), 9)
    one = lab.segment(view.image, heat, rounds=1)
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: lab.segment(view.image, heat, rounds=1), range(4)))
    assert all((other == one).all() for other in others)


@given(seed=some.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_what_is_found_is_one_piece(seed):
    image, _ = disc(noise=30, seed=seed)
    heat = np.random.default_rng(seed).random((60, 80))
    found = lab.segment(image, heat)
    assert cv2.connectedComponents(found.astype(np.uint8), connectivity=8)[0] == 2


@pytest.mark.parametrize("colour", [0, 255])
def test_a_picture_of_one_colour_gives_a_mask(colour):
    heat = np.arange(400.0).reshape(20, 20)
    found = lab.segment(np.full((20, 20, 3), colour, np.uint8), heat)
    assert found.shape == (20, 20) and found.any() and not found.all()


def test_iou_of_masks():
    none, some_, all_ = np.zeros((2, 2), bool), np.eye(2, dtype=bool), np.ones((2, 2), bool)
    assert [lab.mask_iou(none, none), lab.mask_iou(some_, none), lab.mask_iou(some_, all_)] == [0.0, 0.0, 0.5]
