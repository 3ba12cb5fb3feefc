"""Own weights for a listed architecture: taken when they fit, refused in one sentence when not, never executed."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors

from models import catalog, choice
from models.pretrained import own_weights, published

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")
    monkeypatch.setattr(own_weights, "SECONDS", 100.0)  # a busy machine refuses nothing here


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Weights of the right names and shapes, whose variances are about one."""
    generator = torch.Generator().manual_seed(0)
    found = {}
    for key, value in published.blank("mobilenet_v3_large").state_dict().items():
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
    expected = published.wrap("mobilenet_v3_large", state, CPU)(image).logits
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
        (lambda s: pickle.dumps(Code(), protocol=4), "holds more than weights"),
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


def nested(depth: int) -> bytes:
    """A pickle of a dict whose key is tuples in tuples: hashing it overflows the stack of C."""
    return b"\x80\x02}(" + b")" + b"\x85" * depth + b"K\x01u."


def in_zip(pickled: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
    return out.getvalue()


LARGE_ARRAY = b"\x80\x02c__builtin__\nbytearray\nJ" + (2_000_000_000).to_bytes(4, "little") + b"\x85R."
LARGE_MEMO = b"\x80\x02}r" + (2**32 - 1).to_bytes(4, "little") + b"."
LARGE_BYTES = b"\x80\x04\x8e" + (3 << 30).to_bytes(8, "little") + b"x."


@pytest.mark.parametrize("wrapped", [bytes, in_zip])
@pytest.mark.parametrize("pickled", [nested(200_000), LARGE_ARRAY, LARGE_MEMO, LARGE_BYTES])
def test_a_pickle_that_crashes_or_swells_its_reader_is_refused(pickled, wrapped):
    with pytest.raises(ValueError, match=r"“x\.pth” (is not a file of weights|holds more|asks for more memory)"):
        own_weights.read(wrapped(pickled), "x.pth", 3_000_000)


def test_a_reader_without_end_is_given_up(monkeypatch, tmp_path):
    reader = tmp_path / "reader.py"
    reader.write_text("while True: pass")
    monkeypatch.setattr(own_weights, "READER", reader)
    monkeypatch.setattr(own_weights, "SECONDS", 0.2)
    with pytest.raises(ValueError, match="takes longer than"):
        own_weights.read(b"x", "x.pth", 10)


def header(text: str, numbers: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text.encode() + numbers


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (header('{"a":' * 50_000), "damaged or cut off"),
        (header('{"a":' + "[" * 100_000), "damaged or cut off"),
        (header('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', b"0"), "numbers of the type F8_E4M3"),
        (header('{"a":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]}}', b"0"), "numbers of the type F8_E8M0"),
        (header('{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', b"0"), "numbers of the type F4"),
        (header('{"a":{"dtype":"[x](http://y)","shape":[1],"data_offsets":[0,1]}}', b"0"), "type ?x??http?//y?:"),
        (header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', b"0000"), "damaged or cut off"),
        (header('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}'), "damaged or cut off"),
        (header('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],'
                '"data_offsets":[0,1]}}', b"0"), "damaged or cut off"),
        (header('{"a":3}'), "damaged or cut off"),
        (header("{}"), "is no state_dict"),
    ],
)  # fmt: skip
def test_a_bad_header_of_safetensors_is_one_sentence(data, sentence):
    with pytest.raises(ValueError) as caught:
        own_weights.read(data, "x.safetensors", 10_000_000)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_numbers_come_back_as_torch_reads_them():
    shared = torch.arange(12.0)
    content = {
        "columns": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last), "part": shared[2:8:2],
        "whole": shared, "turned": torch.randn(3, 4).T, "half": torch.randn(3).half(),
        "brain": torch.randn(3).bfloat16(),
        "count": torch.tensor(7), "none": torch.zeros(0, 3), "yes": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.randn(2)), "double": torch.randn(2).double(),
        "byte": torch.arange(3).byte(),
    }  # fmt: skip
    old = io.BytesIO()
    torch.save(content, old, _use_new_zipfile_serialization=False)
    plain = {key: value.detach().clone().contiguous() for key, value in content.items()}
    for data in (saved(content), old.getvalue(), save_safetensors(plain)):
        found = own_weights.read(data, "x.pth", 1_000_000)
        assert list(found) == list(content) or data[8:9] == b"{"
        for key, value in content.items():
            assert found[key].dtype == value.dtype and torch.equal(found[key], value), key


def test_a_storage_that_is_damaged_is_noticed():
    data = bytearray(saved({"a": torch.arange(100.0)}))
    data[data.index(torch.tensor([50.0, 51.0]).numpy().tobytes())] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        own_weights.read(bytes(data), "x.pth", 1_000_000)


def test_what_wraps_a_network_is_taken_off():
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    state = net.state_dict()
    averaged = {"n_averaged": torch.tensor(9)}
    for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "student.net."):
        renamed = {prefix + key: value for key, value in state.items()}
        files = [saved(renamed), save_safetensors(renamed), saved({"epoch": 3, "state_dict": renamed})]
        files += [saved(renamed | averaged), save_safetensors(renamed | averaged)]
        files += [saved({"model": {"state_dict": renamed}})]
        for data in files:
            other = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
            own_weights.fill(other, own_weights.read(data, "x.pth", 1_000_000), "net")
            assert all(torch.equal(value, state[key]) for key, value in other.state_dict().items()), prefix


def test_names_that_do_not_fit_behind_their_prefix_are_said():
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3))
    state = {f"encoder.{key}s": value for key, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=r"0\.weight is missing \(the names in the file begin with “encoder\.0?\.?”\)"):
        own_weights.fill(net, state, "net")
    with pytest.raises(ValueError, match=r"0\.weight is missing \(the names in the file begin with “student\.”\)"):
        own_weights.fill(net, {f"student.{k}": v for k, v in net.state_dict().items()} | {"b": torch.ones(1)}, "net")


def test_a_name_in_a_sentence_is_no_markdown():
    net = torch.nn.Linear(1, 1)
    for name in ("![x](http://a.b)", "*a*", "<b>", "a`b", "\ud800", "$x$", ":red[x]"):
        with pytest.raises(ValueError) as caught:
            own_weights.fill(net, net.state_dict() | {name: torch.ones(1)}, "net")
        assert not set(str(caught.value)) & set("*[]()<>`$!\ud800"), name
    with pytest.raises(ValueError, match=r"which has no a_b-c\.d/e 1"):
        own_weights.fill(net, net.state_dict() | {"a_b-c.d/e 1": torch.ones(1)}, "net")


def test_own_weights_of_the_largest_architecture_are_not_offered():
    offers = {offer.name: offer for offer in choice.offers("classification")}
    assert offers["vgg16"].largest_own() == 0 and 100_000_000 < offers["resnet50"].largest_own() < 110_000_000
    with pytest.raises(ValueError, match="too large to bring along"):
        choice.load_own("vgg16", b"x")
    for task in ("classification", "detection", "segmentation"):
        for offer in choice.offers(task, ()):
            assert offer.name == "vgg16" or offer.largest_own() >= offer.bytes, offer.name


def test_the_limit_is_a_kilobyte_an_entry_beyond_the_numbers():
    assert own_weights.largest(torch.nn.Linear(3, 2)) == (1 << 20) + 2 * 1024 + 8 * 4
    data = saved({"a": torch.ones(10)})
    assert torch.equal(own_weights.read(data, "x.pth", len(data))["a"], torch.ones(10))
    with pytest.raises(ValueError, match="has more than"):
        own_weights.read(data, "x.pth", len(data) - 1)
