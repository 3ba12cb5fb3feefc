"""The published detectors of torchvision, from the metadata that comes with it: no download, no run."""

from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
from torchvision.models import detection as published_detection
from torchvision.models import get_model_weights, list_models

from ui import page

FAMILIES = {
    "fasterrcnn": ("Faster R-CNN", "#0072B2", "circle"), "maskrcnn": ("Mask R-CNN", "#56B4E9", "circle-open"),
    "fcos": ("FCOS", "#009E73", "star"), "ssd": ("SSD", "#E69F00", "diamond"),
    "ssdlite": ("SSDlite", "#E69F00", "diamond-open"),
}  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A published detector: box AP on COCO val2017, 10⁹ multiply-adds of a picture, parameters and MB of its file."""

    name: str
    ap: float
    giga: float
    parameters: int
    megabytes: float


@st.cache_data(show_spinner=False)
def known() -> list[Published]:
    """The detectors of FAMILIES that torchvision publishes with a box AP."""
    found = []
    for name in list_models(module=published_detection):
        if family(name) not in FAMILIES:  # Keypoint R-CNN's AP is that of persons alone
            continue
        for weights in get_model_weights(name):
            metrics = weights.meta["_metrics"].get("COCO-val2017", {})
            if "box_map" in metrics:
                meta = weights.meta
                found.append(Published(name, metrics["box_map"], meta["_ops"], meta["num_params"], meta["_file_size"]))
    return found


def family(name: str) -> str:
    """The detector of a name, without its backbone and picture size: ssd of ssd300_vgg16."""
    return name.split("_")[0].rstrip("0123456789")


@st.fragment
@page.guard()
def published() -> None:
    page.section("On photographs", "torchvision's published detectors, as their authors measured them on COCO.")
    figure = go.Figure()
    every = known()
    for prefix, (title, colour, symbol) in FAMILIES.items():
        mine = [each for each in every if family(each.name) == prefix]
        if mine:
            figure.add_scatter(
                x=[each.giga for each in mine], y=[each.ap for each in mine], mode="markers", name=title,
                marker={"color": colour, "symbol": symbol, "size": 13},
                customdata=[[each.name, f"{each.parameters / 1e6:.0f} M parameters, {each.megabytes:.0f} MB"]
                            for each in mine],
                hovertemplate="%{customdata[0]}<br>box AP %{y:.1f}, %{x:.1f} · 10⁹<br>%{customdata[1]}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "10⁹ multiply-adds a picture", "type": "log", "tickvals": [1, 3, 10, 30, 100, 300]},
        yaxis={"title": "box AP on COCO, %", "rangemode": "tozero"},
    )
    page.figure(figure, "trade_published", height=380, alt=f"Box AP over multiply-adds of {len(every)} detectors")
    best, light = max(every, key=lambda each: each.ap), min(every, key=lambda each: each.giga)
    st.markdown(
        f"`{best.name}` finds most: box AP **{best.ap:.1f}** with {best.giga:.0f} · 10⁹ multiply-adds. `{light.name}` "
        f"needs **{best.giga / light.giga:.0f} times** fewer and reaches **{light.ap:.1f}**. Later one-stage networks "
        "stand beside those with two stages: a better training closed most of the gap that the lecture speaks of."
    )
    st.caption("From the metadata that comes with torchvision; pictures are about 800 pixels wide, SSD's 300 or 320.")
