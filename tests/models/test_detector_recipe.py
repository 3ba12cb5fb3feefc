import pytest
import torch

from models import detector_recipe, training
from models.scene_cache import cached_scenes

SMALL = detector_recipe.Recipe(scenes=4, steps=2, batch=2)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The recipe, two steps long, on four real scenes, with a checkpoint after every step."""
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    data = cached_scenes(range(50, 54), workers=1)
    monkeypatch.setattr(detector_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(detector_recipe, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def test_a_stopped_training_goes_on_after_its_checkpoint(small, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    device = torch.device("cpu")
    with pytest.raises(KeyboardInterrupt):
        detector_recipe.train("detector", device, tmp_path / "net", stop)
    module, facts = detector_recipe.train("detector", device, tmp_path / "net", lambda *now: seen.append(now[:2]))
    assert seen == [(1, 2), (2, 2), (2, 2)]
    assert not module.training and facts["recipe"]["steps"] == 2
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())
