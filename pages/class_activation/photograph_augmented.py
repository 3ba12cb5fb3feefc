"""Augmented Grad-CAM where its authors used it: on photographs, with a network that knows ImageNet."""

import numpy as np
import streamlit as st

from labs import augmented_grad_cam as lab
from labs import weak_localization as wl
from models.inside.augmented import AugmentedMap, augmented_grad_cam
from pages.class_activation.augmented import Settings, controls, stages
from pages.class_activation.photograph_shared import Asked, drawn, overlap
from pages.class_activation.shared import evidence, positive_layer
from pages.shared.heat_maps import POSITIVE, colour_bar
from ui import page
from ui.components import Boxes, stage

TITLES = ("one map, bilinear", "mean of the unwarped maps", "Augmented Grad-CAM")


@st.cache_resource(max_entries=16, show_spinner=False)
def place(name: str, identity: int, image: np.ndarray, target: int, settings: Settings) -> list[AugmentedMap]:
    """Where the one result lies, once somebody has run it."""
    return []


@st.fragment
@page.guard()
def augmented(asked: Asked) -> None:
    page.section(
        "Augmented Grad-CAM on a photograph",
        "Turned and shifted photographs, and from their coarse maps one fine map, as its authors did with ImageNet.",
    )
    settings = controls("cam_published")
    network = asked.network
    slot = place(network.name, id(network), asked.picture.image, asked.target, settings)
    start = st.empty()
    if not slot and start.button("Run", type="primary", icon=":material/play_arrow:", key="cam_published_run"):
        bar = st.progress(0.0, "views")
        slot.append(augmented_grad_cam(
            network, asked.picture.image, asked.target, settings.views, settings.angle, settings.shift, settings.lam,
            settings.mu, progress=stages(lambda share, text: bar.progress(share, text)),
        ))  # fmt: skip
        bar.empty()
    if not slot:
        st.info(
            f"Run asks {network.name} for {settings.views} Grad-CAMs of {asked.name} and solves for one "
            f"{lab.FINE}×{lab.FINE} map: some seconds.", icon=":material/info:",
        )  # fmt: skip
        return
    start.markdown(":green-badge[:material/check: done] for this picture, class and settings")
    maps(asked, slot[0])
    seconds = slot[0].seconds
    spent = ", ".join(f"{name} {1000 * each:.0f} ms" for name, each in seconds.items())
    page.footer(f"{network.name}, {settings.views} views ({spent})", slot[0].device, 1000 * sum(seconds.values()))


def maps(asked: Asked, found: AugmentedMap) -> None:
    """One map enlarged, the mean of all, and the solution, in one scale."""
    boxes = asked.boxes(asked.target)
    heats = (found.one_map, found.mean_map, found.fine)
    limit = max(float(heat.max()) for heat in heats)
    for i, (panel, title, heat) in enumerate(zip(st.columns(3, gap="medium"), TITLES, heats, strict=True)):
        with panel:
            st.markdown(f"**{title}**")
            layer = asked.over_window(positive_layer(heat, limit, 0.8, smooth=False))
            stage(f"cam_published_fine_{i}", zoom=False).show(
                asked.picture.image, [layer, Boxes(drawn(boxes))], alt=f"{title} of {asked.name}"
            )
            whole = asked.on_picture(heat)
            fits = (
                f" · IoU of the 20 % box **{overlap(wl.weak_box(whole), boxes):.2f}**, of the best box "
                f"**{max(wl.best_box(whole, box).iou for box in boxes):.2f}**"
                if boxes
                else ""
            )
            st.caption(evidence(heat, asked.name) + fits)
    colour_bar(POSITIVE, limit or 1.0, "logit, Grad-CAM after its ReLU")
    cells = found.maps.shape[-1]
    st.caption(
        f"{len(found.maps)} maps of {cells}×{cells} cells make one of {lab.FINE}×{lab.FINE}. It is finer, and no proof "
        "that it is truer: the network answers a turned picture with another map."
        + (" White: drawn by hand." if boxes else "")
    )
