"""What the devices mean for a network: half precision where results allow it, and want of memory in one sentence."""

import copy
from types import MethodType

import numpy as np
import pytest
import torch
from torch import nn

import scenes
from labs import selective_search
from models import catalog, device

CUDA = torch.device("cuda")
NAMES = catalog.shipped()
HALVED = [name for name in NAMES if catalog.halved(name)]
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


@pytest.fixture
def image():
    return scenes.render(scenes.sample(13)).image


def alike(exact, half) -> None:
    """Two results of the same network on the same picture, one of them in half precision."""
    if np.ndim(exact.labels) == 2:  # a class for every pixel
        assert (exact.labels == half.labels).mean() > 0.998
        assert (exact.logits - half.logits).abs().max() < 0.03 * exact.logits.abs().max()
        return
    least = min(0.5, float(exact.scores.max()) / 2)  # of an SVM's margins few reach a half
    for result in (exact, half):
        result.sure = [i for i, score in enumerate(result.scores.tolist()) if score >= least]
    assert [int(exact.labels[i]) for i in exact.sure] == [int(half.labels[i]) for i in half.sure] and exact.sure
    torch.testing.assert_close(half.scores[half.sure], exact.scores[exact.sure], atol=0.02, rtol=0)
    torch.testing.assert_close(half.boxes[half.sure], exact.boxes[exact.sure], atol=0.5, rtol=0)


class Result:
    """The fields that `alike` compares."""

    def __init__(self, found):
        found = getattr(found, "detection", found)  # what a network of sentences has seen first
        self.__dict__ = {k: getattr(found, k) for k in ("labels", "logits", "scores", "boxes") if hasattr(found, k)}


def as_on_cuda(name: str):
    """The network with the CPU's autocast where a GPU would have its own; both round alike."""
    loaded = catalog.load(name)
    module = copy.deepcopy(loaded.module)
    for part in catalog.halved(name):
        each = module.get_submodule(part)
        each.forward = MethodType(device._autocast(type(each).forward, "cpu"), each)
    return catalog.family(name).wrap(name, module, torch.device("cpu"), loaded.card)


@pytest.mark.parametrize("name", HALVED)
def test_half_precision_changes_little(name, image):
    more = beside_the_picture(name, image)
    exact, half = Result(catalog.load(name)(image, *more)), Result(as_on_cuda(name)(image, *more))
    changed = "logits" if np.ndim(exact.labels) == 2 else "scores"
    assert getattr(half, changed).dtype == torch.float32
    assert not torch.equal(getattr(exact, changed), getattr(half, changed)), "nothing ran in half precision"
    alike(exact, half)


def beside_the_picture(name: str, image) -> list:
    """What a network is asked about in the picture: the box of a person, or regions."""
    box = torch.tensor([60.0, 40, 160, 200])
    if name in ("rcnn", "spp", "fast-rcnn"):
        regions = selective_search.by_opencv(np.array(image), "single")
        return [torch.from_numpy(regions) if name == "rcnn" else regions]
    return [box] if name == "pose-regression" else []


@GPU
@pytest.mark.parametrize("name", HALVED)
def test_on_a_gpu_a_lab_network_says_the_same(name, image, monkeypatch):
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")
    exact = Result(catalog.load(name)(image, *beside_the_picture(name, image)))
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cuda")
    quick = catalog.load(name)
    assert quick.device == "cuda"
    alike(exact, Result(quick(image, *beside_the_picture(name, image))))


@GPU
def test_on_a_gpu_the_weights_lie_channels_last(monkeypatch):
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cuda")
    for name in NAMES:
        wide = [p for p in catalog.load(name).module.parameters() if p.dim() == 4 and min(p.shape) > 1]
        assert all(p.is_contiguous(memory_format=torch.channels_last) for p in wide)


def test_what_has_to_be_exact_stays_so(monkeypatch):
    asked = []
    monkeypatch.setattr(catalog, "in_half_precision", lambda module, where: asked.append(module))
    for name, parts in (("segmenter-max-unpool", 0), ("classifier-gap", 0), ("segmenter-nearest", 1), ("yolo-cell", 4)):
        asked.clear()
        catalog.ready(name, catalog.family(name).build(name), torch.device("cpu"))
        assert len(asked) == parts


def test_a_copy_of_a_network_in_half_precision_runs_itself():
    net = nn.Linear(2, 2)
    net.forward = MethodType(device._autocast(type(net).forward, "cpu"), net)
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.weight.zero_()
        other.bias.fill_(3)
    assert other(torch.ones(1, 2)).tolist() == [[3, 3]] and net(torch.ones(1, 2)).tolist() != [[3, 3]]


def test_floats_come_back_whole_and_whole_numbers_as_they_are():
    half = torch.ones(2, dtype=torch.float16)
    found = device._single({"a": (half, [half, torch.tensor([3])]), "b": None})
    assert found["a"][0].dtype == found["a"][1][0].dtype == torch.float32
    assert found["a"][1][1].dtype == torch.int64 and found["b"] is None


def test_nothing_changes_without_cuda():
    net = nn.Linear(2, 2)
    device.in_half_precision(net, torch.device("cpu"))
    assert "forward" not in vars(net)


@pytest.mark.parametrize("name", NAMES)
def test_want_of_memory_is_said_by_every_lab_network(name, image, monkeypatch):
    network, asked, released = catalog.load(name), [], []
    monkeypatch.setattr(network, "let_go", lambda: released.append(name))

    def full(*_, **__):
        asked.append(1)
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(nn.Conv2d, "forward", full)
    with pytest.raises(device.OutOfMemory, match=f"{name} needs more memory than {network.device} has free"):
        network(np.array(image), *beside_the_picture(name, image))
    assert asked and released == [name]


@pytest.mark.parametrize("error", [RuntimeError("no kernel image is available for execution on the device"), None])
def test_a_gpu_that_cannot_run_a_trial_is_not_used(monkeypatch, caplog, error):
    monkeypatch.delenv("RECEPTIVE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    asked = []

    def ones(*_, device):
        asked.append(device)
        if error:
            raise error
        return torch.full((1, 1, 3, 3), 1.0)

    device.runs.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(torch, "ones", ones)
        chosen = [device.best_device(), device.best_device()]
    device.runs.cache_clear()
    assert chosen == [torch.device("cpu" if error else "cuda")] * 2 and asked == ["cuda"]
    assert ("without cuda" in caplog.text) == bool(error)
