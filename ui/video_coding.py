"""From the bytes of a video somebody chose to frames, and from frames to a video. No Streamlit here.

The server never calls this itself: `ui.own_video` runs it in a process of its own, under limits of memory and time.
Every video is shown right or refused with one sentence (the message of a ValueError).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

LONGEST = 30.0  # seconds that are shown
RATE = 25.0  # frames a second at most
SIDE = 512  # pixels of the longer side at most
MAX_PIXELS = 4096 * 2304  # of a frame in the file
QUALITY = 90  # of the JPEG of a frame
# Frames were shown at a steady rate if they come no further than this from it.
STEADY = 0.35
# Codecs in the order in which they are tried, with the ending of the file and what they are called.
CODECS = (("avc1", "mp4", "H.264"), ("vp09", "mp4", "VP9"), ("VP80", "webm", "VP8"), ("mp4v", "mp4", "MPEG-4 Part 2"))
EBML = b"\x1a\x45\xdf\xa3"
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # how MP4 and MOV begin
KNOWN = "an MP4, WebM or MOV file"


@dataclass(frozen=True)
class Header:
    """What comes before the frames: `rate` a second, `width` and `height` of one in pixels."""

    rate: float
    width: int
    height: int


def frames_of(path: Path, name: str, notes: list[str]) -> tuple[Header, Iterator[np.ndarray]]:
    """A video's frames, uint8 (H, W, 3) RGB, upright, at a steady rate of at most `RATE` a second.

    A file with frames at uneven times is shown at their times: what was to be seen at each moment. `notes` grows while
    frames are taken.

    Raises:
        ValueError: not a video, no pictures in it, damaged before the first frame, or frames too large.
    """
    kind = _kind(path, name)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise ValueError(_nothing_in(path, name, kind))
    width, height = (int(capture.get(each)) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MAX_PIXELS:
        raise ValueError(f"“{name}” has frames of {width} × {height} pixels: save it at 1920 × 1080 or smaller first.")
    told = capture.get(cv2.CAP_PROP_FPS)
    rate = min(told, RATE) if np.isfinite(told) and told >= 1 else RATE
    if not capture.grab():
        raise ValueError(f"“{name}” holds no frame that can be read: save or download it again.")
    first = _retrieved(capture)
    if first is None:
        raise ValueError(f"“{name}” is damaged or cut off: save or download it again.")
    if max(first.shape[:2]) < max(width, height):
        notes.append(f"Shrunk from {width} × {height} pixels.")
    return Header(rate, first.shape[1], first.shape[0]), _steady(capture, first, rate, notes)


def _steady(capture: cv2.VideoCapture, shown: np.ndarray, rate: float, notes: list[str]) -> Iterator[np.ndarray]:
    """At each moment the newest frame that has begun; `shown` is the first one."""
    begin = max(capture.get(cv2.CAP_PROP_POS_MSEC), 0.0)
    told, read, given, now, gaps = capture.get(cv2.CAP_PROP_FRAME_COUNT), 1, 0, 0.0, []
    while given < LONGEST * rate and capture.grab():
        read, before, now = read + 1, now, (capture.get(cv2.CAP_PROP_POS_MSEC) - begin) / 1000
        if now <= before:  # a file without times: one frame after the other
            now = before + 1 / rate
        gaps.append(now - before)
        while given / rate < min(now - 1e-3, LONGEST):
            yield shown
            given += 1
        picture = _retrieved(capture)
        shown = shown if picture is None else picture
    if given < LONGEST * rate:
        yield shown
        given += 1
        if told > 0 and read < 0.9 * told:
            notes.append(f"The file breaks off after {given / rate:.1f} seconds.")
    else:
        notes.append(f"Longer than {LONGEST:.0f} seconds: these are the first {LONGEST:.0f}.")
    if gaps and max(gaps) > (1 + STEADY) * float(np.median(gaps)) + 2e-3:  # times are often whole milliseconds
        notes.append("Its frames come at uneven times: each is shown for as long as it lasts.")


def write(frames: Iterable[np.ndarray], rate: float, path: Path) -> tuple[Path, str]:
    """Write frames, uint8 (H, W, 3) RGB, as a video beside `path`, in the first codec that this build of OpenCV has.

    Returns the file, whose ending is that of its container, and the name of the codec. An odd last row or column is
    left out, as the codecs want it.

    Raises:
        ValueError: no frame, or no codec.
    """
    writer, file, codec = None, path, ""
    for frame in frames:
        height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
        if writer is None:
            for code, ending, codec in CODECS:  # noqa: B007 (the last one tried is the one that is told)
                file = path.with_suffix(f".{ending}")
                writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*code), rate, (width, height))
                if writer.isOpened():
                    break
            else:
                raise ValueError("This build of OpenCV has no codec to write a video with.")
        writer.write(np.ascontiguousarray(frame[:height, :width, ::-1]))
    if writer is None:
        raise ValueError("A video has one frame at least.")
    writer.release()
    return file, codec


def as_jpeg(image: np.ndarray) -> bytes:
    """A picture, uint8 (H, W, 3) RGB, as a JPEG file."""
    done, file = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "OpenCV writes JPEG."
    return file.tobytes()


def from_jpeg(data: bytes) -> np.ndarray:
    """The picture of a JPEG file, uint8 (H, W, 3) RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None, "These bytes are of `as_jpeg`."
    return np.ascontiguousarray(image[..., ::-1])


def _retrieved(capture: cv2.VideoCapture) -> np.ndarray | None:
    done, frame = capture.retrieve()
    if not done or frame is None or not frame.size:
        return None
    scale = SIDE / max(frame.shape[:2])
    if scale < 1:
        size = tuple(max(round(side * scale), 1) for side in frame.shape[1::-1])
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return frame[..., ::-1]


def _kind(path: Path, name: str) -> str:
    """ "webm" or "mp4", by how the file begins: FFmpeg would also follow lists of files and addresses."""
    with path.open("rb") as file:
        head = file.read(12)
    if not head:
        raise ValueError(f"“{name}” is empty (0 bytes): choose another file.")
    if head.startswith(EBML):
        return "webm"
    if head[4:8] in BOXES:
        return "mp4"
    raise ValueError(f"“{name}” is not a video this lab can read: choose {KNOWN}.")


def _nothing_in(path: Path, name: str, kind: str) -> str:
    """Why a file of the right kind does not open."""
    data = path.read_bytes()
    sound, pictures = (b"A_", b"V_") if kind == "webm" else (b"soun", b"vide")
    if sound in data and pictures not in data:
        return f"“{name}” holds sound and no pictures: choose a video."
    if kind == "mp4" and b"moov" not in data:
        return f"“{name}” is cut off: its table of frames, which comes last, is missing. Save or download it again."
    return f"“{name}” is damaged, or in a codec that this lab cannot read: save it as H.264 or VP9 first."


def _reading(name: str) -> None:
    """The file on standard input; out come lines of JSON, each frame's with its size, then its JPEG."""
    out, notes = sys.stdout.buffer, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video"
        path.write_bytes(sys.stdin.buffer.read())
        try:
            header, frames = frames_of(path, name, notes)
            out.write(json.dumps({"rate": header.rate, "size": [header.width, header.height]}).encode() + b"\n")
            for frame in frames:
                data = as_jpeg(frame)
                out.write(json.dumps({"frame": len(data)}).encode() + b"\n" + data)
            out.write(json.dumps({"notes": notes}).encode() + b"\n")
        except ValueError as refused:
            out.write(json.dumps({"refused": str(refused)}).encode() + b"\n")
    out.flush()


def _writing(rate: float) -> None:
    """Lines of JSON with the size of a JPEG, each followed by it, on standard input; out: codec, then file."""

    def given() -> Iterator[np.ndarray]:
        while line := sys.stdin.buffer.readline():
            yield from_jpeg(sys.stdin.buffer.read(json.loads(line)["frame"]))

    with tempfile.TemporaryDirectory() as folder:
        file, called = write(given(), rate, Path(folder) / "video")
        told = json.dumps({"codec": called, "ending": file.suffix[1:]}).encode()
        sys.stdout.buffer.write(told + b"\n" + file.read_bytes())


def main() -> None:
    """`python -m ui.video_coding read NAME`, or `write RATE`."""
    os.environ["OPENCV_FFMPEG_WRITER_OPTIONS"] = "deadline;realtime|cpu-used;8"
    cv2.setNumThreads(1)
    if sys.argv[1] == "read":
        _reading(sys.argv[2])
    else:
        _writing(float(sys.argv[2]))


if __name__ == "__main__":
    main()
