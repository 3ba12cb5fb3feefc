"""The recipe of the detector of films: what a map should say, how frames are varied, and that a training goes on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.recipes import centre_detector, film_cache, film_scores, painted
from models.recipes.centre_detector import IGNORED, Recipe
from models.recipes.film_cache import CachedFrames
from scenes.film import FilmKnobs, film

CPU = torch.device("cpu")
PLAIN = Recipe(mirrored=0, moved=0, light=0, noise=0)


@pytest.fixture
def frames() -> CachedFrames:
    """Four frames of noise with a thing each, and one that hardly shows."""
    images = np.random.default_rng(0).integers(0, 255, (4, 224, 224, 3)).astype(np.uint8)
    return CachedFrames(images, [np.array([[40, 40, 80, 120, 1, 1.0], [90, 90, 99, 99, 3, 0.1]], np.float32)] * 4)


def test_what_a_map_should_say():
    boxes = torch.tensor([[[8.0, 8, 40, 24], [20, 12, 28, 20], [40, 40, 60, 60], [0, 0, 0, 0]]])
    heat, free, owned = centre_detector.wanted(boxes, torch.tensor([[1, 3, IGNORED, 0]]), 16)
    assert [tuple(place) for place in (heat[0] == 1).nonzero().tolist()] == [(0, 4, 6), (2, 4, 6)]
    assert heat[0, 0, 4, 8] > heat[0, 0, 4, 9] > 0 and heat[0, 0, 6, 6] < heat[0, 0, 4, 8], "wide things fall off wide"
    assert not free[0, 12, 12] and free[0, 4, 6] and heat[0, 1:2].max() == 0
    assert owned[0, 1, 4, 6] and not owned[0, 0, 4, 6], "the smaller thing owns the place that both want"
    assert owned[0, 0].any() and not owned[0, 2:].any()


def test_the_loss_is_least_for_the_truth():
    boxes, labels = torch.tensor([[[8.0, 8, 40, 24]]]), torch.tensor([[1]])
    heat, _, owned = centre_detector.wanted(boxes, labels, 16)
    middles = 4 * (torch.arange(16) + 0.5)
    sides = torch.stack([middles.expand(16, 16) - 8, middles[:, None].expand(16, 16) - 8,
                         40 - middles.expand(16, 16), 24 - middles[:, None].expand(16, 16)])[None]  # fmt: skip
    logits = torch.where(heat == 1, 9.0, -9.0)
    best = float(centre_detector.loss(logits, sides, boxes, labels))
    assert best < 1e-3 and owned.any()
    assert float(centre_detector.loss(-logits, sides, boxes, labels)) > 10
    worse = float(centre_detector.loss(logits, sides + 4, boxes, labels))
    outer, inner = 40 * 24, 32 * 16  # 4 more on every side
    assert worse == pytest.approx(best + 2 * (1 - inner / outer), abs=1e-3)
    assert float(centre_detector.loss(logits, sides, boxes, torch.tensor([[0]]))) < 1e3


def test_a_frame_is_varied_with_its_boxes(frames):
    images, boxes, labels = centre_detector.tables(frames, Recipe(), CPU)
    assert labels.tolist() == [[1, IGNORED]] * 4
    pictures = images.permute(0, 3, 1, 2).float() / 255
    same, there, which = centre_detector.varied(pictures, boxes, labels, PLAIN, torch.Generator().manual_seed(1))
    torch.testing.assert_close(same, pictures, atol=2e-3, rtol=0)
    torch.testing.assert_close(there, boxes, atol=1e-3, rtol=0)
    assert torch.equal(which, labels)
    flipped, there, _ = centre_detector.varied(
        pictures, boxes, labels, replace(PLAIN, mirrored=1.0), torch.Generator().manual_seed(1)
    )
    torch.testing.assert_close(flipped, pictures.flip(-1), atol=2e-3, rtol=0)
    torch.testing.assert_close(there[0, 0], torch.tensor([144.0, 40, 184, 120]), atol=1e-3, rtol=0)
    pictures = torch.zeros_like(pictures)
    pictures[:, :, 40:120, 40:80] = 1
    zoomed, there, which = centre_detector.varied(
        pictures, boxes, labels, replace(PLAIN, moved=1.0, zoom=3.0), torch.Generator().manual_seed(2)
    )
    for picture, box, label in zip(zoomed[:, 0] > 0.5, there[:, 0], which[:, 0], strict=True):
        if label == 1:
            y, x = picture.nonzero().T
            torch.testing.assert_close(
                torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).float(), box, atol=2.0, rtol=0
            )
    assert 1 in which[:, 0].tolist() and float((there[..., 2:] - there[..., :2]).max()) > 80


def test_a_stopped_training_goes_on(monkeypatch, tmp_path, frames):
    recipe = Recipe(steps=4, batch=2)
    monkeypatch.setattr(centre_detector, "Recipe", lambda: recipe)
    monkeypatch.setattr(centre_detector, "cached_frames", lambda seeds, each: frames)
    monkeypatch.setattr(centre_detector.training, "CHECKPOINT_EVERY", 2)
    whole, facts = centre_detector.train("detector-film", CPU, tmp_path / "a", lambda *_: None, None)

    def stop(step: int, _steps: int, loss: float) -> None:
        assert np.isfinite(loss)
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        centre_detector.train("detector-film", CPU, tmp_path / "b", stop, None)
    resumed, _ = centre_detector.train("detector-film", CPU, tmp_path / "b", lambda *_: None, None)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, atol=1e-4, rtol=1e-3)
    assert not whole.training and facts["recipe"]["films"] == 4000 and facts["recipe"]["steps"] == 4


def test_frames_are_painted_once_and_are_those_of_the_film(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    seeds = film_cache.training_films(2)
    frames = film_cache.cached_frames(seeds, 2, workers=1)
    shown = film(seeds[1], film_cache.knobs_of(seeds[1]), 8.0)
    chosen = sorted(np.random.default_rng([seeds[1], 2]).choice(200, 2, replace=False).tolist())
    np.testing.assert_array_equal(frames.images[3], shown.frame(chosen[1]))
    np.testing.assert_allclose(frames.truth[3][:, :4], [each.box for each in shown.truth(chosen[1])])
    monkeypatch.setattr(painted, "ProcessPoolExecutor", None)
    assert len(film_cache.cached_frames(seeds, 2)) == 4
    assert not set(film_scores.HELD_OUT) & set(film_cache.training_films(4000)) and FilmKnobs().people == 4


def test_a_perfect_detector_is_judged_so():
    class Oracle:
        shown, index = film(90_001, seconds=0.4), -film_scores.EVERY

        def __call__(self, image: np.ndarray):
            self.index += film_scores.EVERY
            truth = self.shown.truth(self.index)
            boxes = torch.tensor(np.array([each.box for each in truth], np.float32).reshape(-1, 4))
            labels = torch.tensor([film_scores.THINGS.index(each.label) + 1 for each in truth])
            return type("Said", (), {"boxes": boxes, "labels": labels, "scores": torch.ones(len(truth)), "seconds": 0})

    found = film_scores.evaluate(Oracle(), lambda *_: None, [90_001], seconds=0.4)
    assert found["found"] == found["precision"] == 1.0 and found["films"] == 1 and found["every"] == 2
    assert 0.7 < found["idf1"] <= 1 and found["misses"] < found["truths"]  # a track counts once it was seen twice
