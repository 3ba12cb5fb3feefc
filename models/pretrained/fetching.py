"""Weights from the download host to this machine: once for everybody who asks, checked, and never half.

The first to ask starts a thread; who asks meanwhile watches the same download. It goes on until nobody wants it.
"""

import errno
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

import torch

from models.device import cache_folder

TIMEOUT = 20.0  # seconds without a byte
CHUNK = 1 << 16
SLOWEST = 2_000  # bytes per second, over each PATIENCE; below it the largest file would take days
PATIENCE = 60.0  # seconds
FORGOTTEN = 3600.0  # seconds after which an unfinished file belongs to a process that was killed

_lock = Lock()
_downloads: dict[str, "Download"] = {}
_hashes: dict[tuple[int, int, int, int], str] = {}


class FetchError(ValueError):
    """Why the weights did not come, in one sentence."""


class Offline(FetchError):
    """The download host does not answer."""


class Cancelled(FetchError):
    """Nobody wants the download any more."""


@dataclass(frozen=True)
class Source:
    """A file to fetch: its address, the first hexadecimal digits of its sha256, and its size in bytes as published."""

    url: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return urlsplit(self.url).path.rpartition("/")[2]

    @property
    def address(self) -> str:
        """Where it is fetched from: `url`, or the same file name below what RECEPTIVE_WEIGHTS_URL says."""
        mirror = os.environ.get("RECEPTIVE_WEIGHTS_URL")
        return f"{mirror.rstrip('/')}/{self.file_name}" if mirror else self.url


class Download:
    """A download under way or over. All may be read at any time from any thread.

    Attributes:
        source: what is fetched.
        done, total: bytes; the total is the published size until the host tells.
        path: where the file is, once it is there.
        error: the sentence to show, once it failed.
    """

    def __init__(self, source: Source):
        self.source, self.done, self.total = source, 0, source.size
        self.path: Path | None = None
        self.error: FetchError | None = None
        self._wanted_by: set[Hashable] = set()
        self._unwanted, self._over = Event(), Event()

    @property
    def finished(self) -> bool:
        """True when there is a path or an error."""
        return self._over.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over, or as long as told. Returns `finished`."""
        return self._over.wait(seconds)

    def leave(self, who: Hashable) -> None:
        """`who` does not want it any more; when nobody does, it is cancelled and nothing of it is kept."""
        with _lock:
            self._wanted_by.discard(who)
            if self._wanted_by or self.finished:
                return
            self._unwanted.set()
            self._end(error=Cancelled(f"The download of {self.source.file_name} was cancelled."))

    def _end(self, path: Path | None = None, error: FetchError | None = None) -> None:
        # Holds _lock. The first end counts: a thread that notices the cancelling late changes nothing.
        if not self.finished:
            self.path, self.error = path, error
            self._over.set()
            if _downloads.get(self.source.file_name) is self:
                del _downloads[self.source.file_name]

    def _run(self) -> None:
        path, error = None, None
        try:
            path = _download(self)
        except FetchError as refused:
            error = refused
        except Exception as unexpected:  # whatever it is, those who wait must hear of it
            error = _refusal(unexpected, self.source)
        with _lock:
            self._end(path, error)


def folder() -> Path:
    """Where fetched weights are kept."""
    return cache_folder() / "pretrained"


def find(source: Source) -> Path | None:
    """The file, in our folder or in torch.hub's, if its hash is the published one."""
    for place in (folder(), Path(torch.hub.get_dir()) / "checkpoints"):
        file = place / source.file_name
        try:
            if file.is_file() and _sha256(file).startswith(source.sha256):
                return file
        except OSError:  # not readable by us: as good as absent
            continue
    return None


def start(source: Source, who: Hashable) -> Download:
    """Fetch in the background, or join the download that is under way; one that is there already is over at once.

    Args:
        source: what to fetch.
        who: one of those who want it, to name again in `Download.leave`.
    """
    with _lock:
        download = _downloads.get(source.file_name)
        if download is None:
            download = Download(source)
            if path := find(source):
                download._end(path)
                return download
            _downloads[source.file_name] = download
            Thread(target=download._run, name=f"fetch {source.file_name}", daemon=True).start()
        download._wanted_by.add(who)
        return download


def running(source: Source) -> Download | None:
    """The download of this file that is under way, whoever started it."""
    return _downloads.get(source.file_name)


def fetch(source: Source, report: Callable[[int, int], None] = lambda done, total: None) -> Path:
    """Fetch and wait.

    Args:
        source: what to fetch.
        report: called a few times a second with the bytes done and in total.

    Returns:
        Where the file is.

    Raises:
        FetchError: with one sentence that says what went wrong; nothing is kept then.
    """
    who = object()
    download = start(source, who)
    try:
        while not download.wait(0.1):
            report(download.done, download.total)
    finally:
        download.leave(who)  # no-op when it is over; otherwise somebody pressed Ctrl-C
    if download.error:
        raise download.error
    report(download.total, download.total)
    assert download.path is not None, "A download that is over has a path or an error."
    return download.path


def _download(download: Download) -> Path:
    source = download.source
    if not source.address.startswith(("http://", "https://")):
        raise FetchError("RECEPTIVE_WEIGHTS_URL must begin with http:// or https://.")
    request = urllib.request.Request(source.address, headers={"User-Agent": "receptive"})
    target = folder() / source.file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response, part.open("wb") as file:
            length = response.length
            download.total = length or source.size
            most = source.size + source.size // 10 + CHUNK  # published sizes are rounded
            if download.total > most:
                raise FetchError(_another_size(source))
            since, before = time.monotonic(), 0
            while chunk := response.read1(CHUNK):
                if download._unwanted.is_set():
                    raise Cancelled(f"The download of {source.file_name} was cancelled.")
                file.write(chunk)
                download.done += len(chunk)
                if download.done > most:
                    raise FetchError(_another_size(source))
                if (passed := time.monotonic() - since) > PATIENCE:
                    if download.done - before < SLOWEST * passed:
                        raise FetchError(f"{source.file_name} came too slowly and was given up: try again later.")
                    since, before = time.monotonic(), download.done
        if length and download.done < length:
            raise http.client.IncompleteRead(b"", length - download.done)
        if not _sha256(part).startswith(source.sha256):
            raise FetchError(
                f"What arrived is not {source.file_name}, its hash is another (a network's log-in page can do that): "
                "nothing was kept, try again."
            )
        os.replace(part, target)
        return target
    finally:
        part.unlink(missing_ok=True)


def _another_size(source: Source) -> str:
    megabytes = f"{source.size / 1e6:.0f} MB"
    return f"What arrived is more than the {megabytes} of {source.file_name}: nothing was kept, try again."


def _sweep(target: Path) -> None:
    for part in target.parent.glob(f"{target.name}.*.part"):
        try:
            if time.time() - part.stat().st_mtime > FORGOTTEN:
                part.unlink()
        except OSError:  # somebody else was quicker
            pass


def _refusal(error: Exception, source: Source) -> FetchError:
    """The sentence for what went wrong."""
    name, reason = source.file_name, getattr(error, "reason", None)
    if isinstance(error, urllib.error.HTTPError):
        if error.code in (404, 410):
            return FetchError(f"The download host has no {name} (HTTP {error.code}): tell who runs this lab.")
        return FetchError(f"The download host refused {name} (HTTP {error.code}): try again later.")
    if isinstance(reason, ssl.SSLError):  # an OSError too, so before it
        return FetchError(f"The connection for {name} is not secure (a log-in page can do that): log in, try again.")
    if isinstance(error, urllib.error.URLError) and isinstance(reason, OSError):
        return Offline(f"{name} cannot be fetched, because the download host does not answer: are you offline?")
    if isinstance(error, TimeoutError):
        return FetchError(f"The download of {name} stalled and was given up, nothing was kept: try again.")
    if isinstance(error, (http.client.HTTPException, ConnectionError)):
        return FetchError(f"The download of {name} broke off and nothing was kept: try again.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return FetchError(f"There is no room on the disk for {name}: make some and try again.")
    if isinstance(error, OSError):
        return FetchError(f"{name} cannot be written into the cache folder ({error.strerror}): set RECEPTIVE_CACHE.")
    return FetchError(f"The download of {name} failed ({type(error).__name__}: {error}): tell who runs this lab.")


def _sha256(file: Path) -> str:
    """Hexadecimal; computed once for a file as long as it does not change, also under another name."""
    stat = file.stat()
    identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if identity not in _hashes:
        with file.open("rb") as stream:
            _hashes[identity] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _hashes[identity]
