"""Videos of visitors: shown right or refused in one sentence, and what is written can be read again."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from ui import own_video, video_coding

RATE, FRAMES, SIZE = 10.0, 10, (96, 64)


def picture(index: int) -> np.ndarray:
    """A white bar that goes to the right on blue, RGB; the upper left corner is red."""
    image = np.full((SIZE[1], SIZE[0], 3), (20, 40, 120), np.uint8)
    image[:, 8 * index : 8 * index + 8] = 255
    image[:16, :16] = (230, 20, 20)
    return image


def place_of(frame: np.ndarray) -> int:
    """The index whose bar it shows."""
    row = frame[frame.shape[0] * 3 // 4].astype(int)
    return round((int(row[:, 0].argmax()) - 3.5) * SIZE[0] / frame.shape[1] / 8)


def made(folder: Path, ending: str, code: str, frames: int = FRAMES, rate: float = RATE, size=SIZE) -> bytes:
    file = folder / f"made.{ending}"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*code), rate, size)
    assert writer.isOpened()
    for index in range(frames):
        writer.write(cv2.resize(picture(index % FRAMES), size)[..., ::-1])
    writer.release()
    return file.read_bytes()


def refusal(data: bytes, name: str = "mine.mp4") -> str:
    with pytest.raises(ValueError) as refused:
        own_video.read(data, name)
    sentence = str(refused.value)
    assert f"“{name}”" in sentence and sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.mark.parametrize(("ending", "code"), [("mp4", "mp4v"), ("mov", "mp4v"), ("webm", "VP80"), ("mp4", "vp09")])
def test_every_frame_is_shown_in_its_place(tmp_path, ending, code):
    video = own_video.read(made(tmp_path, ending, code), f"mine.{ending}")
    assert (len(video), video.rate, video.width, video.height, video.notes) == (FRAMES, RATE, *SIZE, ())
    for index in (0, 4, 9):
        frame = video.frame(index)
        assert frame.shape == (SIZE[1], SIZE[0], 3) and frame.dtype == np.uint8
        assert place_of(frame) == index
        assert frame[6:10, 6:10].mean((0, 1)) == pytest.approx([230, 20, 20], abs=45)  # red is red


def test_what_is_no_video_is_refused(tmp_path):
    assert "is empty (0 bytes)" in refusal(b"")
    assert "is not a video" in refusal(b"hello")
    assert "is not a video" in refusal(b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n", "list.mp4")  # FFmpeg would follow it
    assert "is damaged" in refusal(b"\0\0\0\x20ftypisom" + b"moov" + bytes(99))
    assert "is cut off" in refusal(made(tmp_path, "mp4", "mp4v")[:400])
    assert "takes at most 100 MB" in refusal(bytes(own_video.LARGEST + 1), "large.mp4")


def test_sound_alone_and_no_frame_are_refused(tmp_path):
    sound = made(tmp_path, "mp4", "mp4v").replace(b"vide", b"soun").replace(b"vmhd", b"smhd")
    assert "holds sound and no pictures" in refusal(sound)
    assert refusal(made(tmp_path, "mp4", "mp4v", frames=0))
    assert refusal(made(tmp_path, "webm", "VP80", frames=0), "mine.webm")


def test_damaged_inside_is_shown_as_far_as_it_goes_or_refused(tmp_path):
    data = made(tmp_path, "webm", "VP80", frames=40)
    video = own_video.read(data[: len(data) * 2 // 3], "mine.webm")
    assert 1 <= len(video) < 40 and place_of(video.frame(0)) == 0
    broken = bytearray(made(tmp_path, "mp4", "mp4v"))
    broken[300:700] = bytes(400)
    try:
        assert len(own_video.read(bytes(broken), "mine.mp4")) <= FRAMES
    except ValueError as refused:
        assert str(refused).startswith("“mine.mp4”")


def test_a_long_one_is_cut_and_a_fast_one_thinned(tmp_path):
    long = own_video.read(made(tmp_path, "mp4", "mp4v", frames=80, rate=2.0), "long.mp4")
    assert len(long) == 60 and long.notes == ("Longer than 30 seconds: these are the first 30.",)
    fast = own_video.read(made(tmp_path, "mp4", "mp4v", frames=10, rate=50.0), "fast.mp4")
    assert fast.rate == video_coding.RATE and [place_of(fast.frame(k)) for k in range(5)] == [0, 2, 4, 6, 8]


def test_a_large_one_is_shrunk(tmp_path):
    video = own_video.read(made(tmp_path, "mp4", "mp4v", frames=2, size=(1280, 720)), "large.mp4")
    assert (video.width, video.height) == (512, 288) == video.frame(1).shape[1::-1]
    assert video.notes == ("Shrunk from 1280 × 720 pixels.",)


def test_frames_at_uneven_times_are_shown_at_their_times(tmp_path):
    """From the sixth on every frame comes 300 ms later: the fifth is shown for that long."""
    data = made(tmp_path, "webm", "VP80")
    for index in reversed(range(5, FRAMES)):
        old, new = (b"\x81" + struct.pack(">h", time) for time in (100 * index, 100 * index + 300))
        assert data.count(old) == 1
        data = data.replace(old, new)
    video = own_video.read(data, "uneven.webm")
    shown = [place_of(video.frame(k)) for k in range(len(video))]
    rate = round(video.rate)
    assert rate in (10, 8, 7, 25) and "uneven times" in " ".join(video.notes)
    assert shown == sorted(shown) and shown[0] == 0 and shown[-1] == 9
    assert shown.count(4) / rate == pytest.approx(0.4, abs=1.01 / rate)
    assert len(video) / rate == pytest.approx(1.3, abs=0.2)


def test_a_video_on_its_side_is_turned_upright(tmp_path):
    """A telephone writes the turn into the track's matrix."""
    data = bytearray(made(tmp_path, "mp4", "mp4v"))
    matrix = data.index(b"tkhd") + 44
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    assert data[matrix : matrix + 4] == struct.pack(">i", 1 << 16)
    data[matrix : matrix + 36] = quarter
    video = own_video.read(bytes(data), "turned.mp4")
    assert (video.width, video.height) == SIZE[::-1]
    assert video.frame(0)[6:10, -10:-6].mean((0, 1)) == pytest.approx([230, 20, 20], abs=45)  # clockwise


def test_what_is_written_is_read_again():
    written = own_video.write((picture(index) for index in range(FRAMES)), RATE)
    assert (written.ending, written.codec) in {
        ("mp4", "H.264"),
        ("mp4", "VP9"),
        ("webm", "VP8"),
        ("mp4", "MPEG-4 Part 2"),
    }
    again = own_video.read(written.data, "again.mp4")
    assert len(again) == FRAMES and again.rate == pytest.approx(RATE) and place_of(again.frame(7)) == 7
    with pytest.raises(ValueError, match="one frame at least"):
        own_video.write([], RATE)


def test_odd_sides_lose_a_row(tmp_path):
    file, _ = video_coding.write([picture(0)[:-1, :-1]] * 2, RATE, tmp_path / "odd")
    assert cv2.VideoCapture(str(file)).read()[1].shape[:2] == (SIZE[1] - 2, SIZE[0] - 2)


def test_a_file_that_costs_too_much_is_refused(tmp_path, monkeypatch):
    data = made(tmp_path, "mp4", "mp4v")
    monkeypatch.setattr(own_video, "MEMORY", 30_000_000)
    assert "too much time or memory" in refusal(data)
    monkeypatch.undo()
    monkeypatch.setattr(own_video, "WALL_SECONDS", 0.01)
    assert "too much time or memory" in refusal(data)
    monkeypatch.setattr(own_video, "PATIENCE", 0.01)
    with own_video._places:
        assert "Too many videos" in refusal(data)
