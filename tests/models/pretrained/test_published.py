"""The networks for photographs: built and filled as torchvision does, fetched, opened, released."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torchvision import models as torchvision_models
from torchvision.models import WeightsEnum
from torchvision.ops import batched_nms

from models import __main__ as command_line
from models import catalog, device
from models.networks.published import Objects, PixelClasses, TopClasses
from models.pretrained import published
from models.pretrained.fetching import Source
from tests import download_host
from tests.published import knowing, random_state

SMALL = ("mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn", "deeplabv3_mobilenet_v3_large")
CPU = torch.device("cpu")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def norms_of_the_trunk(module: torch.nn.Module) -> int:
    """Numbers in the batch normalisations of a detector's trunk, which count as parameters unless frozen."""
    body = getattr(getattr(module, "backbone", None), "body", torch.nn.Identity())
    norms = [each for each in body.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    return sum(p.numel() for each in norms for p in each.parameters())


@pytest.fixture(scope="module")
def states():
    return {name: random_state(name) for name in SMALL}


@pytest.fixture(scope="module")
def files(states):
    """What torch.save makes of them."""
    found = {}
    for name, state in states.items():
        out = io.BytesIO()
        torch.save(state, out)
        found[name] = out.getvalue()
    return found


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(0, 256, (90, 120, 3), np.uint8)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """An empty cache, no proxy, the CPU, and no network kept from another test."""
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(published, "_loaded", type(published._loaded)())
    monkeypatch.setattr(published, "_seconds", {})


@pytest.fixture
def host(files, monkeypatch):
    """A host whose mobilenet, of the right shapes, is the published one."""
    with download_host.serve() as host:
        source = published.ENTRIES["mobilenet_v3_large"].source
        host.files[source.file_name] = files["mobilenet_v3_large"]
        publish(monkeypatch, files["mobilenet_v3_large"])
        monkeypatch.setenv("RECEPTIVE_WEIGHTS_URL", host.address)
        yield host


def publish(monkeypatch, data: bytes) -> None:
    """Let every published hash and size be those of `data`; the address stays torchvision's."""
    real = published.Entry.source.fget

    def source(entry):
        return Source(real(entry).url, hashlib.sha256(data).hexdigest()[:8], len(data))

    monkeypatch.setattr(published.Entry, "source", property(source))


def test_the_list_is_by_task_and_apart_from_the_labs():
    assert catalog.pretrained_names("classification")[1:] == ["mobilenet_v3_large", "resnet50", "vgg16"]
    assert len(catalog.pretrained_names("detection")) == 5
    assert catalog.pretrained_names("instance segmentation") == ["maskrcnn_resnet50_fpn_v2"]
    assert catalog.pretrained_names("keypoints") == ["keypointrcnn_resnet50_fpn"]
    assert catalog.pretrained_names("segmentation") == ["deeplabv3_mobilenet_v3_large", "fcn_resnet50"]
    assert catalog.pretrained_names() == ["efficientnet-lite0", *published.NAMES] and len(published.NAMES) == 10
    assert not set(catalog.names()) & set(catalog.pretrained_names())


@pytest.mark.parametrize("name", published.NAMES)
def test_source_and_architecture_are_torchvisions(name):
    entry = published.ENTRIES[name]
    assert entry.source.url == entry.weights.url and entry.source.file_name == entry.weights.url.split("/")[-1]
    assert len(entry.source.sha256) == 8 and int(entry.source.sha256, 16)
    assert f"-{entry.source.sha256}." in entry.source.file_name
    blank, card = published.blank(name), catalog.card(name)
    # torchvision counts without the segmenters' auxiliary head, and some detectors with a frozen trunk
    counted = sum(p.numel() for n, p in blank.named_parameters() if not n.startswith("aux_classifier"))
    whole = sum(p.numel() for p in blank.parameters())
    assert card["parameters"] in (counted, counted - norms_of_the_trunk(blank), whole)
    assert all(p.is_meta for p in blank.parameters())
    # in megabytes to a few per cent, which is what the page promises before it fetches
    assert entry.source.size == pytest.approx(4 * sum(v.numel() for v in blank.state_dict().values()), rel=0.03)


@pytest.mark.parametrize("name", (*SMALL, "keypointrcnn_resnet50_fpn"))
def test_filled_as_torchvision_fills_its_own(name, states, monkeypatch):
    """torchvision's builder with its weights, but with our numbers as the download, is the oracle."""
    state = states.get(name) or random_state(name)
    ours = published.wrap(name, state, CPU).module
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: state)
    oracle = torchvision_models.get_model(name, weights=published.ENTRIES[name].weights).eval()
    for key, value in oracle.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key
    x = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        if "detection" in published.ENTRIES[name].tasks:  # all that comes after it is the same code
            ours, oracle = ours.backbone, oracle.backbone
        mine, theirs = ours(x), oracle(x)
    for a, b in zip(*(r.values() if isinstance(r, dict) else [r] for r in (mine, theirs)), strict=True):
        assert b.std() > 0 and torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))


def test_a_classifiers_answer(states, image):
    network = published.wrap("mobilenet_v3_large", states["mobilenet_v3_large"], CPU)
    result = network(image)
    assert isinstance(result, TopClasses) and result.logits.shape == (1000,) and result.device == "cpu"
    assert float(result.probabilities.sum()) == pytest.approx(1, abs=1e-5)
    (first, p), (_, q), *_ = top = result.top()
    assert len(top) == 5 and p >= q and p == float(result.probabilities.max())
    assert first == network.classes[int(result.logits.argmax())]
    assert network.classes[:2] == ("tench", "goldfish") and result.seconds > 0
    # by hand, as torchvision's documentation says
    weights = published.ENTRIES["mobilenet_v3_large"].weights
    by_hand = network.module(weights.transforms()(torch.from_numpy(image).permute(2, 0, 1))[None])[0]
    assert torch.allclose(result.logits, by_hand, atol=1e-4)


def test_a_detectors_answer_is_in_pixels_of_the_picture(states, image):
    state = knowing(states["fasterrcnn_mobilenet_v3_large_320_fpn"], 18)
    network = published.wrap("fasterrcnn_mobilenet_v3_large_320_fpn", state, CPU)
    result = network(image, masks=False, keypoints=False)
    assert isinstance(result, Objects) and len(result.boxes) > 0
    assert result.masks is None and result.keypoints is None and result.keypoint_scores is None
    assert (result.boxes >= 0).all() and (result.boxes <= torch.tensor([120, 90, 120, 90]) + 1e-3).all()
    assert (result.boxes[:, 2] > 100).any()  # and not those of the resized one, nor shrunk
    assert torch.equal(result.scores, result.scores.sort(descending=True).values)
    assert result.names == [network.classes[label] for label in result.labels] and "dog" in result.names
    assert network.classes[18] == "dog"


def test_masks_and_keypoints_where_there_are_some(image):
    small = {"min_size": 64, "max_size": 96}
    torch.manual_seed(0)
    for name, points in (("maskrcnn_resnet50_fpn_v2", 0), ("keypointrcnn_resnet50_fpn", 17)):
        network = published.wrap(name, knowing(random_state(name), 1), CPU)
        network.module.transform.min_size, network.module.transform.max_size = (64,), small["max_size"]
        network.module.roi_heads.score_thresh, network.module.roi_heads.detections_per_img = 0.0, 3
        result = network(image)
        found = len(result.boxes)
        assert found > 0
        if points:
            assert result.keypoints.shape == (found, 17, 3) and result.keypoint_scores.shape == (found, 17)
            assert network.keypoint_names[0] == "nose" and result.masks is None
        else:
            assert result.masks.shape == (found, 90, 120) and result.keypoints is None
            assert result.masks.min() >= 0 and result.masks.max() <= 1
        less = network(image, masks=False, keypoints=False)
        assert less.masks is None and less.keypoints is None and torch.equal(less.boxes, result.boxes)


def undecided(name: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """A detector that gives many classes to every region, so that NMS has something to do."""
    state, generator = random_state(name), torch.Generator().manual_seed(seed)
    for key, value in state.items():
        if "cls_score" in key or "bbox_pred" in key or "cls_logits" in key or "bbox_reg" in key:
            state[key] = value * (0.02 if "bbox" in key and value.dim() > 1 else 0.3)
        if key.endswith("cls_score.bias"):
            state[key] = torch.full_like(value, -3.0)
            state[key][[1, 18, 44]] = torch.tensor([0.5, 0.2, 0.0])
        if key.endswith("cls_logits.bias"):
            state[key] = torch.randn(value.shape, generator=generator) - 3.5
    return state


@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_320_fpn", "retinanet_resnet50_fpn_v2"])
def test_nms_over_the_raw_boxes_is_what_the_network_returns(name, image):
    network = published.wrap(name, undecided(name), CPU)
    if name.startswith("retinanet"):  # as it is, this takes a second a picture
        network.module.transform.min_size, network.module.transform.max_size = (96,), 160
        network.module.topk_candidates = 60
    heads = getattr(network.module, "roi_heads", network.module)
    before = {key: value for key, value in vars(heads).items() if not key.startswith("_")}
    raw, final = network.before_nms(image), network(image, masks=False, keypoints=False)
    kept = batched_nms(raw.boxes, raw.scores, raw.labels, network.own_nms)[: heads.detections_per_img]
    assert len(raw.boxes) > len(kept) > 0 and raw.masks is None and raw.keypoints is None
    torch.testing.assert_close(raw.boxes[kept], final.boxes)
    torch.testing.assert_close(raw.scores[kept], final.scores)
    assert [raw.names[i] for i in kept] == final.names
    assert float(raw.scores.min()) > 0.05 and network.own_nms == 0.5
    assert {key: value for key, value in vars(heads).items() if not key.startswith("_")} == before
    again = network(image, masks=False, keypoints=False)
    assert torch.equal(again.boxes, final.boxes) and not network.lock.locked()
    lowest = float(raw.scores.sort().values[1])
    fewer = network.before_nms(image, lowest)
    assert float(fewer.scores.min()) > lowest and len(fewer.scores) <= len(raw.scores) - 2


def test_raw_boxes_of_one_class_stay_even_where_they_are_the_same(image):
    """Every box is blown up to the whole picture, so their IoU is 1: with NMS off none may go."""
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    state = undecided(name)
    bias = state["roi_heads.box_predictor.bbox_pred.bias"]
    state["roi_heads.box_predictor.bbox_pred.bias"] = torch.tensor([0.0, 0.0, 100.0, 100.0]).repeat(len(bias) // 4)
    network = published.wrap(name, state, CPU)
    raw, final = network.before_nms(image), network(image, masks=False, keypoints=False)
    most = []
    for found in (raw, final):
        whole = (found.boxes - torch.tensor([0.0, 0.0, image.shape[1], image.shape[0]])).abs().amax(1) < 1
        most.append(int(found.labels[whole].bincount().max()))
    assert most[0] > 5 and most[1] == 1


def test_raw_boxes_leave_masks_to_the_shared_network(image):
    network = published.wrap("maskrcnn_resnet50_fpn_v2", knowing(random_state("maskrcnn_resnet50_fpn_v2"), 1), CPU)
    network.module.transform.min_size, network.module.transform.max_size = (64,), 96
    network.module.roi_heads.detections_per_img = 3
    raw = network.before_nms(image)
    assert raw.masks is None and len(raw.boxes) > 3
    assert network.module.roi_heads.mask_roi_pool is not None and network(image).masks is not None


def test_a_segmenters_answer_has_the_pictures_size(states, image):
    network = published.wrap("deeplabv3_mobilenet_v3_large", states["deeplabv3_mobilenet_v3_large"], CPU)
    result = network(image)
    assert isinstance(result, PixelClasses) and result.logits.shape == (21, 90, 120)
    np.testing.assert_array_equal(result.labels, result.logits.argmax(0).numpy())
    assert result.labels.dtype == np.uint8 and result.classes[15] == "person"


def test_not_here_is_a_sentence_with_the_command():
    with pytest.raises(
        ValueError, match=r"resnet50 is not on this machine yet: python -m models fetch resnet50 .*103 MB"
    ):
        catalog.load("resnet50")


def test_the_lab_does_not_train_them(capsys):
    assert command_line.main(["train", "resnet50"]) == 2
    assert "trained by others" in capsys.readouterr().err


def test_fetched_by_command_and_loaded_once(host, states, image, capsys):
    assert command_line.main(["fetch", "mobilenet_v3_large"]) == 0
    printed = capsys.readouterr()
    assert "mobilenet_v3_large: 22 MB in " in printed.out and "100%" in printed.err
    with ThreadPoolExecutor(30) as pool:
        networks = set(pool.map(lambda _: catalog.load("mobilenet_v3_large"), range(30)))
    (network,) = networks
    assert len(host.requests) == 1 and not network.module.training
    assert not any(p.requires_grad for p in network.module.parameters())
    for key, value in states["mobilenet_v3_large"].items():
        assert torch.equal(network.module.state_dict()[key], value)
    assert network.card["weights"] == "MobileNet_V3_Large_Weights.IMAGENET1K_V2"
    seconds, measured = published.seconds_per_picture("mobilenet_v3_large")
    assert not measured and 0 < seconds < 10
    took = network(image).seconds
    assert published.seconds_per_picture("mobilenet_v3_large") == (took, True)
    catalog.release("mobilenet_v3_large")
    assert published.seconds_per_picture("mobilenet_v3_large") == (took, True)
    assert catalog.load("mobilenet_v3_large") is not network


def test_only_the_last_used_are_kept(host, monkeypatch, capsys):
    monkeypatch.setattr(published, "KEPT", 1)
    command_line.main(["fetch", "mobilenet_v3_large"])
    first = catalog.load("mobilenet_v3_large")
    published._loaded["other", "cpu"] = first
    published._loaded.move_to_end(("other", "cpu"), last=False)
    published.release("mobilenet_v3_large")
    catalog.load("mobilenet_v3_large")
    assert list(published._loaded) == [("mobilenet_v3_large", "cpu")]


@pytest.mark.parametrize(("behaviour", "sentence"), [("break", "broke off"), ("404", "HTTP 404"), ("page", "hash")])
def test_a_failed_fetch_is_one_sentence_and_exit_2(host, behaviour, sentence, capsys):
    host.behaviour = behaviour
    assert command_line.main(["fetch", "mobilenet_v3_large"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in last and "Traceback" not in last and not published.on_disk("mobilenet_v3_large")


def test_fetch_offline_unknown_and_without_a_name(monkeypatch, capsys):
    monkeypatch.setenv("RECEPTIVE_WEIGHTS_URL", download_host.closed_port())
    assert command_line.main(["fetch", "all"]) == 2
    assert "are you offline?" in capsys.readouterr().err
    assert command_line.main(["fetch", "resnet50", "nobody"]) == 2
    assert capsys.readouterr().err.startswith("There is no pretrained network 'nobody'")
    assert command_line.main(["fetch"]) == 0
    carried, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(published.NAMES)
    assert all("to fetch" in line for line in lines)
    assert carried.startswith("efficientnet-lite0 ") and " here " in carried and "Apache-2.0" in carried
    assert command_line.main(["fetch", "efficientnet-lite0"]) == 0
    assert "comes with the lab" in capsys.readouterr().out


def test_out_of_memory_is_said_and_the_network_let_go(host, image, monkeypatch, capsys):
    command_line.main(["fetch", "mobilenet_v3_large"])
    network = catalog.load("mobilenet_v3_large")

    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(network.module, "forward", full)
    with pytest.raises(device.OutOfMemory, match="mobilenet_v3_large needs more memory than cpu has free"):
        network(image)
    assert not published._loaded and not network.lock.locked()
    assert catalog.load("mobilenet_v3_large")(image).logits.shape == (1000,)


def test_another_error_stays_what_it_is(states, monkeypatch, image):
    network = published.wrap("mobilenet_v3_large", states["mobilenet_v3_large"], CPU)
    monkeypatch.setattr(network.module, "forward", lambda *_: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        network(image)


def test_releasing_a_network_of_the_lab_reads_it_again():
    first = catalog.load("segmenter-bilinear")
    assert catalog.load("segmenter-bilinear") is first
    catalog.release("segmenter-bilinear")
    assert catalog.load("segmenter-bilinear") is not first


def test_half_precision_gives_floats_back_and_stays_close(states):
    """What CUDA gets, run on the CPU, whose autocast rounds alike."""
    network = published.wrap("mobilenet_v3_large", states["mobilenet_v3_large"], CPU).module
    x = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        exact, half = network(x), device._autocast(network.forward, "cpu")(x)
    assert half.dtype == torch.float32 and not torch.equal(exact, half)
    assert (exact - half).abs().max() < 0.03 * exact.abs().max()


@GPU
@pytest.mark.parametrize("name", SMALL)
def test_on_a_gpu_half_precision_stays_within_tolerance(name, states, image):
    exact = published.wrap(name, states[name], CPU)
    quick = published.wrap(name, states[name], torch.device("cuda"))
    assert next(quick.module.parameters()).is_cuda
    x = torch.rand(1, 3, 320, 320, generator=torch.Generator().manual_seed(1))
    parts = [
        getattr(n.module, "backbone", n.module) if "detection" in n.card["tasks"] else n.module for n in (exact, quick)
    ]
    with torch.inference_mode():
        a, b = parts[0](x), parts[1](x.cuda())
    for u, v in zip(*(r.values() if isinstance(r, dict) else [r] for r in (a, b)), strict=True):
        assert v.dtype == torch.float32 and (u - v.cpu()).abs().max() < 0.03 * u.abs().max()
    result = quick(image)
    assert result.device == "cuda" and result.seconds > 0


@GPU
def test_on_a_gpu_out_of_memory_is_said_and_memory_comes_back(states, image):
    network = published.wrap("mobilenet_v3_large", states["mobilenet_v3_large"], torch.device("cuda"))
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    network._preprocess = lambda pixels: torch.zeros(3, 1 << 20, 1 << 20, device="cuda")
    with pytest.raises(device.OutOfMemory):
        network(image)
    assert torch.cuda.memory_reserved() <= before
