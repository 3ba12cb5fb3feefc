"""Fetching from a host that behaves well or badly: once for all, checked, and nothing broken is left behind."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.pretrained import fetching
from models.pretrained.fetching import Cancelled, FetchError, Offline, Source
from tests import download_host

DATA = os.urandom(200_000)


@pytest.fixture
def host():
    with download_host.serve() as host:
        yield host


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, an empty torch.hub, no proxy."""
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("RECEPTIVE_WEIGHTS_URL", raising=False)
    yield tmp_path / "cache" / "pretrained"
    assert not fetching._downloads


def left_behind(folder) -> list:
    """Files in the cache once every thread is done."""
    deadline = time.monotonic() + 5
    while any(t.name.startswith("fetch ") for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return sorted(file.name for file in folder.glob("*")) if folder.exists() else []


def failure(source: Source) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetching.fetch(source)
    return caught.value


def test_a_file_comes_with_progress_and_only_once(host, cache):
    source = host.add("net-v1.pth", DATA)
    host.behaviour = "stall"
    seen = []

    def report(done, total):
        seen.append((done, total))
        if done:
            host.go_on.set()

    path = fetching.fetch(source, report)
    assert path == cache / "net-v1.pth" and path.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA)) and any(0 < done < len(DATA) for done, _ in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert fetching.fetch(source) == path and len(host.requests) == 1
    assert left_behind(cache) == ["net-v1.pth"]


def test_thirty_at_once_are_one_download(host, cache):
    source = host.add("net.pth", DATA)
    host.behaviour = "slow"
    together = threading.Barrier(30)

    def student(_):
        together.wait(10)
        return fetching.fetch(source)

    with ThreadPoolExecutor(30) as pool:
        paths = set(pool.map(student, range(30)))
    assert paths == {cache / "net.pth"} and len(host.requests) == 1


def test_who_comes_later_watches_the_same_download(host):
    source = host.add("net.pth", DATA)
    host.behaviour = "stall"
    first, second = fetching.start(source, "first"), fetching.start(source, "second")
    assert first is second is fetching.running(source) and not first.finished
    host.go_on.set()
    assert first.wait(5) and first.path.read_bytes() == DATA and fetching.running(source) is None


def test_one_who_leaves_stops_it_for_nobody_else(host, cache):
    source = host.add("net.pth", DATA)
    host.behaviour = "stall"
    download = fetching.start(source, "first")
    fetching.start(source, "second")
    download.leave("first")
    assert not download.finished
    host.go_on.set()
    assert download.wait(5) and download.error is None and left_behind(cache) == ["net.pth"]


def test_when_the_last_one_leaves_nothing_is_kept(host, cache):
    source = host.add("net.pth", DATA)
    host.behaviour = "stall"
    download = fetching.start(source, "first")
    while not download.done:
        time.sleep(0.005)
    download.leave("first")
    assert download.finished and isinstance(download.error, Cancelled) and fetching.running(source) is None
    host.go_on.set()
    assert left_behind(cache) == []
    host.behaviour = "well"
    assert fetching.fetch(source).read_bytes() == DATA  # and it can be begun anew


def test_ctrl_c_cancels(host, cache):
    source = host.add("net.pth", DATA)
    host.behaviour = "stall"

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(source, interrupt)
    host.go_on.set()
    assert fetching.running(source) is None and left_behind(cache) == []


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("break", "broke off and nothing was kept"),
        ("reset", "broke off and nothing was kept"),
        ("404", "no net.pth (HTTP 404)"),
        ("503", "refused net.pth (HTTP 503)"),
        ("page", "its hash is another"),
    ],
)
def test_a_bad_host_is_one_sentence_and_leaves_nothing(host, cache, behaviour, sentence):
    source = host.add("net.pth", DATA)
    host.behaviour = behaviour
    error = failure(source)
    assert error.__class__ is FetchError
    assert sentence in str(error) and "\n" not in str(error) and str(error).endswith(".")
    assert left_behind(cache) == [] and fetching.find(source) is None
    host.behaviour = "well"
    assert fetching.fetch(source).read_bytes() == DATA


def test_a_stalled_download_is_given_up(host, cache, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.3)
    source = host.add("net.pth", DATA)
    host.behaviour = "stall"
    assert "stalled" in str(failure(source))
    host.go_on.set()
    assert left_behind(cache) == []


@pytest.mark.parametrize("told", [True, False])
def test_more_than_the_published_size_is_given_up(host, cache, told):
    source = host.add("net.pth", DATA)
    host.files["net.pth"] = DATA * 2
    host.behaviour = "well" if told else "endless"
    assert str(failure(source)).startswith("What arrived is more than the 0 MB of net.pth: ")
    assert left_behind(cache) == []


def test_a_host_that_drips_is_given_up(host, cache, monkeypatch):
    monkeypatch.setattr(fetching, "PATIENCE", 0.05)
    monkeypatch.setattr(fetching, "SLOWEST", 1e12)
    source = host.add("net.pth", DATA)
    host.behaviour, host.pause = "slow", 0.1
    assert "came too slowly and was given up" in str(failure(source))
    host.go_on.set()
    assert left_behind(cache) == []


def test_a_slow_host_is_waited_for(host, cache, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.3)
    source = host.add("net.pth", DATA)
    host.behaviour, host.pause = "slow", 0.1  # 0.8 s in all, longer than the patience with silence
    assert fetching.fetch(source).read_bytes() == DATA


def test_a_wrong_hash_is_refused(host, cache):
    source = host.add("net.pth", DATA)
    host.files["net.pth"] = DATA[:-1] + bytes([DATA[-1] ^ 1])
    assert "its hash is another" in str(failure(source))
    assert left_behind(cache) == []


def test_offline_is_said(cache):
    source = Source(f"{download_host.closed_port()}/net.pth", "00000000", 10)
    error = failure(source)
    assert isinstance(error, Offline) and "are you offline?" in str(error)
    assert left_behind(cache) == []


def test_the_environment_names_another_host(host, monkeypatch):
    source = host.add("net.pth", DATA)
    elsewhere = Source("https://nowhere.invalid/models/net.pth", source.sha256, source.size)
    monkeypatch.setenv("RECEPTIVE_WEIGHTS_URL", host.address + "/mirror/")
    assert fetching.fetch(elsewhere).read_bytes() == DATA and host.requests == ["/mirror/net.pth"]


def test_another_host_must_be_an_address(monkeypatch):
    monkeypatch.setenv("RECEPTIVE_WEIGHTS_URL", "file:///etc")
    assert "must begin with http" in str(failure(Source("https://nowhere.invalid/passwd", "0", 1)))


def test_torch_hubs_files_are_honoured_if_their_hash_fits(host, tmp_path):
    source = host.add("net.pth", DATA)
    hub = tmp_path / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / "net.pth").write_bytes(DATA[:100])
    assert fetching.find(source) is None
    (hub / "net.pth").write_bytes(DATA)
    assert fetching.find(source) == hub / "net.pth"
    assert fetching.fetch(source) == hub / "net.pth" and host.requests == []


def test_a_file_that_was_damaged_later_is_fetched_again(host, cache):
    source = host.add("net.pth", DATA)
    path = fetching.fetch(source)
    path.write_bytes(DATA[:-5])
    assert fetching.find(source) is None
    assert fetching.fetch(source).read_bytes() == DATA and len(host.requests) == 2


def test_what_a_killed_process_left_is_swept_away(host, cache):
    source = host.add("net.pth", DATA)
    cache.mkdir(parents=True)
    old, young = cache / "net.pth.1.part", cache / "net.pth.2.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    fetching.fetch(source)
    assert left_behind(cache) == ["net.pth", "net.pth.2.part"]  # the young one may be somebody's


def test_a_folder_that_cannot_be_written_is_said(host, cache):
    cache.parent.write_text("a file where the folder should be")
    source = host.add("net.pth", DATA)
    assert "set RECEPTIVE_CACHE" in str(failure(source))
