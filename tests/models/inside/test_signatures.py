"""Signatures: the shipped ones are what the networks make of the pictures, and other weights are noticed."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from models import __main__ as command
from models import catalog
from models.inside import gallery, signatures

NAMES = command.GALLERY


def network(name):
    return signatures.untrained() if name == signatures.UNTRAINED else catalog.load(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_ones_are_what_the_network_makes_of_the_pictures(name):
    shipped = signatures.shipped(network(name))
    assert shipped is not None
    numbers = [0, 500, 999]
    made = signatures.of_pictures(network(name), np.array([gallery.picture(gallery.things()[n]) for n in numbers]))
    assert list(shipped) == list(made) and next(iter(made)) == signatures.PICTURE
    for layer, values in made.items():
        assert shipped[layer].shape == (gallery.COUNT, values.shape[1])
        torch.testing.assert_close(shipped[layer][numbers], values, rtol=2e-3, atol=2e-3)


def test_the_first_layer_is_the_mean_colour():
    image = np.zeros((10, 10, 3), np.uint8)
    image[:5, :, 0], image[..., 2] = 255, 51
    found = signatures.of_pictures(signatures.untrained(), image[None])
    assert found[signatures.PICTURE][0].tolist() == pytest.approx([0.5, 0, 0.2], abs=1e-4)


def test_the_last_layer_is_what_the_heads_pool():
    image = gallery.picture(gallery.things()[3])
    lab = catalog.load("classifier-gap-28")
    small = signatures._pixels(image)[None]
    last = list(signatures.of_pictures(lab, image[None]).values())[-1]
    torch.testing.assert_close(last, lab.features_of(small).mean((2, 3)))
    lite = catalog.load("efficientnet-lite0")
    found = signatures.of_pictures(lite, image[None])
    assert [each.shape[1] for each in found.values()] == [3, 32, 16, 24, 40, 80, 112, 192, 320, 1280]
    with torch.inference_mode():
        logits = lite.module._fc(found["head"].to(lite.device))[0].float().cpu()
    torch.testing.assert_close(logits, lite(image).logits, rtol=1e-3, atol=1e-3)


def test_other_weights_are_noticed():
    lab = catalog.load("classifier-gap-28")
    other = SimpleNamespace(name=lab.name, card=lab.card | {"sha256": "0" * 64})
    assert signatures.shipped(lab) is not None and signatures.shipped(other) is None
    assert signatures.shipped(SimpleNamespace(name="nobody", card=lab.card)) is None


def test_the_untrained_network_is_the_same_each_time_and_leaves_chance_alone():
    signatures.untrained.cache_clear()
    before = torch.get_rng_state()
    first = signatures.untrained()
    assert torch.equal(torch.get_rng_state(), before)
    signatures.untrained.cache_clear()
    assert signatures.untrained().card["sha256"] == first.card["sha256"]
    state, trained = first.module.state_dict(), catalog.load("classifier-gap-28").module.state_dict()
    assert [each.shape for each in state.values()] == [each.shape for each in trained.values()]


def test_the_command_writes_list_pictures_and_signatures(monkeypatch, tmp_path, capsys):
    for name, value in {"COUNT": 8, "ACROSS": 4, "FEATURES": tmp_path, "LIST": tmp_path / "gallery.json",
                        "SHEET": tmp_path / "gallery.jpg"}.items():  # fmt: skip
        monkeypatch.setattr(gallery, name, value)
    monkeypatch.setattr(command, "GALLERY", (signatures.UNTRAINED,))
    caches = (gallery.things, gallery.thumbnails)
    try:
        assert command.main(["features"]) == 0
        assert sorted({each.label for each in gallery.things()}) == sorted(gallery.scenes.THINGS)
        assert gallery.thumbnails().shape == (8, gallery.TILE, gallery.TILE, 3)
        found = signatures.shipped(signatures.untrained())
        assert found is not None and all(len(each) == 8 for each in found.values())
        with safe_open(tmp_path / "untrained.safetensors", "pt") as file:
            assert file.get_tensor("conv28").dtype == torch.float16
    finally:
        for cache in caches:
            cache.cache_clear()
    assert "untrained: " in capsys.readouterr().out


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(gallery, "LIST", tmp_path / "no")
    monkeypatch.setattr(gallery, "SHEET", tmp_path / "no.jpg")
    for cache, word in ((gallery.things, "list"), (gallery.thumbnails, "pictures")):
        cache.cache_clear()
        with pytest.raises(ValueError, match=f"{word} .* missing: python -m models features"):
            cache()
