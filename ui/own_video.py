"""A visitor's video: read and written in a process of its own, so that no file can slow the server down or end it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from threading import BoundedSemaphore

import numpy as np

from ui.decoding_apart import HERE, ONE_CORE, command
from ui.video_coding import as_jpeg, from_jpeg

LARGEST = 100_000_000  # bytes of a file
MEMORY = 900_000_000  # bytes, the libraries, the file and a 4K decoder included
CPU_SECONDS = 120  # of work; 30 seconds of 4K need about 60
WALL_SECONDS = 300.0  # from start to end, for a machine that is busy with other things
PATIENCE = 60.0  # seconds in the queue
MOST = 64_000_000  # bytes of frames that are kept; 30 seconds are about 20 MB
_places = BoundedSemaphore(1)


@dataclass(frozen=True, eq=False)
class Video:
    """`rate` frames a second, `width` and `height` in pixels; `files`: each frame as JPEG; `notes`: sentences on what
    was changed."""

    rate: float
    width: int
    height: int
    files: tuple[bytes, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def frame(self, index: int) -> np.ndarray:
        """uint8 (height, width, 3) RGB."""
        return from_jpeg(self.files[index])


@dataclass(frozen=True, eq=False)
class Written:
    """A video file: its bytes, the ending of its name and the codec of its pictures."""

    data: bytes
    ending: str
    codec: str


def read(data: bytes, name: str) -> Video:
    """The frames of an MP4, WebM or MOV file: the first 30 seconds, at most 25 frames a second and 512 pixels wide.

    Raises:
        ValueError: one sentence; also when the file takes too much memory or time, or too many others are waiting.
    """
    if len(data) > LARGEST:
        raise ValueError(f"“{name}” has {len(data) / 1e6:.0f} MB, and the lab takes at most {LARGEST // 10**6} MB.")
    answer = _apart(["read", name], data, name)
    head, files, notes, at = None, [], None, 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        line, at = json.loads(answer[at:end]), end + 1
        if "refused" in line:
            raise ValueError(line["refused"])
        if "frame" in line:
            files.append(answer[at : at + line["frame"]])
            at += line["frame"]
        elif "notes" in line:
            notes = line["notes"]
        else:
            head = line
    if head is None or notes is None or not files:
        raise ValueError(_too_costly(name))
    return Video(head["rate"], *head["size"], tuple(files), tuple(notes))


def write(frames: Iterable[np.ndarray], rate: float) -> Written:
    """Frames, uint8 (H, W, 3) RGB, as a video file.

    H.264 in MP4 where this build of OpenCV writes it, else VP9 in MP4, which browsers and newer phones play.

    Raises:
        ValueError: no frame, or the writing failed.
    """
    parts = []
    for frame in frames:
        file = as_jpeg(frame)
        parts.append(json.dumps({"frame": len(file)}).encode() + b"\n" + file)
    if not parts:
        raise ValueError("A video has one frame at least.")
    answer = _apart(["write", str(rate)], b"".join(parts), "The result")
    end = answer.find(b"\n")
    if end < 0:
        raise ValueError("The video could not be written on this machine: its OpenCV has no codec for it.")
    told = json.loads(answer[:end])
    return Written(answer[end + 1 :], told["ending"], told["codec"])


def _apart(arguments: list[str], data: bytes, name: str) -> bytes:
    if not _places.acquire(timeout=PATIENCE):
        raise ValueError(f"Too many videos are being opened at this moment: choose “{name}” again in a minute.")
    try:
        with tempfile.TemporaryFile() as file:  # what comes out may be large: not in a pipe that both sides wait for
            done = subprocess.run(
                command("ui.video_coding", MEMORY, CPU_SECONDS, *arguments),
                input=data, stdout=file, stderr=subprocess.DEVNULL, timeout=WALL_SECONDS, cwd=HERE,
                env=os.environ | ONE_CORE, check=False,
            )  # fmt: skip
            if done.returncode:
                raise ValueError(_too_costly(name))
            file.seek(0)
            return file.read(MOST + 1_000_000)
    except subprocess.TimeoutExpired:
        raise ValueError(_too_costly(name)) from None
    finally:
        _places.release()


def _too_costly(name: str) -> str:
    return f"“{name}” takes too much time or memory to open, or is damaged: save it shorter or smaller, as H.264."
