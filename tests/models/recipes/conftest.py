"""What recipes learn from in tests: real scenes, a detector that has learned nothing, features that are noise."""

import numpy as np
import pytest
import torch

from models.networks.detector import LoadedDetector, build_detector
from models.recipes import painted
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes
from models.recipes.trunk_features import KEPT, TrunkFeatures

BOX, LABEL = [60.0, 60.0, 130.0, 140.0], 3  # of the thing of each scene in `features`


@pytest.fixture
def painted_here(monkeypatch) -> list[int]:
    """Scenes are painted in this process; the list grows by the start of each chunk that is."""
    starts = []

    class Here:
        """An executor that works at once."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def submit(self, work, *given):
            starts.append(given[-1])
            work(*given)
            return self

        def result(self):
            return None

    monkeypatch.setattr(painted, "ProcessPoolExecutor", lambda _workers: Here())
    return starts


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> CachedScenes:
    """Four real scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 54), workers=1)


@pytest.fixture
def start() -> LoadedDetector:
    torch.manual_seed(1)
    return LoadedDetector("detector", build_detector().eval().requires_grad_(False), torch.device("cpu"), {})


@pytest.fixture
def features() -> TrunkFeatures:
    """Of three scenes with one thing each, and one that is hardly seen."""
    rng = np.random.default_rng(0)
    sides = {name: 56 // 2**i for i, name in enumerate(KEPT)}
    levels = {name: rng.normal(size=(2, 3, 64, side, side)).astype(np.float16) for name, side in sides.items()}
    record = InstanceRecord(1, LABEL, BOX, 1.0, [[0.0] * 3] * 14)
    hidden = InstanceRecord(2, 5, [0.0, 0.0, 9.0, 9.0], 0.1, [[0.0] * 3] * 14)
    return TrunkFeatures(levels, [[record, hidden]] * 3)
