"""Damaged pictures of every format are shown or refused in one sentence, whatever is wrong with them."""

import resource

import numpy as np
from PIL import Image

from tests.mutations import mutated, seeds
from tests.ui.test_decoding import encode
from ui import decoding, decoding_apart

NOISE = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)


def samples() -> list[bytes]:
    colour, grey = Image.fromarray(NOISE), Image.fromarray(NOISE[..., 0])
    film = [colour.quantize(32), colour.rotate(90).quantize(32)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        *(encode(colour, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")),
        encode(colour, "JPEG", progressive=True, exif=exif), encode(colour.convert("CMYK"), "JPEG"),
        encode(colour.convert("RGBA"), "PNG"), encode(grey, "PNG"), encode(grey.convert("1"), "TIFF"),
        encode(Image.fromarray(NOISE[..., 0].astype(np.uint16) * 200), "PNG"),
        encode(colour, "TIFF", compression="tiff_lzw"), encode(colour, "TIFF", compression="jpeg"),
        encode(film[0], "GIF", save_all=True, append_images=film[1:]),
        encode(film[0], "PNG", save_all=True, append_images=film[1:]),
    ]  # fmt: skip


def outcome(decode, data: bytes, seed: int) -> str:
    """ "shown", or the sentence."""
    try:
        image = decode(data, "fuzz.bin").image
    except ValueError as refused:
        sentence = str(refused)
        assert "“fuzz.bin”" in sentence and sentence.endswith(".") and "\n" not in sentence, seed
        return sentence
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8 and max(image.shape) <= 2048, seed
    return "shown"


def test_damaged_pictures_are_shown_or_refused_in_one_sentence():
    files = samples()
    found = [outcome(decoding.decode, mutated(files, seed), seed) for seed in seeds(1500)]
    assert found.count("shown") > len(found) / 20 and len(set(found)) > 2


def test_beside_the_server_as_well_within_its_memory():
    files = samples()
    found = [outcome(decoding_apart.decode, mutated(files, seed), seed) for seed in seeds(16)]
    assert {"shown"} < set(found)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of any process that this one has started
    print(f"{len(found)} damaged pictures, at most {peak / 1e6:.0f} MB")
