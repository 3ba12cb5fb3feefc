"""The shared choice of a network, run by Streamlit's own test runner with the catalogue and a local download host."""

import hashlib
import io
import time

import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from models.pretrained import fetching, published
from models.pretrained.fetching import Source
from tests import download_host

NAME = "mobilenet_v3_large"


def script():
    import streamlit as st

    from models import choice
    from ui import model_choice

    st.session_state.network = model_choice.choose("m", choice.offers("classification", lab=["segmenter-bilinear"]))


@pytest.fixture(scope="module")
def weights() -> bytes:
    """A file of the right names and shapes."""
    state = {k: torch.ones(v.shape, dtype=v.dtype) for k, v in published.blank(NAME).state_dict().items()}
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def host(weights, tmp_path, monkeypatch):
    """A host with that file under torchvision's name, and an empty cache."""
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(published, "_loaded", type(published._loaded)())
    url, digest = published.ENTRIES[NAME].source.url, hashlib.sha256(weights).hexdigest()[:8]
    monkeypatch.setattr(published.Entry, "source", property(lambda entry: Source(url, digest, len(weights))))
    with download_host.serve() as host:
        host.files[url.rpartition("/")[2]] = weights
        monkeypatch.setenv("RECEPTIVE_WEIGHTS_URL", host.address)
        yield host


def visit(**query) -> AppTest:
    test = AppTest.from_function(script, default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return run(test)


def run(changed) -> AppTest:
    test = changed.run()
    assert not test.exception
    return test


def network(test: AppTest):
    return test.session_state["network"]


def texts(test: AppTest) -> str:
    return "\n".join(each.value for kind in (test.caption, test.markdown, test.error) for each in kind)


def progress(test: AppTest) -> list[str]:
    return [each.proto.text for each in test.get("progress")]


def blocks(block) -> list[set[str]]:
    """The kinds of elements that lie directly in each block."""
    inner = [child for child in block.children.values() if hasattr(child, "children")]
    return [{child.type for child in block.children.values()}, *(kinds for each in inner for kinds in blocks(each))]


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


def settled(test: AppTest) -> AppTest:
    """The page once the download is over; a browser reruns the watching fragment by itself."""
    source, deadline = published.ENTRIES[NAME].source, time.monotonic() + 20
    while fetching.running(source) and time.monotonic() < deadline:
        time.sleep(0.01)
    return run(test)


def test_the_labs_network_is_the_default_and_needs_nothing(host):
    test = visit()
    assert network(test).name == "segmenter-bilinear" and not labels(test) and not test.caption
    assert host.requests == []
    assert f"| {NAME} | 1000 ImageNet classes, small and quick | 22 MB to fetch |" in texts(test)
    assert "| segmenter-bilinear | Lab World | on this machine |" in texts(test)


def test_missing_weights_wait_for_a_click(host):
    test = visit(m_model=NAME)
    assert network(test) is None and host.requests == []
    assert labels(test) == ["Fetch 22 MB"] and "22 MB, not on this machine yet" in texts(test)


def test_fetched_with_progress_then_loaded(host):
    host.behaviour = "stall"
    test = visit()
    run(test.selectbox[0].set_value(NAME))
    run(test.button(key="m_fetch").click())
    assert network(test) is None and labels(test) == ["Cancel"]
    (text,) = progress(test)
    assert text.startswith(f"{NAME}: ") and text.endswith(" of 22 MB")
    host.go_on.set()
    settled(test)
    assert network(test).name == NAME and not progress(test) and not labels(test)
    assert "22 MB, on this machine" in texts(test) and len(host.requests) == 1
    run(test.selectbox[0].set_value("segmenter-bilinear"))
    assert network(test).name == "segmenter-bilinear"


def test_cancelled_nothing_is_kept_and_it_can_begin_anew(host, tmp_path):
    host.behaviour = "stall"
    test = visit(m_model=NAME)
    run(test.button(key="m_fetch").click())
    run(test.button(key="m_cancel").click())
    assert labels(test) == ["Fetch 22 MB"] and not progress(test) and not test.error and network(test) is None
    host.behaviour = "well"
    run(test.button(key="m_fetch").click())
    settled(test)
    assert network(test).name == NAME
    host.go_on.set()


def test_a_second_visitor_joins_and_outlives_the_first(host):
    host.behaviour = "stall"
    first = visit(m_model=NAME)
    run(first.button(key="m_fetch").click())
    second = visit(m_model=NAME)
    assert labels(second) == ["Cancel"] and len(progress(second)) == 1
    run(first.button(key="m_cancel").click())
    assert labels(first) == ["Fetch 22 MB"]  # though it goes on for the other
    host.go_on.set()
    settled(second)
    assert network(second).name == NAME and len(host.requests) == 1
    assert network(run(first)) is network(second)


@pytest.mark.parametrize(
    ("behaviour", "sentence"), [("404", "(HTTP 404)"), ("break", "broke off"), ("page", "its hash is another")]
)
def test_a_failure_is_one_sentence_and_can_be_tried_again(host, behaviour, sentence):
    host.behaviour = behaviour
    test = visit(m_model=NAME)
    run(test.button(key="m_fetch").click())
    settled(test)
    assert network(test) is None and len(test.error) == 1 and sentence in test.error[0].value
    assert labels(test) == ["Try again"]
    host.behaviour = "well"
    run(test.button(key="m_fetch").click())
    settled(test)
    assert network(test).name == NAME and not test.error


def test_offline_is_said_and_the_lab_stays_usable(monkeypatch):
    monkeypatch.setenv("RECEPTIVE_WEIGHTS_URL", download_host.closed_port())
    test = visit(m_model=NAME)
    run(test.button(key="m_fetch").click())
    settled(test)
    assert "are you offline?" in test.error[0].value
    run(test.selectbox[0].set_value("segmenter-bilinear"))
    assert network(test).name == "segmenter-bilinear" and not test.error


def test_a_slow_network_says_so_before_it_starts(host, weights, monkeypatch):
    fetching.fetch(published.ENTRIES[NAME].source)
    for known, sentence in (
        ((5.2, False), "about **5 s per picture** on this machine, estimated"),
        ((6.8, True), "about **7 s per picture** on this machine, as measured last"),
        ((0.4, True), None),
    ):
        monkeypatch.setattr(published, "seconds_per_picture", lambda name, known=known: known)
        test = visit(m_model=NAME)
        assert network(test).name == NAME
        assert (sentence in texts(test)) if sentence else ("per picture" not in texts(test))


def test_own_weights_are_taken_or_refused_in_a_sentence(weights):
    test = visit(m_model=NAME)
    run(test.file_uploader[0].upload("mine.pth", weights))
    assert network(test).name == f"{NAME} with mine.pth" and "with the weights of “mine.pth”" in texts(test)
    mine = network(test)
    assert network(run(test)) is mine  # read once
    run(test.file_uploader[0].upload("letter.pth", b"Dear lab"))
    assert len(test.error) == 1 and "“letter.pth” is not a file of weights" in test.error[0].value
    assert network(test) is None and labels(test) == ["Fetch 22 MB"]
    run(test.selectbox[0].set_value("segmenter-bilinear"))
    run(test.file_uploader[0].upload("mine.pth", weights))
    assert "“mine.pth” has more than the 12 MB that this network's weights need" in test.error[0].value
    run(test.file_uploader[0].upload("other.safetensors", save({"conv.weight": torch.zeros(3)})))
    assert "These weights do not fit segmenter-bilinear" in test.error[0].value
    assert network(test).name == "segmenter-bilinear"


def test_a_refusal_stands_where_the_file_was_chosen():
    test = visit(m_model=NAME)
    run(test.file_uploader[0].upload("letter.pth", b"Dear lab"))
    assert any({"error", "file_uploader"} <= kinds for kinds in blocks(test.main))
    assert "was not taken: see *Models*" in texts(test)


def test_weights_that_are_too_large_to_bring_along_are_not_asked_for():
    test = visit(m_model="vgg16")
    assert not len(test.file_uploader) and "Own weights for vgg16 are too large to bring along" in texts(test)
