"""Every kind of file somebody may choose, made here, is shown right or refused in one sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from ui.decoding import MAX_SIDE, decode, square

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# One colour per corner, so that every turn and flip shows.
CORNERS = np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8).repeat(8, 0).repeat(16, 1)  # 16 high, 32 wide


def encode(image, kind="PNG", **options) -> bytes:
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(tag: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and carries no such pixels: what a decompression bomb looks like from outside."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def refusal(data: bytes, name: str = "mine.png") -> str:
    with pytest.raises(ValueError) as refused:
        decode(data, name)
    sentence = str(refused.value)
    assert sentence.startswith(f"“{name}” ") and sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_keep_every_pixel(kind):
    decoded = decode(encode(CORNERS, kind), "a")
    np.testing.assert_array_equal(decoded.image, CORNERS)
    assert decoded.image.dtype == np.uint8 and decoded.notes == ()


def test_webp_lossless_and_jpeg():
    np.testing.assert_array_equal(decode(encode(CORNERS, "WEBP", lossless=True), "a").image, CORNERS)
    jpeg = decode(encode(CORNERS, "JPEG", quality=95, subsampling=0), "a").image
    assert np.abs(jpeg.astype(int) - CORNERS)[2:6, 4:12].max() <= 6


def test_empty_file():
    assert "is empty (0 bytes)" in refusal(b"")


@pytest.mark.parametrize(
    "data",
    [b"hello, I am a letter\n", b"%PDF-1.7\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\0" * 500, b"GIF89a"],
    ids=["text", "pdf", "eps", "zeros", "gif-magic-only"],
)  # fmt: skip
def test_not_an_image(data):
    assert "is not a picture this lab can read" in refusal(data, "letter.png")


@pytest.mark.parametrize(("kind", "share"), [("PNG", 0.5), ("JPEG", 0.5), ("WEBP", 0.5), ("TIFF", 0.9), ("BMP", 0.5)])
def test_truncated(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    data = encode(noise, kind)
    decode(data, "whole")
    sentence = refusal(data[: int(len(data) * share)])
    assert "damaged or cut off" in sentence or "not a picture" in sentence


@pytest.mark.parametrize("size", [(30_000, 30_000), (8_000, 8_000), (12_000, 10_000)])
def test_pixel_bomb_is_refused_from_its_header(size):
    assert "at most 50 megapixels" in refusal(png_header(*size), "bomb.png")


def test_fifty_megapixels_are_the_limit():
    assert "damaged" in refusal(png_header(10_000, 5_000))  # 50 000 000: passes the limit, then has no pixels
    assert "10000 × 5001 pixels" in refusal(png_header(10_000, 5_001))


def test_cmyk():
    cmyk = np.array([[[0, 255, 255, 0], [255, 0, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    image = Image.fromarray(cmyk.repeat(16, 0).repeat(16, 1), "CMYK")
    expected = np.array([RED, GREEN, (0, 0, 0), WHITE])
    for kind, tolerance in (("TIFF", 0), ("JPEG", 6)):
        decoded = decode(encode(image, kind), "print").image[8, 8::16].astype(int)
        assert np.abs(decoded - expected).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind):
    values = np.array([[0, 257, 128 * 257, 65535]], np.uint16).repeat(4, 0)
    decoded = decode(encode(Image.fromarray(values), kind), "scan").image
    np.testing.assert_array_equal(decoded[0], [[v] * 3 for v in (0, 1, 128, 255)])


def test_sixteen_bit_colour_png():
    row = b"\0" + struct.pack(">6H", 65535, 0, 128 * 257, 0, 257, 65535)
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(decode(data, "deep").image, [[[255, 0, 128], [0, 1, 255]]])


def test_float_tiff_is_stretched_and_says_so():
    decoded = decode(encode(Image.fromarray(np.array([[-1.0, 0.0, 1.0, np.nan]], np.float32)), "TIFF"), "depth.tif")
    np.testing.assert_array_equal(decoded.image[0, :, 0], [0, 128, 255, 0])
    assert "no fixed range" in decoded.notes[0]


def test_palette():
    image = Image.fromarray(CORNERS).quantize(4)
    assert image.mode == "P"
    np.testing.assert_array_equal(decode(encode(image), "a").image, CORNERS)


def test_palette_with_transparency_lies_on_white():
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    np.testing.assert_array_equal(decode(encode(image, transparency=1), "a").image, [[RED, WHITE]])
    np.testing.assert_array_equal(decode(encode(image, "GIF", transparency=1), "a").image, [[RED, WHITE]])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_lies_on_white(kind):
    image = np.array([[[255, 0, 0, 255], [0, 0, 255, 0], [0, 0, 0, 51]]], np.uint8)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode(encode(image, kind, **options), "a").image, [[RED, WHITE, (204, 204, 204)]])


def test_transparent_colour_key_of_rgb_png():
    image = np.array([[RED, BLUE]], np.uint8)
    np.testing.assert_array_equal(decode(encode(image, transparency=BLUE), "a").image, [[RED, WHITE]])


def test_grey_bilevel_and_grey_alpha():
    np.testing.assert_array_equal(decode(encode(np.array([[7, 200]], np.uint8)), "a").image, [[[7] * 3, [200] * 3]])
    np.testing.assert_array_equal(decode(encode(np.array([[True, False]])), "a").image, [[WHITE, (0, 0, 0)]])
    grey_alpha = Image.merge("LA", [Image.new("L", (1, 1), 0), Image.new("L", (1, 1), 51)])
    np.testing.assert_array_equal(decode(encode(grey_alpha), "a").image, [[[204] * 3]])


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind, orientation):
    upright = CORNERS
    stored = {  # what a camera stores under each orientation tag for the same upright picture
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(np.ascontiguousarray(stored), kind, exif=exif, **options)
    np.testing.assert_array_equal(decode(data, "phone").image, upright)


def test_broken_exif_is_not_the_end():
    data = encode(CORNERS, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert decode(data, "phone.jpg").image.shape == CORNERS.shape


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_shows_its_first_frame_and_says_so(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE, GREEN)]
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options), "dance")
    np.testing.assert_array_equal(decoded.image, np.full((8, 8, 3), RED))
    assert decoded.notes == ("The file is animated: this is the first frame.",)


def test_tiff_with_pages():
    pages = [Image.new("RGB", (4, 4), colour) for colour in (GREEN, RED)]
    decoded = decode(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "scan.tif")
    np.testing.assert_array_equal(decoded.image[0, 0], GREEN)
    assert "first page" in decoded.notes[0]


def test_embedded_profile_is_turned_into_srgb():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = decode(encode(CORNERS, icc_profile=srgb), "a").image
    assert np.abs(same.astype(int) - CORNERS).max() <= 1
    # A device whose red primary is blue and the other way round: its red pixels look blue.
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    turned = decode(encode(CORNERS, icc_profile=swapped), "a").image
    assert np.abs(turned.astype(int) - CORNERS[..., ::-1]).max() <= 2


def test_a_broken_profile_is_ignored():
    np.testing.assert_array_equal(decode(encode(CORNERS, icc_profile=b"not a profile"), "a").image, CORNERS)


def test_one_pixel():
    decoded = decode(encode(np.array([[GREEN]], np.uint8)), "dot.png").image
    np.testing.assert_array_equal(decoded, [[GREEN]])
    np.testing.assert_array_equal(square(decoded, 8), np.full((8, 8, 3), GREEN))


def test_large_pictures_are_shrunk_and_say_so():
    decoded = decode(encode(np.full((1000, 4096, 3), 9, np.uint8)), "wide.png")
    assert decoded.image.shape == (500, MAX_SIDE, 3) and decoded.image.max() == 9
    assert decoded.notes == ("Shrunk from 4096 × 1000 pixels.",)


def test_square_takes_the_centre():
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, 5:15] = RED
    np.testing.assert_array_equal(square(image, 10), np.full((10, 10, 3), RED))


def test_square_keeps_a_very_long_picture_whole_on_grey():
    squared = square(np.full((2, 400, 3), RED, np.uint8), 100)
    assert (squared[:49] == 128).all() and (squared[51:] == 128).all()
    assert (squared[49] == RED).all()  # from edge to edge


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 64))
def test_square_is_square(height, width, size):
    squared = square(np.zeros((height, width, 3), np.uint8), size)
    assert squared.shape == (size, size, 3) and squared.dtype == np.uint8


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_bytes_are_decoded_or_refused_never_worse(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]))
    damaged = bytearray(encode(CORNERS, kind))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(damaged), "x")
    except ValueError as refused:
        assert str(refused).startswith("“x” ")
    else:
        assert decoded.image.dtype == np.uint8 and decoded.image.ndim == 3 and decoded.image.shape[2] == 3
