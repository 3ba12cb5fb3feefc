"""From the bytes of a file somebody chose to sRGB pixels. No Streamlit here.

Every file is either shown right or refused with one sentence (the message of a ValueError).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps

# EPS and PDF would start an interpreter, HEIC needs a codec that Pillow does not carry.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
MAX_PIXELS = 50_000_000
MAX_SIDE = 2048  # no view in the lab is larger; a 50 megapixel photograph would hold 150 MB per session
MAX_ASPECT = 3.0  # beyond this a square crop shows nothing of the picture


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
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
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
            image.load()
            pixels = _to_rgb(image, notes)
        except Exception:  # so do damaged pixel data
            raise ValueError(f"“{name}” is damaged or cut off: save or download it again.") from None
    return Decoded(pixels, tuple(notes))


def square(image: np.ndarray, size: int) -> np.ndarray:
    """Centre square of a picture, resized; a very long picture is shrunk whole onto a grey square instead.

    image: uint8 (H, W, 3). Returns uint8 (size, size, 3). Antialiased bicubic (Pillow's a = -0.5).
    """
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    if max(height, width) <= MAX_ASPECT * min(height, width):
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
    if not getattr(image, "is_animated", False):
        return []
    if image.format == "MPO":  # a photograph with a preview inside: nothing the viewer would miss
        return []
    if image.format == "TIFF":
        return ["The file has several pages: this is the first page."]
    return ["The file is animated: this is the first frame."]


def _to_rgb(image: Image.Image, notes: list[str]) -> np.ndarray:
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # camera software writes broken EXIF; the pixels are still good
        notes.append("Its orientation tag is unreadable, so it may lie on its side.")
    image = _eight_bits(image, notes)
    image = _srgb(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    if max(image.size) > MAX_SIDE:
        notes.append(f"Shrunk from {image.width} × {image.height} pixels.")
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """Grey pictures of 16 or 32 bits to 8; Pillow's own convert() clips at 255 instead of scaling."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.float64)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
        notes.append("Its numbers have no fixed range, so the darkest is shown black and the brightest white.")
        values = np.nan_to_num((values - low) / ((high - low) or 1.0), nan=0.0, posinf=1.0, neginf=0.0) * 255
    else:
        values = values / 257  # 65535 / 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


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
