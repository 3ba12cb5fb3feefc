"""Own weights for a listed architecture: taken when they fit, refused in one sentence when not, never executed."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors

from models import catalog, choice, pretrained

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Weights of the right names and shapes, whose variances are about one."""
    generator = torch.Generator().manual_seed(0)
    found = {}
    for key, value in pretrained.blank("mobilenet_v3_large").state_dict().items():
        noise = 0.1 * torch.randn(value.shape, generator=generator)
        found[key] = (1 + 0.1 * noise if key.endswith("running_var") else noise).to(value.dtype)
    return found


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(0, 256, (90, 120, 3), np.uint8)


def saved(content) -> bytes:
    out = io.BytesIO()
    torch.save(content, out)
    return out.getvalue()


def test_own_weights_of_a_pretrained_architecture(state, image):
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    wrapped = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    expected = pretrained.wrap("mobilenet_v3_large", state, CPU)(image).logits
    for data in (saved(state), save_safetensors(state), saved(wrapped)):
        network = choice.load_own("mobilenet_v3_large", data, "mine.pth")
        assert network.name == "mobilenet_v3_large with mine.pth"
        assert torch.equal(network(image).logits, expected)
    rounded = choice.load_own("mobilenet_v3_large", saved(half), "half.pth")(image).logits
    assert not torch.equal(rounded, expected) and torch.allclose(
        rounded, expected, atol=0.05 * float(expected.abs().max())
    )


def test_own_weights_of_a_lab_network(image):
    family = catalog.family("segmenter-bilinear")
    torch.manual_seed(5)
    module = family.build("segmenter-bilinear").eval()
    network = choice.load_own("segmenter-bilinear", saved(module.state_dict()), "mine.pth")
    assert network.name == "segmenter-bilinear with mine.pth" and network.card["parameters"] == 2_630_445
    oracle = family.wrap("x", module, CPU, {})
    np.testing.assert_array_equal(network(image).labels, oracle(image).labels)
    with pytest.raises(ValueError, match=r"do not fit segmenter-transposed: .*transposed\.0\.weight is missing"):
        choice.load_own("segmenter-transposed", saved(module.state_dict()), "mine.pth")
    with pytest.raises(ValueError, match="no network 'resnet9000'"):
        choice.load_own("resnet9000", b"x")


class Code:
    """A pickle that would run something."""

    ran = False

    def __reduce__(self):
        return _run, ()


def _run():
    Code.ran = True


def changed(state, **entries):
    return {k: v for k, v in (state | {k.replace("__", "."): v for k, v in entries.items()}).items() if v is not None}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda s: b"", "is empty"),
        (lambda s: b"Dear lab, here are my weights", "is not a file of weights"),
        (lambda s: saved(s)[:-1000], "is not a file of weights, or damaged"),
        (lambda s: save_safetensors(s)[:-1000], "damaged or cut off"),
        (lambda s: b"\0" * 30_000_000, "has more than the 2"),
        (lambda s: saved(torch.zeros(3)), "is no state_dict"),
        (lambda s: saved({1: torch.zeros(3)}), "is no state_dict"),
        (lambda s: saved(Code()), "holds more than weights"),
        (lambda s: pickle.dumps(Code(), protocol=2), "holds more than weights"),
        (lambda s: pickle.dumps(Code(), protocol=4), "is not a file of weights"),
        (lambda s: saved(s | {"x": Code()}), "holds more than weights"),
        (lambda s: saved(torch.nn.Linear(2, 2)), "holds more than weights"),
        (lambda s: saved(changed(s, classifier__3__bias=torch.zeros(10))), "bias is 10 in the file and 1000 in"),
        (lambda s: saved(changed(s, features__0__0__weight=None)), "features.0.0.weight is missing"),
        (lambda s: saved(changed(s, head=torch.zeros(1))), "which has no head"),
        (lambda s: saved(changed(s, classifier__3__bias="zero")), "classifier.3.bias is no plain tensor"),
        (lambda s: saved(changed(s, classifier__3__bias=torch.zeros(1000, dtype=int))), "holds torch.int64"),
        (lambda s: saved(changed(s, classifier__3__bias=torch.full((1000,), torch.nan))), "infinite or undefined"),
        (lambda s: saved(changed(s, classifier__3__bias=torch.zeros(1000).to_sparse())), "is no plain tensor"),
    ],
)  # fmt: skip
def test_own_weights_are_refused_in_one_sentence(state, make, sentence):
    Code.ran = False
    with pytest.raises(ValueError) as caught:
        choice.load_own("mobilenet_v3_large", make(state), "mine.pth")
    message = str(caught.value)
    assert sentence in message and "\n" not in message and len(message) < 160 and not Code.ran


def test_a_packed_file_that_unfolds_to_more_is_refused_before():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(60_000_000))
    assert len(out.getvalue()) < 100_000
    with pytest.raises(ValueError, match="has more than the 2"):
        choice.load_own("mobilenet_v3_large", out.getvalue(), "bomb.pth")


def packed(count: int) -> bytes:
    """A small zip archive that unfolds to so many bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(count))
    return out.getvalue()


@pytest.mark.parametrize("make", [bytes, packed])
@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_a_file_may_have_as_many_bytes_as_the_limit_and_not_one_more(make, more, refused):
    limit = choice.Offer("segmenter-bilinear", "").largest_own()
    with pytest.raises(ValueError) as caught:
        choice.load_own("segmenter-bilinear", make(limit + more), "mine.pth")
    assert ("has more than the 12 MB" in str(caught.value)) == refused


@pytest.mark.parametrize(
    ("key", "entry", "sentence"),
    [
        ("outputs", torch.zeros(1), "which has no outputs"),
        ("encoder.stem.num_batches_tracked", torch.zeros((), dtype=torch.int64), None),  # a counter too many is no harm
    ],
)
def test_entries_that_the_network_lacks(key, entry, sentence):
    state = catalog.family("segmenter-bilinear").build("segmenter-bilinear").state_dict() | {key: entry}
    if sentence is None:
        assert choice.load_own("segmenter-bilinear", saved(state), "mine.pth").card["parameters"] == 2_630_445
    else:
        with pytest.raises(ValueError, match=sentence):
            choice.load_own("segmenter-bilinear", saved(state), "mine.pth")


def test_counters_that_are_missing_start_at_zero():
    state = catalog.family("segmenter-bilinear").build("segmenter-bilinear").state_dict()
    counters = {key: value + 5 for key, value in state.items() if key.endswith("num_batches_tracked")}
    assert counters
    without = {key: value for key, value in state.items() if key not in counters}
    for given, expected in ((without, 0), (state | counters, 5)):
        filled = choice.load_own("segmenter-bilinear", saved(given), "mine.pth").module.state_dict()
        assert {int(filled[key]) for key in counters} == {expected}
        assert all(torch.equal(filled[key], state[key]) for key in without)
