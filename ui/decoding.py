"""From the bytes of a file somebody chose to sRGB pixels. No Streamlit here.

Every file is either shown right or refused with one sentence (the message of a ValueError). The server never calls
`decode` itself: `ui.decoding_apart` runs this module in a process of its own, under limits of memory and time.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin

# EPS and PDF would start an interpreter, HEIC needs a codec that Pillow does not carry.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
MAX_PIXELS = 50_000_000
MAX_SIDE = 2048  # no view in the lab is larger; a 50 megapixel photograph would hold 150 MB per session
MAX_ASPECT = 3.0  # beyond this a square crop shows nothing of the picture
DARK = 1 / 16  # of the full range: a grey picture whose brightest value lies below looks black
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")  # brands in the file's first box


@dataclass(frozen=True)
class Decoded:
    """``image`` uint8 (H, W, 3) sRGB, longest side at most 2048; ``notes``: sentences on what was changed."""

    image: np.ndarray
    notes: tuple[str, ...] = ()


def decode(data: bytes, name: str) -> Decoded:
    """Decode one picture file.

    Upright according to EXIF, transparency on white, CMYK and embedded colour profiles turned into sRGB, 16 bits
    scaled to 8, first frame of an animation. Raises ValueError, one sentence, for anything that is not a picture:
    empty, unknown format, damaged, or more than 50 megapixels (found from the header, before any pixel is decoded).
    """
    if not data:
        raise ValueError(f"“{name}” is empty (0 bytes): choose another file.")
    if data[4:8] == b"ftyp" and data[8:12] in HEIC and b"avif" not in data[8:32]:
        raise ValueError(f"“{name}” is a HEIC photograph, which the lab cannot read: save it as a JPEG first.")
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, MemoryError):
        raise ValueError(_too_large(name)) from None
    except Exception:  # headers fail in a dozen ways: OSError, SyntaxError, struct.error, ...
        raise ValueError(
            f"“{name}” is not a picture this lab can read: choose a PNG, JPEG, WebP, GIF, TIFF, or BMP file."
        ) from None
    with opened as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(_too_large(name, image.size))
        notes = _animation_note(image)
        try:
            # A JPEG can be decoded at a half, a quarter or an eighth; `draft` changes no other format.
            whole = image.size
            image.draft(None, (MAX_SIDE, MAX_SIDE))
            image.load()
            pixels = _to_rgb(image, whole, notes)
        except MemoryError:
            raise ValueError(f"“{name}” needs too much memory to open: make it smaller first.") from None
        except Exception:  # so do damaged pixel data
            raise ValueError(f"“{name}” is damaged or cut off: save or download it again.") from None
    return Decoded(pixels, tuple(notes))


# What EXIF calls the orientation, to the way back.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def too_long(image: np.ndarray) -> bool:
    """Whether `square` shrinks a picture (H, W, 3) whole onto grey instead of cutting a square out of it."""
    return max(image.shape[:2]) > MAX_ASPECT * min(image.shape[:2])


def square(image: np.ndarray, size: int) -> np.ndarray:
    """Centre square of a picture, resized; a very long picture is shrunk whole onto a grey square instead.

    image: uint8 (H, W, 3). Returns uint8 (size, size, 3). Antialiased bicubic (Pillow's a = -0.5).
    """
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    if not too_long(image):
        return np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))
    scale = size / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = Image.new("RGB", (size, size), (128, 128, 128))
    canvas.paste(picture.resize(inner, Image.Resampling.BICUBIC), ((size - inner[0]) // 2, (size - inner[1]) // 2))
    return np.asarray(canvas)


def _too_large(name: str, size: tuple[int, int] | None = None) -> str:
    found = f"{size[0]} × {size[1]} pixels" if size else f"more than {2 * Image.MAX_IMAGE_PIXELS // 10**6} megapixels"
    return f"“{name}” has {found}, and the lab takes at most {MAX_PIXELS // 10**6} megapixels: make it smaller first."


def _animation_note(image: Image.Image) -> list[str]:
    try:
        animated = getattr(image, "is_animated", False)  # counts the frames, of which the last may be cut off
    except Exception:
        animated = True
    if not animated:
        return []
    if image.format == "MPO":  # a photograph with a preview inside: nothing the viewer would miss
        return []
    if image.format == "TIFF":
        return ["The file has several pages: this is the first page."]
    return ["The file is animated: this is the first frame."]


def _to_rgb(image: Image.Image, whole: tuple[int, int], notes: list[str]) -> np.ndarray:
    try:
        turned = image.getexif().get(0x0112, 1)  # the orientation
    except Exception:  # camera software writes broken EXIF; the pixels are still good
        notes.append("Its orientation tag is unreadable, so it may lie on its side.")
        turned = 1
    image = _eight_bits(image, notes)
    if "transparency" in image.info:
        image = image.convert("RGBA")
    factor = max(image.size) // MAX_SIDE
    if factor > 1 and image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "RGBa", "La"):
        image = _kept(image.reduce(factor), image.info)  # before anything copies it: 50 megapixels are 200 MB
    image = _srgb(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    if max(whole) > MAX_SIDE:
        notes.append(f"Shrunk from {whole[0]} × {whole[1]} pixels.")
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC)
    if turned in UPRIGHT:
        image = image.transpose(UPRIGHT[turned])
    return np.asarray(image)


def _kept(image: Image.Image, info: dict) -> Image.Image:
    image.info = info
    return image


def _eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """Grey pictures of 16 or 32 bits to 8 (Pillow's own convert() clips at 255 instead of scaling), and those too dark
    to be seen brightened: masks hold class numbers, and cameras write 12 bits into 16."""
    grey = image.mode == "L" and "transparency" not in image.info
    if not grey and image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    if max(image.size) > MAX_SIDE and not grey:  # every so many pixels: numbers are not to be mixed
        step = -(-max(image.size) // MAX_SIDE)
        values = np.asarray(image)[::step, ::step].astype(np.float32)
    else:
        values = np.asarray(image)
    full = 255 if grey else 65535
    low, high = (float(values.min()), float(values.max())) if np.isfinite(values).all() else (-1.0, full)
    if image.mode == "F" or low < 0 or high > full:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        notes.append("Its numbers have no fixed range, so the darkest is shown black and the brightest white.")
        spread = (values.astype(np.float64) - low) / ((high - low) or 1.0)
        values = np.nan_to_num(spread, nan=0.0, posinf=1.0, neginf=0.0) * 255
    elif 0 < high < full * DARK:
        notes.append(f"Its brightest value is {high:.0f} of {full}, so it is shown {full / high:.3g} times as bright.")
        values = values.astype(np.float64) * (255 / high)
    elif grey:
        return image
    else:
        values = values / 257  # 65535 / 255
    return _kept(Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)), image.info)


def _srgb(image: Image.Image) -> Image.Image:
    """Apply an embedded colour profile (wide-gamut phones, CMYK print files)."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        return ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError):  # broken, or for another kind of picture: viewers ignore it too
        return image


def _skipped(stream: PngImagePlugin.PngStream, position: int, length: int) -> bytes:
    return ImageFile._safe_read(stream.fp, length)


def main() -> None:
    """`python -m ui.decoding NAME`: the file on standard input; on standard output a line of JSON, then the pixels."""
    # Text in a PNG is of no use here, and unpacked it can be large.
    for kind in ("tEXt", "zTXt", "iTXt"):
        setattr(PngImagePlugin.PngStream, f"chunk_{kind}", _skipped)
    Image.MAX_IMAGE_PIXELS = None  # `decode` has a limit of its own, in words
    try:
        decoded = decode(sys.stdin.buffer.read(), sys.argv[1])
    except ValueError as refused:
        head, pixels = {"refused": str(refused)}, b""
    else:
        head, pixels = {"shape": decoded.image.shape, "notes": decoded.notes}, decoded.image.tobytes()
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + pixels)


if __name__ == "__main__":
    main()
