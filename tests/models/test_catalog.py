import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors import safe_open

from models import catalog
from models.device import best_device
from models.networks.panoptic_fpn import PanopticFpn
from models.networks.segmenter import Segmenter
from models.recipes import segmenter as segmenter_recipe


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty weights folder."""
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    catalog._load.cache_clear()
    yield tmp_path
    catalog._load.cache_clear()


def test_every_shipped_network_loads_and_is_frozen():
    assert set(segmenter_recipe.NAMES) <= set(catalog.shipped())
    for name in catalog.shipped():
        model = catalog.load(name)
        assert model.name == name and model.card["name"] == name
        assert not model.module.training
        assert not any(p.requires_grad for p in model.module.parameters())


def test_cards_say_what_they_must():
    for name in catalog.shipped():
        card = catalog.card(name)
        wanted = {"task", "architecture", "parameters", "recipe", "training_seconds", "trained_on", "metrics", "sha256"}
        assert wanted <= set(card)
        assert card["recipe"]["seed"] == 0
        assert "forward_ms_p50" in card["metrics"]


def test_the_five_segmenters_differ_only_in_the_decoder():
    cards = [catalog.card(name) for name in catalog.names("segmentation")]
    assert len(cards) == 5
    assert all(card["recipe"] == cards[0]["recipe"] for card in cards)


def test_names_by_task():
    assert catalog.names("segmentation") == list(segmenter_recipe.NAMES)
    assert catalog.names("cooking") == []


def test_an_unknown_name_is_refused_in_words():
    with pytest.raises(ValueError, match="no network 'resnet9000'"):
        catalog.load("resnet9000")


def test_missing_weights_are_said_in_words(shelf):
    with pytest.raises(ValueError, match="python -m models train segmenter-nearest"):
        catalog.load("segmenter-nearest")


def test_saved_weights_come_back_in_half_precision(shelf):
    torch.manual_seed(1)
    net = Segmenter("nearest")
    catalog.save("segmenter-nearest", net, {"name": "segmenter-nearest", "metrics": {}})
    back = catalog.load("segmenter-nearest").module
    for key, value in net.state_dict().items():
        assert torch.allclose(back.state_dict()[key].float(), value.float(), atol=2e-3), key
    numbers = sum(v.numel() for v in net.state_dict().values())
    assert (shelf / "segmenter-nearest.safetensors").stat().st_size < 2 * numbers + 20_000


def test_weights_that_are_not_those_of_the_card_are_refused(shelf):
    catalog.save("segmenter-nearest", Segmenter("nearest"), {"name": "segmenter-nearest", "metrics": {}})
    file = shelf / "segmenter-nearest.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0\1")
    with pytest.raises(ValueError, match="not those of its card"):
        catalog.load("segmenter-nearest")


def test_thirty_students_load_it_once(shelf, monkeypatch):
    catalog.save("segmenter-nearest", Segmenter("nearest"), {"name": "segmenter-nearest", "metrics": {}})
    built = []
    build = segmenter_recipe.build
    monkeypatch.setattr(segmenter_recipe, "build", lambda name: built.append(name) or build(name))
    with ThreadPoolExecutor(30) as pool:
        models = list(pool.map(lambda _: catalog.load("segmenter-nearest"), range(30)))
    assert len(built) == 1 and len(set(map(id, models))) == 1


def test_cards_are_readable_json(shelf):
    catalog.write_card("segmenter-nearest", {"metrics": {"miou": 0.5}})
    assert json.loads((shelf / "segmenter-nearest.json").read_text()) == {"metrics": {"miou": 0.5}}


@pytest.mark.parametrize("text", [b"", b"{}", b"no card", b"[" * 100_000, b"\xff\xfe", b"3", b'{"name": "x"}'])
def test_a_damaged_card_is_one_sentence(shelf, text):
    (shelf / "segmenter-nearest.json").write_bytes(text)
    for ask in (catalog.card, catalog.load):
        with pytest.raises(ValueError, match=r"^The card models/weights/segmenter-nearest\.json is damaged: "):
            ask("segmenter-nearest")


def test_a_card_without_its_hash_fits_no_weights(shelf):
    catalog.write_card("segmenter-nearest", {"name": "segmenter-nearest", "metrics": {}})
    (shelf / "segmenter-nearest.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match="not those of its card"):
        catalog.load("segmenter-nearest")


def test_the_environment_chooses_the_device(monkeypatch):
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")
    assert best_device() == torch.device("cpu")
    monkeypatch.setenv("RECEPTIVE_DEVICE", "abacus")
    with pytest.raises(ValueError, match="abacus"):
        best_device()


@pytest.fixture
def borrowing(shelf, monkeypatch):
    """One segmenter whose encoder is another's."""
    monkeypatch.setattr(catalog, "BORROWED", {"segmenter-bilinear": ("encoder", "segmenter-nearest", "encoder")})
    torch.manual_seed(2)
    lender, borrower = Segmenter("nearest"), Segmenter("bilinear")
    borrower.encoder.load_state_dict(lender.encoder.state_dict())
    catalog.save("segmenter-nearest", lender, {"name": "segmenter-nearest", "metrics": {}})
    catalog.save("segmenter-bilinear", borrower, {"name": "segmenter-bilinear", "metrics": {}})
    return borrower


def test_a_borrowed_trunk_is_not_written_and_comes_back(shelf, borrowing):
    with safe_open(shelf / "segmenter-bilinear.safetensors", "pt") as file:
        kept = set(file.keys())
    assert kept and not any(key.startswith("encoder.") for key in kept)
    back = catalog.load("segmenter-bilinear").module.state_dict()
    for key, value in borrowing.state_dict().items():
        assert torch.allclose(back[key].float(), value.float(), atol=2e-3), key


def test_a_whole_network_can_be_borrowed(shelf):
    torch.manual_seed(3)
    borrower = PanopticFpn()
    catalog.save("detector", borrower.detector, {"name": "detector", "metrics": {}})
    catalog.save("panoptic-fpn", borrower, {"name": "panoptic-fpn", "metrics": {}})
    with safe_open(shelf / "panoptic-fpn.safetensors", "pt") as file:
        assert {key.split(".")[0] for key in file.keys()} == {"stuff"}  # noqa: SIM118
    back = catalog.load("panoptic-fpn").module.state_dict()
    for key, value in borrower.state_dict().items():
        assert torch.allclose(back[key].float(), value.float(), atol=2e-3), key


def test_a_trunk_that_was_trained_anew_does_not_fit_any_more(shelf, borrowing):
    catalog.save("segmenter-nearest", Segmenter("nearest"), {"name": "segmenter-nearest", "metrics": {}})
    with pytest.raises(ValueError, match="trained on the trunk of another segmenter-nearest: train segmenter-bilinear"):
        catalog.load("segmenter-bilinear")
