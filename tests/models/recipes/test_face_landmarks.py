import numpy as np
import pytest
import torch

from labs import landmarks
from models import catalog
from models.networks.face_landmarks import SIDE, Landmarks, seen
from models.recipes import face_landmarks as recipe_module
from models.recipes import training
from models.recipes.face_landmarks import NAMES, PARTNERS, CachedFaces, Recipe, batch, cached_faces
from scenes.faces import LANDMARKS, close_up

STILL = Recipe(batch=6, turn=0.0, zoom=0.0, shift=0.0, tone=0.0)
SMALL = Recipe(faces=4, steps=3, batch=4)
trained = pytest.mark.skipif(NAMES[0] not in catalog.shipped(), reason="it has no weights yet")


def dotted(places: np.ndarray) -> CachedFaces:
    """Pictures that are black but for a white square of 5x5 pixels around the first landmark of each."""
    images = np.zeros((len(places), SIDE, SIDE, 3), np.uint8)
    for image, ((x, y), *_) in zip(images, places, strict=True):
        image[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 255
    return CachedFaces(images, places.astype(np.float32))


PLACES = np.random.default_rng(0).integers(35, 60, (8, 5, 2)) + 0.5


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    monkeypatch.setattr(recipe_module, "CHUNK", 2)
    return tmp_path


def test_what_a_landmark_is_in_a_mirror():
    other = {"left": "right", "right": "left"}
    for name, partner in zip(LANDMARKS, PARTNERS, strict=True):
        side, _, part = name.partition("_")
        assert LANDMARKS[partner] == (f"{other[side]}_{part}" if part else name)


@pytest.mark.parametrize("changed", [{}, {"turn": 12.0}, {"zoom": 0.12}, {"shift": 0.06}])
def test_landmarks_go_with_the_picture(changed):
    """The white square is where a landmark is said to be: the first, or its partner in a mirror."""
    for step in range(4):
        images, truths = batch(dotted(PLACES), Recipe(**{**vars(STILL), **changed}), step)
        assert images.shape == (6, 3, SIDE, SIDE) and images.dtype == torch.uint8
        for image, truth in zip(images[:, 0].float(), truths, strict=True):
            down, across = (torch.arange(SIDE) + 0.5 for _ in range(2))
            middle = torch.stack([(image.sum(0) * across).sum(), (image.sum(1) * down).sum()]) / image.sum()
            assert (truth[[0, PARTNERS[0]]] - middle).norm(dim=1).min() < 0.15


def test_half_of_the_faces_are_mirrored_and_a_batch_is_a_function_of_its_step():
    data = dotted(PLACES)
    known = {tuple(each.ravel()) for each in PLACES.astype(np.float32).tolist() for each in [np.array(each)]}
    plain = [tuple(truth.flatten().tolist()) in known for step in range(20) for truth in batch(data, STILL, step)[1]]
    assert 0.3 < np.mean(plain) < 0.7
    for one, again in zip(batch(data, Recipe(batch=6), 5), batch(data, Recipe(batch=6), 5), strict=True):
        assert torch.equal(one, again)


def test_the_cache_holds_faces_as_the_network_sees_them_and_goes_on(cache, monkeypatch, painted_here):
    data = cached_faces(range(40, 43), workers=1)
    for row, seed in enumerate(range(40, 43)):
        face = close_up(seed)
        assert np.array_equal(data.images[row], seen(face.picture()))
        np.testing.assert_allclose(data.landmarks[row], face.landmarks(SIDE), rtol=1e-6)
    folder = next(cache.iterdir())
    (folder / "000002.json").unlink()
    drawn = []
    monkeypatch.setattr(recipe_module.faces, "close_up", lambda seed: drawn.append(seed) or close_up(seed))
    assert np.array_equal(cached_faces(range(40, 43)).images, data.images)
    assert drawn == [42]


def test_a_stopped_training_goes_on(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(recipe_module, "Recipe", lambda: SMALL)
    monkeypatch.setattr(recipe_module, "cached_faces", lambda _seeds: dotted(PLACES))
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)
    seen_steps = []

    def stop(step, steps, loss):
        seen_steps.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    arguments = (NAMES[0], torch.device("cpu"), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        recipe_module.train(*arguments, stop)
    module, facts = recipe_module.train(*arguments, lambda *now: seen_steps.append(now[:2]))
    assert seen_steps == [(1, 3), (2, 3), (2, 3), (3, 3)]
    assert not module.training and facts["recipe"]["faces"] == 4
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())


def test_the_card_counts_in_distances_between_the_eyes(monkeypatch):
    truth = np.array([[30, 40], [50, 40], [40, 50], [35, 60], [45, 60]], np.float32)  # 20 apart
    data = CachedFaces(np.zeros((2, SIDE, SIDE, 3), np.uint8), np.stack([truth, truth]))
    monkeypatch.setattr(recipe_module, "cached_faces", lambda _seeds: data)
    misses = iter([0.0, 5.0])  # of the nose, pixels: 25 % of one face, 5 % on average over its landmarks

    def answer(_image):
        found = torch.from_numpy(truth.copy())
        found[2, 0] += next(misses)
        return Landmarks(found, landmarks.to_numbers(found, SIDE, SIDE), 0.002, "cpu")

    told = []
    metrics = recipe_module.evaluate(answer, lambda *now: told.append(now), count=2)
    assert told == [(1, 2), (2, 2)]
    assert metrics["mean_error"] == 2.5 and metrics["failures"] == 0 and metrics["forward_ms_p50"] == 2.0
    assert metrics["error_per_landmark"] == {name: 12.5 if name == "nose" else 0 for name in LANDMARKS}
    misses = iter([0.0, 10.5])
    assert recipe_module.evaluate(answer, lambda *now: None, count=2)["failures"] == 0.5


@trained
def test_it_finds_landmarks_far_better_than_the_mean_face():
    metrics = catalog.card(NAMES[0])["metrics"]
    assert metrics["mean_error"] < 47 / 6 and metrics["scenes"] == 500  # 47 %: the mean of the faces of training
    network = catalog.load(NAMES[0])
    for seed in range(10_000_000, 10_000_010):
        face = close_up(seed)
        truth = torch.from_numpy(face.landmarks()).float()
        assert float(landmarks.mean_error(network(face.picture()).landmarks, truth)) < 40
