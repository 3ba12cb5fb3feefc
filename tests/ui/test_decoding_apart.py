"""What a file may cost: bombs of memory and of seconds are refused beside the server, in one sentence."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.ui.test_decoding import chunk, encode
from ui import decoding_apart
from ui.decoding_apart import MEMORY, decode

PNG = b"\x89PNG\r\n\x1a\n"
NOISE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)


def refusal(data: bytes, name: str = "mine.png") -> str:
    with pytest.raises(ValueError) as refused:
        decode(data, name)
    sentence = str(refused.value)
    assert f"“{name}”" in sentence and sentence.endswith(".") and "\n" not in sentence
    return sentence


def compressed_png(width: int, height: int, kind: int = 0, depth: int = 8) -> bytes:
    """A true PNG, all black: some 100 KB for gigabytes."""
    squeeze, bytes_of_rows = zlib.compressobj(6), height * (1 + (width * depth * {0: 1, 2: 3, 6: 4}[kind] + 7) // 8)
    million, rest = divmod(bytes_of_rows, 1 << 20)
    rows = b"".join(squeeze.compress(b"\0" * (1 << 20)) for _ in range(million))
    rows += squeeze.compress(b"\0" * rest) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encode(NOISE, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def jpeg_of_segments(count: int) -> bytes:
    data = encode(NOISE, "JPEG")
    return data[:2] + b"\xff\xe1\x00\x08Exif\0\0" * count + data[2:]


def gif_of_comments(count: int) -> bytes:
    data = encode(Image.fromarray(NOISE).quantize(16), "GIF")
    return data[:-1] + (b"\x21\xfe" + (b"\xff" + b"a" * 255) * 4 + b"\0") * count + b";"


def test_a_picture_is_the_same_as_decoded_here():
    decoded = decode(encode(NOISE), "a.png")
    np.testing.assert_array_equal(decoded.image, NOISE)
    assert decoded.notes == () and decoded.image.dtype == np.uint8
    assert "is not a picture" in refusal(b"hello") and "is empty" in refusal(b"")
    assert "*b* ![x](http://y)" in refusal(b"hello", "a\n*b* ![x](http://y).png".replace("\n", " "))


@pytest.mark.parametrize(
    "data",
    [
        lambda: compressed_png(1, 50_000_000),
        lambda: compressed_png(7000, 7000, kind=6),
        lambda: encode(Image.new("1", (1, 40_000_000)), "TIFF", compression="group4"),
        lambda: jpeg_of_scans(100_000),
        lambda: jpeg_of_segments(900_000),
        lambda: gif_of_comments(20_000),
    ],
    ids=["tall", "49 megapixels with alpha", "tiff", "scans", "segments", "comments"],
)
def test_a_file_that_asks_for_too_much_is_shown_or_refused_within_the_limits(data):
    data = data()
    before = os.times()
    try:
        image = decode(data, "bomb").image
    except ValueError as refused:
        assert "“bomb”" in str(refused)
    else:
        assert image.ndim == 3 and max(image.shape) <= 2048
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 6


def test_the_memory_of_a_file_is_limited(monkeypatch):
    data = compressed_png(6000, 6000, kind=2)
    assert decode(data, "large.png").image.shape == (2048, 2048, 3)
    monkeypatch.setattr(decoding_apart, "MEMORY", 120_000_000)
    assert "memory" in refusal(data)
    assert MEMORY <= 300_000_000


def test_the_seconds_of_a_file_are_limited(monkeypatch):
    monkeypatch.setattr(decoding_apart, "START", "while True: pass")
    monkeypatch.setattr(decoding_apart, "WALL_SECONDS", 0.5)
    assert "too much time" in refusal(encode(NOISE))


def test_files_wait_for_one_another(monkeypatch):
    monkeypatch.setattr(decoding_apart, "PATIENCE", 0.0)
    taken = [decoding_apart._places.acquire(blocking=False) for _ in range(decoding_apart.AT_ONCE)]
    assert all(taken)
    try:
        assert "Too many pictures" in refusal(encode(NOISE))
    finally:
        for _ in taken:
            decoding_apart._places.release()
    np.testing.assert_array_equal(decode(encode(NOISE), "a").image, NOISE)


def test_text_in_a_png_is_passed_over():
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "x" * (2 << 20), zip=True)
    text.add_itxt("b", "y" * (2 << 20), zip=True)
    np.testing.assert_array_equal(decode(encode(NOISE, pnginfo=text), "words.png").image, NOISE)


def test_an_animation_cut_off_shows_its_first_frame_or_one_sentence():
    frames = [Image.fromarray(np.roll(NOISE, shift, 1)).quantize(64) for shift in range(0, 60, 5)]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:])
    whole = data.getvalue()
    shown = 0
    for share in (0.1, 0.33, 0.5, 0.9):
        try:
            decoded = decode(whole[: int(len(whole) * share)], "film.gif")
        except ValueError as refused:
            assert "“film.gif”" in str(refused)
        else:
            shown += 1
            assert decoded.image.shape == NOISE.shape and "first frame" in decoded.notes[0]
    assert shown >= 2


def test_a_heic_photograph_is_named():
    assert "HEIC" in refusal(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99, "holiday.jpg")


@pytest.mark.parametrize(
    ("values", "shown", "note"),
    [
        (np.array([[0, 3]], np.uint16), [0, 255], "brightest value is 3 of 65535"),
        (np.array([[0, 4095]], np.uint16), [0, 255], "brightest value is 4095 of 65535"),
        (np.array([[0, 4096]], np.uint16), [0, 16], ""),  # one sixteenth and more stays as it is
        (np.array([[0, 1]], np.uint8), [0, 255], "brightest value is 1 of 255"),
        (np.array([[0, 15]], np.uint8), [0, 255], "17 times as bright"),
        (np.array([[0, 16]], np.uint8), [0, 16], ""),
        (np.array([[0, 0]], np.uint16), [0, 0], ""),
    ],
)
def test_a_picture_too_dark_to_be_seen_is_brightened_and_says_so(values, shown, note):
    decoded = decode(encode(Image.fromarray(values.repeat(4, 0))), "mask.png")
    assert decoded.image[0, :, 0].tolist() == shown
    assert note in " ".join(decoded.notes) and bool(note) == bool(decoded.notes)
