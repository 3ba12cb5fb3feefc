"""How R-CNN is trained: features to disk and taken up again, positives in the mirror, and the card's figures."""

import numpy as np
import pytest
import torch

from models import catalog
from models.networks.localizer import LoadedLocalizer, Localizer
from models.networks.rcnn import FEATURES
from models.recipes import rcnn
from models.recipes.rcnn import Recipe, by_chance, mined, recalled
from models.recipes.region_svm import Rules
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes
from scenes import THINGS

SMALL = Recipe(first=4, mined=2, rules=Rules(some=3, near=3))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> CachedScenes:
    """Six real scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 56), workers=1)


def proposals(data: CachedScenes, _seeds: range, count: int | None = None) -> list[np.ndarray]:
    """True boxes moved a little, and a grid."""
    grid = np.array([[x, y, x + 40, y + 40] for x in range(0, 180, 45) for y in range(0, 180, 45)], np.float32)
    moved = [np.array([record.box for record in records], np.float32).reshape(-1, 4) for records in data.records]
    return [np.concatenate([np.clip(box + 2, 0, 224), grid]) for box in moved][:count]


@pytest.fixture
def small(monkeypatch, data):
    """The recipe on six scenes, two to a file."""
    monkeypatch.setattr(rcnn, "Recipe", lambda: SMALL)
    monkeypatch.setattr(rcnn, "CHUNK", 2)
    monkeypatch.setattr(rcnn, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(rcnn, "held_out_seeds", lambda count: range(count))
    monkeypatch.setattr(rcnn, "regions", proposals)


@pytest.fixture(scope="module")
def start() -> LoadedLocalizer:
    torch.manual_seed(1)
    return LoadedLocalizer("localizer-joint", Localizer().eval().requires_grad_(False), torch.device("cpu"), {})


def test_a_stopped_training_takes_up_the_features_on_disk(small, start, tmp_path, monkeypatch):
    told = []
    module, facts = rcnn.train("rcnn", torch.device("cpu"), tmp_path / "a", lambda *step: told.append(step), start)
    assert [step[:2] for step in told] == [(2, 6), (4, 6), (6, 6), (6, 6)]
    for ours, theirs in zip(module.trunk.parameters(), start.module.trunk.parameters(), strict=True):
        assert torch.equal(ours, theirs), "the trunk stays as it is"
    assert facts["recipe"]["positives"] > 0 and facts["recipe"]["features_mb"] > 0
    assert set(facts["stage_seconds"]) == {"features", "SVMs", "hard negatives", "regressors"}

    def stop(step: int, *_rest) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rcnn.train("rcnn", torch.device("cpu"), tmp_path / "b", stop, start)
    looked, real = [], rcnn.features_of
    monkeypatch.setattr(rcnn, "features_of", lambda *given: looked.append(1) or real(*given))
    again, _ = rcnn.train("rcnn", torch.device("cpu"), tmp_path / "b", lambda *_step: None, start)
    assert len(looked) == 2, "only the two scenes that are left were looked at"
    for ours, theirs in zip(module.head.parameters(), again.head.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_true_boxes_are_positive_also_in_the_mirror(small, start, data):
    model = rcnn.wrap("rcnn", rcnn.build("rcnn").eval().requires_grad_(False), torch.device("cpu"), {})
    index = next(i for i, records in enumerate(data.records) if len(records) >= 2)
    records, image = data.records[index], np.asarray(data.images[index])
    boxes = torch.from_numpy(proposals(data, range(6))[index])
    found = by_chance(model, image, boxes, records, Rules(), np.random.default_rng(0))
    count = sum(record.visible >= 0.15 for record in records)
    assert found.features.shape == (len(found.labels), FEATURES) and found.features.dtype == torch.float16
    assert int((found.labels == 1).any(1).sum()) >= 2 * count
    box = torch.tensor([records[0].box])
    mirror = torch.stack([224 - box[:, 2], box[:, 1], 224 - box[:, 0], box[:, 3]], 1)
    theirs = rcnn.features_of(model, image[:, ::-1], mirror)[0]
    kept = [record for record in records if record.visible >= 0.15]
    torch.testing.assert_close(found.features[-len(kept)], theirs, atol=1e-2, rtol=1e-2)
    hard = mined(model, image, boxes, records, Rules(hard=3, moved=2))
    assert len(hard) <= count + 3 + 2


def test_recall_counts_things_that_some_proposal_overlaps_by_half(data):
    thing = InstanceRecord(1, THINGS.index("car") + 1, [0.0, 0, 40, 40], 1.0, [])
    scenes = CachedScenes(data.images[:1], data.semantic[:1], data.panoptic[:1], [[thing]])
    assert recalled(torch.tensor([[0.0, 0, 40, 20]]), scenes, 0) == [True]
    assert recalled(torch.tensor([[0.0, 0, 40, 19]]), scenes, 0) == [False]
    assert recalled(torch.zeros(0, 4), scenes, 0) == [False]


def test_evaluation_has_the_figures_of_the_card(small, start):
    model = rcnn.wrap("rcnn", rcnn.build("rcnn").eval().requires_grad_(False), torch.device("cpu"), {})
    told = []
    found = rcnn.evaluate(model, lambda *step: told.append(step), 3)
    assert told[-1] == (3, 3) and found["scenes"] == 3 and found["side"] == 48
    assert 0 <= found["box_ap"] <= found["box_ap50"] <= 1 and found["forward_ms_p50"] > 0
    assert found["proposal_recall"] == 1 and found["regions"] > 16


@pytest.mark.skipif("rcnn" not in catalog.shipped(), reason="it has no weights yet")
def test_the_card_reaches_the_bar_and_names_the_trunk_that_it_stands_on():
    card = catalog.card("rcnn")
    assert card["metrics"]["box_ap50"] >= 0.60 and card["metrics"]["scenes"] == 500
    assert card["trunk"] == {"of": "localizer-joint", "sha256": catalog.card("localizer-joint")["sha256"]}
    assert (catalog.WEIGHTS / "rcnn.safetensors").stat().st_size < 700_000
