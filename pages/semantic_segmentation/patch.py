"""The way before: a patch around a pixel goes through the network, and only the pixel in its middle gets its class."""

import cv2
import numpy as np
import streamlit as st

from models import catalog
from pages.semantic_segmentation.shared import ORANGE, largest_thing, look
from scenes import CLASSES
from ui import page
from ui.components import Box, Boxes, Points, address, live_slider, stage, words
from ui.pictures import Picture

NETWORK = "segmenter-bilinear"
AT = "segmentation_patch_at"
SIDES = (16, 32, 48, 64, 96, 128)


@st.fragment
@page.guard()
def patch(picture: Picture) -> None:
    """Click a pixel: what the network says of it from a patch alone, and from the whole picture."""
    page.section(
        "One patch for one pixel",
        "Before there were fully convolutional networks, each pixel got the class of the patch around it, and each "
        "pixel needed a pass of its own.",
    )
    network = catalog.load(NETWORK)
    whole, alone, right = st.columns([2, 2, 3], gap="medium")
    with whole:
        view = stage("segmentation_patch_picture", zoom=False)
        if view.clicked:
            address.keep(AT, f"{int(view.click.x)},{int(view.click.y)}")
    column, row = chosen(picture)
    with right, live_slider("Side of the patch", options=SIDES, value=32, key="segmentation_patch_side") as side:
        cut = around(picture.image, column, row, side)
        half = side // 2
        with whole:
            box = (column - half, row - half, column - half + side, row - half + side)
            view.show(
                picture.image,
                [Boxes([Box("patch", tuple(map(float, box)), colour=ORANGE, width=3)]),
                 Points(np.array([[column + 0.5, row + 0.5]]), colour=ORANGE, radius=3)],
                alt="The picture and the patch around the chosen pixel", pick=(0.5, 1.0),
                caption="Click a pixel.",
            )  # fmt: skip
        with alone:
            stage("segmentation_patch_alone", zoom=False).show(
                cut, [Points(np.array([[half + 0.5, half + 0.5]]), colour=ORANGE, radius=5)],
                smooth=False, alt="The patch, enlarged", caption="All that the network sees of it.",
            )  # fmt: skip
        small, large = look(network, cut), look(network, picture.image)
        truth = "" if picture.view is None else f"\n\nIn truth it is **{CLASSES[picture.view.semantic[row, column]]}**."
        words(
            f"Pixel column {column}, row {row}. From the patch alone: {told(small, half, half)}. From the whole "
            f"picture: {told(large, row, column)}.{truth}",
            "segmentation_patch_said",
        )
    st.caption(
        "Farabet et al. did so at three scales. Patches of neighbouring pixels overlap nearly everywhere, and all that "
        f"they share is computed again. One pass gives all {picture.image[..., 0].size:,} pixels their class."
    )


def told(seen, row: int, column: int) -> str:
    """Class and probability of one pixel."""
    shares = seen.logits[:, row, column].softmax(0)
    return f"**{CLASSES[int(shares.argmax())]}**, p = {float(shares.max()):.2f}"


def chosen(picture: Picture) -> tuple[int, int]:
    """Column and row: from the address, else the middle of the largest thing; a place outside goes to the rim."""
    height, width = picture.image.shape[:2]
    try:
        column, row = address.numbers(AT, 2, int) or largest_thing(picture)
    except ValueError:
        column, row = largest_thing(picture)
        page.problem(f"The link's {AT} is not a pixel like 112,96: click on the picture instead.")
    return min(max(column, 0), width - 1), min(max(row, 0), height - 1)


def around(image: np.ndarray, column: int, row: int, side: int) -> np.ndarray:
    """uint8 (side, side, 3), the pixel at [side // 2, side // 2]; the picture is mirrored beyond its rim."""
    half = side // 2
    wide = cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_REFLECT_101)
    return np.ascontiguousarray(wide[row : row + side, column : column + side])
