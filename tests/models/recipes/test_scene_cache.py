from pathlib import Path

import numpy as np
import pytest

from models.recipes import scene_cache
from models.recipes.scene_cache import cached_scenes, held_out_seeds, training_seeds
from scenes import Knobs, render, sample


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    monkeypatch.setattr(scene_cache, "CHUNK", 2)
    return tmp_path


def test_training_and_held_out_seeds_never_meet():
    assert not set(training_seeds(100_000)) & set(held_out_seeds(100_000))
    assert min(training_seeds(1)) > 999_999  # the largest seed of a page


def test_the_cache_holds_what_render_makes():
    data = cached_scenes(range(40, 43), workers=1)
    assert len(data) == 3
    for row, seed in enumerate(range(40, 43)):
        view = render(sample(seed))
        assert (data.images[row] == view.image).all()
        assert (data.semantic[row] == view.semantic).all()
        assert (data.panoptic[row] == view.panoptic).all()
        assert [record.id for record in data.records[row]] == [i.id for i in view.instances]
        assert [record.box for record in data.records[row]] == [i.box.tolist() for i in view.instances]


def test_a_stopped_rendering_goes_on(cache, painted_here):
    before = np.array(cached_scenes(range(3)).images)
    folder = next(cache.iterdir())
    (folder / "000002.json").unlink()
    painted_here.clear()
    again = cached_scenes(range(3), workers=1)
    assert painted_here == [2]
    assert (again.images == before).all()


def test_other_knobs_are_other_scenes_in_a_folder_of_their_own(cache):
    plain = cached_scenes(range(40, 42), workers=1)
    default = {folder.name for folder in cache.iterdir()}
    assert default == {f"scenes-40-2-{scene_cache.fingerprint()}"}  # as before there were knobs: nothing is lost
    single = cached_scenes(range(40, 42), workers=1, knobs=Knobs(objects=1))
    assert [len(scene) for scene in single.records] == [1, 1]
    assert (single.images[0] == render(sample(40, Knobs(objects=1))).image).all()
    assert (cached_scenes(range(40, 42), workers=1).images == plain.images).all()
    (other,) = {folder.name for folder in cache.iterdir()} - default
    assert other.startswith(f"scenes-40-2-{scene_cache.fingerprint()}-")


def test_a_change_of_the_close_ups_leaves_the_scenes_where_they_are(monkeypatch):
    before, read = scene_cache.fingerprint(), Path.read_bytes
    for changed, same in (("faces.py", True), ("person.py", False)):
        monkeypatch.setattr(Path, "read_bytes", lambda file, name=changed: b"" if file.name == name else read(file))
        assert (scene_cache.fingerprint() == before) == same
