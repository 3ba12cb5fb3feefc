import numpy as np
import pytest
import torch

from models.networks.encoder import normalised
from models.networks.segmenter import SKIPS, UPSAMPLINGS, LoadedSegmenter, Segmenter, folded
from scenes import CLASSES


def build(method):
    torch.manual_seed(0)
    return Segmenter(method).eval()


def test_the_five_networks_share_every_first_weight_but_those_of_the_upsampling():
    states = {method: build(method).state_dict() for method in UPSAMPLINGS}
    shared = set(states["nearest"])
    for method, state in states.items():
        assert {key for key in state if not key.startswith("transposed.")} == shared
        for key in shared:
            assert torch.equal(state[key], states["nearest"][key]), (method, key)
    assert [k for k in states["transposed"] if k.startswith("transposed.")] != []


@pytest.mark.parametrize("method", UPSAMPLINGS)
def test_logits_have_the_size_of_the_picture(method):
    with torch.inference_mode():
        assert build(method)(torch.rand(2, 3, 48, 80)).shape == (2, len(CLASSES), 48, 80)


@pytest.mark.parametrize("method", UPSAMPLINGS)
def test_a_folded_network_is_the_same_function_without_batch_normalisation(method):
    net = build(method).train()
    with torch.no_grad():
        for _ in range(3):  # statistics that are not those of the start
            net(torch.rand(2, 3, 32, 32))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    quick = folded(net)
    assert not [each for each in quick.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    assert net.training and not quick.training
    picture = torch.rand(1, 3, 64, 48)
    with torch.inference_mode():
        torch.testing.assert_close(quick(picture), net.eval()(picture), rtol=1e-4, atol=1e-4)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("method", UPSAMPLINGS)
def test_every_decoder_passes_gradients_to_the_first_layer(method):
    net = Segmenter(method)
    net(torch.rand(1, 3, 32, 32)).square().mean().backward()
    assert net.encoder.stages[0][0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("method", UPSAMPLINGS)
def test_stages_begin_with_what_the_named_upsampling_makes(method):
    stages = []
    with torch.inference_mode():
        build(method)(torch.rand(1, 3, 64, 64), stages)
    names = [name for name, _ in stages]
    assert names[:2] == ["upsampled to 8×8", "convolved at 8×8"]
    assert [tuple(stage.shape[1:]) for _, stage in stages] == [
        (128, 8, 8), (64, 8, 8), (64, 16, 16), (32, 16, 16), (32, 32, 32), (16, 32, 32), (16, 64, 64), (16, 64, 64)
    ]  # fmt: skip
    first = stages[0][1][0]
    zeros = (first == 0).float().mean()
    if method == "bed-of-nails":
        assert (first[:, 1::2] == 0).all() and (first[:, :, 1::2] == 0).all()
    elif method == "max-unpool":
        assert zeros >= 0.75
    elif method == "nearest":
        assert torch.equal(first[:, ::2, ::2], first[:, 1::2, 1::2])
    else:
        assert zeros < 0.75


def test_an_unknown_decoder_is_refused_in_words():
    with pytest.raises(ValueError, match="no decoder 'cubic'"):
        Segmenter("cubic")


def test_a_picture_of_any_size_is_padded_and_cut_back():
    model = LoadedSegmenter("segmenter-nearest", build("nearest"), torch.device("cpu"), {})
    image = np.random.default_rng(0).integers(0, 256, (50, 71, 3), dtype=np.uint8)
    result = model(image)
    assert result.labels.shape == (50, 71) and result.labels.dtype == np.uint8
    assert result.logits.shape == (13, 50, 71)
    assert (result.logits.argmax(0).numpy() == result.labels).all()
    assert result.stages == [] and result.seconds > 0 and result.device == "cpu"
    assert len(model(image, keep_stages=True).stages) == 8


def test_a_padded_picture_gives_what_its_padding_by_hand_gives():
    model = LoadedSegmenter("segmenter-bilinear", build("bilinear"), torch.device("cpu"), {})
    image = np.random.default_rng(1).integers(0, 256, (48, 60, 3), dtype=np.uint8)
    by_hand = model(np.pad(image, ((0, 0), (0, 4), (0, 0)), mode="edge")).logits[:, :, :60]
    assert torch.allclose(model(image).logits, by_hand, atol=1e-5)


def test_the_way_down_is_kept_level_by_level():
    encoded = []
    with torch.inference_mode():
        build("nearest")(torch.rand(1, 3, 64, 32), encoded=encoded)
    assert [(name, tuple(each.shape[1:])) for name, each in encoded] == [
        ("encoded at 64×32", (16, 64, 32)), ("encoded at 32×16", (32, 32, 16)), ("encoded at 16×8", (64, 16, 8)),
        ("encoded at 8×4", (128, 8, 4)), ("encoded at 4×2", (128, 4, 2)),
    ]  # fmt: skip


def by_hand(net, picture, added):
    """The decoder once more, with the features of the encoder added at the steps `added` alone."""
    encoded = []
    net(picture, encoded=encoded)
    x = encoded[-1][1]
    _, _, positions = net.encoder(normalised(picture))
    for step, (convolve, (_, skip)) in enumerate(zip(net.decoder, reversed(encoded[:-1]), strict=True)):
        x = net._upsample(x, step, positions.pop(), skip.shape[-2:])
        x = convolve(x + skip if step in added else x)
    return net.classify(x)


@pytest.mark.parametrize("method", UPSAMPLINGS)
def test_the_skip_connections_of_the_smallest_maps_stay_longest(method):
    net, picture = build(method), torch.rand(1, 3, 48, 64)
    with torch.inference_mode():
        torch.testing.assert_close(net(picture), by_hand(net, picture, {0, 1, 2}))
        for skips in range(SKIPS + 1):
            torch.testing.assert_close(net(picture, skips=skips), by_hand(net, picture, set(range(skips))))
        assert not torch.allclose(net(picture, skips=0), net(picture, skips=1))


def test_a_call_leaves_skip_connections_out_and_says_how_many_there_are():
    model = LoadedSegmenter("segmenter-nearest", build("nearest"), torch.device("cpu"), {})
    image = np.random.default_rng(2).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    whole, without = model(image, keep_stages=True), model(image, keep_stages=True, skips=0)
    assert [name for name, _ in whole.encoded] == [name for name, _ in without.encoded] and len(whole.encoded) == 5
    assert torch.equal(whole.encoded[0][1], without.encoded[0][1]), "the way down is the same"
    assert not torch.allclose(whole.logits, without.logits)
    assert torch.equal(model(image, skips=SKIPS).logits, model(image).logits)
    for skips in (-1, SKIPS + 1):
        with pytest.raises(ValueError, match="has 3 skip connections"):
            model(image, skips=skips)
