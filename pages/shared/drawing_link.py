"""A drawing in the address: boxes as words and whole pixels, paint as a packed map; and one drawing for each picture.

person-12-30-80-200_dog-100-90-180-190
"""

import base64
import zlib
from collections.abc import Callable, Collection, Sequence
from typing import Literal

import numpy as np
import streamlit as st

from labs.coco_file import Box, Mark
from ui.components import address
from ui.pictures import Picture

LONGEST = 4000  # characters: half of what servers and proxies take of an address
TOO_LONG = "This drawing is too much for a link, so the address does not hold it: download it under *Files* instead."
KEPT = 6  # pictures whose drawings a visitor keeps


def text_of(marks: Sequence[Mark]) -> str:
    """Boxes in whole pixels.

    >>> text_of([Mark("traffic light", (12.0, 30.0, 80.0, 200.0)), Mark("dog", (0.0, 0.0, 5.0, 6.0))])
    'traffic light-12-30-80-200_dog-0-0-5-6'
    """
    return "_".join("-".join([mark.name, *(f"{value:.0f}" for value in mark.box)]) for mark in marks)


def marks_of(text: str, known: Collection[str], size: tuple[int, int]) -> list[Mark]:
    """The boxes of such a text on a picture of `size` (height, width). ValueError with a sentence for any other text.

    >>> marks_of("dog-0-0-5-6", ("dog",), (224, 224))[0].box
    (0.0, 0.0, 5.0, 6.0)
    """
    height, width = size
    marks = []
    for part in text[:LONGEST].split("_") if text else []:
        name, *places = part.split("-")
        whole = len(places) == 4 and all(each.isascii() and each.isdigit() and len(each) < 6 for each in places)
        x1, y1, x2, y2 = map(int, places) if whole else (0, 0, 0, 0)
        if name not in known or not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
            raise ValueError("The link's drawing does not fit this picture, so it was left out: draw or load it anew.")
        marks.append(Mark(name, (float(x1), float(y1), float(x2), float(y2))))
    return marks


def packed(values: np.ndarray) -> str:
    """Paint, uint8 (H, W), as text for an address; the empty text where nothing is painted.

    >>> values_of(packed(np.array([[0, 3], [3, 0]], np.uint8)), (2, 2), 4)
    array([[0, 3],
           [3, 0]], dtype=uint8)
    """
    return base64.urlsafe_b64encode(zlib.compress(values.tobytes(), 9)).decode().rstrip("=") if values.any() else ""


def values_of(text: str, size: tuple[int, int], paints: int) -> np.ndarray:
    """The paint of such a text, uint8 (H, W) below `paints`. ValueError with a sentence for any other text."""
    whole = size[0] * size[1]
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if text else b""
        found = zlib.decompressobj().decompress(data, whole + 1) if data else bytes(whole)
    except (ValueError, zlib.error):
        found = b""
    if len(found) != whole or max(found) >= paints:
        raise ValueError("The link's painting does not fit this picture, so it was left out: paint or load it anew.")
    return np.frombuffer(found, np.uint8).reshape(size).copy()


def turned_to(key: str, picture: Picture, held: Sequence[str]) -> Literal["first", "other", "same"]:
    """Every picture has drawings of its own, for as long as the visit lasts.

    What `st.session_state` holds under the names `held` is put away when `picture` is another one than in the run
    before, and what was drawn on it is put back. "first": the visit's first picture, to which a link's drawing belongs.
    """
    kept = st.session_state.setdefault(f"_{key}_drawn", {})
    name = f"{picture.name} {zlib.crc32(picture.image.tobytes()):08x}"  # phones call every picture image.jpg
    before = st.session_state.get(f"_{key}_drawn_on")
    st.session_state[f"_{key}_drawn_on"] = name
    if before in (None, name):
        return "first" if before is None else "same"
    kept[before] = {each: st.session_state.pop(each) for each in held if each in st.session_state}
    while len(kept) > KEPT:
        kept.pop(next(iter(kept)))
    st.session_state.update(kept.pop(name, {}))
    return "other"


def waiting(key: str, read: Callable[[str], object], sentence: str) -> None:
    """On a picture that has its truth: `sentence` where the address holds a drawing for another one, which `read` reads
    or refuses with a ValueError. What means nothing is put right."""
    for link in (key, f"{key}_2"):
        text = address.linked(link)
        if text is None:
            continue
        try:
            read(text)
        except ValueError:
            text = ""
        if not text:
            address.keep(link, None)
        elif link == key:
            st.caption(sentence)


def keep(link: str, text: str) -> bool:
    """Write a drawing into the address if it is short enough; whether it is."""
    address.keep(link, text if 0 < len(text) <= LONGEST else None)
    return len(text) <= LONGEST


def rounded(box: Sequence[float], size: tuple[int, int]) -> Box:
    """In whole pixels, inside the picture, at least one pixel a side.

    >>> rounded((-3.2, 10.4, 7.6, 10.4), (224, 224))
    (0.0, 10.0, 8.0, 11.0)
    """
    height, width = size
    x1, y1, x2, y2 = (round(value) for value in box)
    x1, y1 = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
    return float(x1), float(y1), float(min(max(x2, x1 + 1), width)), float(min(max(y2, y1 + 1), height))
