"""Takes apart what a lecturer brings: files, ZIP archives of a platform's submissions, and text with codes in it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ui.hand_in.seal import MARK, MOST, UNREADABLE, Opened, open_codes, open_file

LIMIT = 2000  # hand-ins in a table
ENTRIES = 4000  # files looked at in an archive


@dataclass(frozen=True)
class HandIn:
    """One row: `name` of the file, or which of the pasted codes it is, and what was in it."""

    name: str
    opened: Opened

    @property
    def student(self) -> str:
        """The label that she chose, else the name of the file."""
        label = self.opened.work["label"] if self.opened.work else ""
        return label or self.name


def gathered(files: Iterable[tuple[str, bytes]], text: str = "") -> list[HandIn]:
    """All hand-ins in `files`, pairs of name and content, and in pasted `text`, LIMIT at most, each named."""
    found = []
    for hand_in in _all(files, text):
        if len(found) == LIMIT:
            break
        found.append(hand_in)
    return found


def _all(files: Iterable[tuple[str, bytes]], text: str) -> Iterator[HandIn]:
    for name, data in files:
        if data[:4] == b"PK\x03\x04":
            yield from _archive(name, data)
        else:
            yield from _file(name, data)
    for number, opened in enumerate(open_codes(text), start=1):
        yield HandIn(f"Code {number}", opened)
    if text.strip() and MARK not in text:
        yield HandIn("Pasted text", Opened(UNREADABLE))


def _file(name: str, data: bytes) -> Iterator[HandIn]:
    """JSON, or any other text with codes in it, such as what a platform saves of a text field."""
    short = _name(name)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{" and MARK.encode() in data[: 4 * MOST]:
        codes = open_codes(data[: 4 * MOST].decode("utf-8", "replace"))
        for number, opened in enumerate(codes, start=1):
            yield HandIn(short if len(codes) == 1 else f"{short}, code {number}", opened)
    else:
        yield HandIn(short, open_file(data))


def _archive(name: str, data: bytes) -> Iterator[HandIn]:
    """Of no file more is unpacked than a hand-in may have, whatever the archive says of itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist()[:ENTRIES]:
                if entry.is_dir():
                    continue
                try:
                    with archive.open(entry) as opened:
                        content = opened.read(MOST + 1)
                except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
                    yield HandIn(_name(entry.filename), Opened(UNREADABLE))  # damaged, or behind a password
                    continue
                yield from _file(entry.filename, content)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError):
        yield HandIn(_name(name), Opened(UNREADABLE))


def _name(path: str) -> str:
    """Platforms put each student's file into a folder that has her name."""
    parts = PurePosixPath(path.replace("\\", "/"))
    folder = parts.parent.name
    return f"{folder}/{parts.stem}"[:120] if folder else parts.stem[:120]
