"""The five methods on a picture: the one that is chosen, and all on the same few pixels."""

import cv2
import numpy as np
import streamlit as st
import torch

import scenes
from labs import upsampling
from ui.components import stage

UNPOOLING = "max unpooling"
METHODS = (*upsampling.METHODS, UNPOOLING)
FUNCTIONS = {
    "nearest": upsampling.nearest,
    "bed of nails": upsampling.bed_of_nails,
    "bilinear": upsampling.bilinear,
    "bicubic": upsampling.bicubic,
}
SIDE = 40  # pixels of the small picture
SCENE_CUT = np.s_[230:430, 50:250]  # a duck and a cat
LENS = np.s_[:, 7:21, 25:39]  # of the small picture: the cat's head


def apply(method: str, x: torch.Tensor, factor: int, align: bool) -> torch.Tensor:
    """`x` (..., H, W) enlarged by a method that needs no positions."""
    options = {"align_corners": align} if method in upsampling.INTERPOLATIONS else {}
    return FUNCTIONS[method](x, factor, **options)


@st.cache_data(show_spinner=False)
def photograph(side: int) -> torch.Tensor:
    """A Lab World scene averaged down to (3, side, side), float 0 to 255."""
    image = scenes.render_image(scenes.sample(11), 448)[SCENE_CUT]
    return torch.from_numpy(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)).permute(2, 0, 1).float()


def enlarged(method: str, factor: int, align: bool) -> torch.Tensor:
    """The small picture by any of METHODS: (3, SIDE * factor, SIDE * factor). Max unpooling takes its places from the
    same picture at that size."""
    if method == UNPOOLING:
        _, positions = upsampling.max_pool(photograph(SIDE * factor), factor)
        return upsampling.max_unpool(photograph(SIDE), positions, (SIDE * factor, SIDE * factor))
    return apply(method, photograph(SIDE), factor, align)


def as_image(picture: torch.Tensor) -> np.ndarray:
    return picture.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def picture_view(method: str, factor: int, align: bool) -> None:
    """The chosen method on the small picture."""
    shown = as_image(enlarged(method, factor, align))
    caption = f"{SIDE} × {SIDE} pixels, {method}, now {shown.shape[0]} × {shown.shape[1]}"
    stage("up_picture", width=320, zoom=False).show(shown, alt=caption, caption=caption)


def all_methods(factor: int, align: bool) -> None:
    """A few pixels of the small picture, and what each method makes of them."""
    st.subheader("All five on the same pixels", anchor="all-methods")
    rows, columns = LENS[1], LENS[2]
    large = np.s_[:, rows.start * factor : rows.stop * factor, columns.start * factor : columns.stop * factor]
    shown = {"input": photograph(SIDE)[LENS]} | {name: enlarged(name, factor, align)[large] for name in METHODS}
    panels = [panel for _ in range(2) for panel in st.columns(3)]
    for panel, (name, picture) in zip(panels, shown.items(), strict=True):
        with panel:
            height, width = picture.shape[1:]
            stage(f"up_lens_{name}", zoom=False).show(
                as_image(picture), smooth=False, alt=f"{name}: {height} by {width} pixels, enlarged",
                caption=f"{name}: {height} × {width} pixels"
                + (", each colour with places of its own" if name == UNPOOLING else ""),
            )  # fmt: skip
