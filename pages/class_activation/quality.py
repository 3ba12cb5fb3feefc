"""Seven maps of one class, compared with the exact mask and with the network that they explain."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import heat_map_quality as quality_of
from labs import weak_localization as wl
from labs.class_activation import class_activation_map
from models import catalog
from models.inside import attribution
from models.inside.attribution import GRAD_CAM
from models.inside.augmented import augmented_grad_cam
from models.networks.classifier import FILL, LoadedClassifier, to_tensor
from pages.class_activation.shared import GAP, Focus, Truth, at_picture_size, no_truth, truth_of
from ui import page

CAM, AUGMENTED, SALIENCY, OCCLUSION, SOBEL, RANDOM = (
    "CAM", "Augmented Grad-CAM", "saliency", "occlusion", "Sobel (control)", "random (control)",
)  # fmt: skip
METHODS = (CAM, GRAD_CAM, AUGMENTED, SALIENCY, OCCLUSION, SOBEL, RANDOM)
LOOKS = {
    CAM: ("#0072B2", "solid"), GRAD_CAM: ("#56B4E9", "dash"), AUGMENTED: ("#D55E00", "solid"),
    SALIENCY: ("#009E73", "solid"), OCCLUSION: ("#CC79A7", "solid"), SOBEL: ("#E69F00", "dot"),
    RANDOM: ("#888888", "dot"),
}  # fmt: skip
# Column: whether more is better.
BETTER = {
    "points at it": True, "energy / area": True, "IoU at 20 %": True, "best IoU": True, "deletion": False,
    "insertion": True,
}  # fmt: skip
FORGOTTEN = "ρ, network forgotten"
HELP = {
    "points at it": "The pointing game: is the map's maximum on the thing?",
    "energy / area": "The thing's share of the positive evidence over its share of the picture: 1 is chance",
    "deletion": "Area under the probability while the hottest pixels go first: less is better",
    "insertion": "Area under the probability while the hottest pixels come back first: more is better",
    FORGOTTEN: "Rank correlation with the map of the same network with random weights. Near 1, the map does not "
    "depend on what was learned. None: one of the two maps is the same everywhere",
}


def map_of(method: str, model: LoadedClassifier, image: np.ndarray, target: int) -> Tensor:
    """A method's map at the picture's size, float32 (224, 224)."""
    if method == CAM:
        seen = model(image)
        return at_picture_size(class_activation_map(seen.features, seen.weights[target]))
    if method == AUGMENTED:
        return at_picture_size(augmented_grad_cam(model, image, target).fine)
    if method == SOBEL:
        return quality_of.sobel_map(image)
    if method == RANDOM:
        return quality_of.random_map(*image.shape[:2])
    heat = attribution.attribute(model, image, target, method)
    return at_picture_size(heat) if method == GRAD_CAM else heat


def measured(focus: Focus, method: str) -> tuple[dict, dict[str, quality_of.Curve]]:
    """One row of the table, and the two curves behind it."""
    model, image = catalog.load(GAP), focus.picture.image
    heat = map_of(method, model, image, focus.target)
    row = {"map": method} | agreement(heat, truth_of(focus.picture, focus.target))

    def score(pictures: Tensor) -> Tensor:
        return model.forward_batch(pictures)[:, focus.target].sigmoid()

    x = to_tensor(image)
    curves = {
        "deletion": quality_of.deletion(score, x, heat, torch.tensor(FILL).view(3, 1, 1)),
        "insertion": quality_of.insertion(score, x, heat),
    }
    blank = map_of(method, attribution.randomised(model, seed=0), image, focus.target)
    rho = quality_of.rank_correlation(heat, blank)
    return row | {name: curve.area for name, curve in curves.items()} | {FORGOTTEN: rho}, curves


def agreement(heat: Tensor, truth: Truth | None) -> dict:
    """The columns that need the truth: of all things of the class together, the boxes of the best met one."""
    if truth is None:
        return {}
    return {
        "points at it": quality_of.points_at(heat, truth.mask),
        "energy / area": quality_of.energy_over_area(heat, truth.mask),
        "IoU at 20 %": truth.overlap(wl.weak_box(heat)),
        "best IoU": truth.best_overlap(heat),
    }


@st.cache_resource(max_entries=64, show_spinner=False)
def place(image: np.ndarray, target: int) -> list:
    """Where rows and curves of a picture and class lie, once somebody has measured them."""
    return []


@st.fragment
@page.guard()
def quality(focus: Focus) -> None:
    page.section(
        "How good is a heat map?", "Against the exact mask, against the network, and against maps that explain nothing."
    )
    slot = place(focus.picture.image, focus.target)
    start = st.empty()
    if not slot and start.button("Measure", type="primary", icon=":material/play_arrow:", key="cam_measure"):
        bar = st.progress(0.0)
        slot[:] = measure(focus, lambda share, text: bar.progress(share, text))
        bar.empty()
    if slot:
        start.markdown(":green-badge[:material/check: done] for this picture and class")
    if not slot:
        st.info(
            f"Seven maps of {focus.name}, and for each some 60 pictures that the network must judge: half a minute.",
            icon=":material/info:",
        )
        return
    rows = [row for row, _ in slot]
    st.dataframe(
        [{name: value if isinstance(value, str | bool) else round(value, 3) for name, value in row.items()}
         for row in rows],
        hide_index=True, key="cam_quality",
        column_config={name: st.column_config.Column(help=told) for name, told in HELP.items()},
    )  # fmt: skip
    st.markdown(verdict(rows))
    if truth_of(focus.picture, focus.target) is None:
        st.caption(no_truth(focus.picture, focus.target))
    curves({row["map"]: both for row, both in slot})
    st.caption(
        "CAM and Grad-CAM differ here by a factor and the ReLU, so what asks only for positive evidence gives them "
        "nearly the same value. Not quite: Grad-CAM cuts its negative cells off before the map is enlarged, and CAM's "
        "are cut off afterwards. Deletion, insertion and ρ also order the negative cells. One picture is an anecdote: "
        "`python -m benchmarks heatmaps` measures many."
    )


def measure(focus: Focus, tell: Callable[[float, str], None]) -> list:
    found = []
    for done, method in enumerate(METHODS):
        tell(done / len(METHODS), f"{method} ({done + 1} of {len(METHODS)})")
        found.append(measured(focus, method))
    return found


def verdict(rows: list[dict]) -> str:
    """Who wins each column here, a simple method or a control where it is one."""
    lines = []
    for column, more in BETTER.items():
        values = {row["map"]: float(row[column]) for row in rows if column in row and not np.isnan(row[column])}
        if not values:
            continue
        best = max(values.values()) if more else min(values.values())
        leaders = [name for name, value in values.items() if abs(value - best) < 5e-4]
        won = "all alike" if len(leaders) == len(values) > 1 else ", ".join(f"**{name}**" for name in leaders)
        lines.append(f"- {column} ({'more' if more else 'less'} is better): {won}, {best:.2f}")
    controls = [line for line in lines if "**Sobel" in line or "**random" in line]
    said = "A map that explains nothing leads in part of this: such a column alone proves little." if controls else ""
    return "What wins on this picture:\n\n" + "\n".join(lines) + (f"\n\n{said}" if said else "")


def curves(found: dict[str, dict[str, quality_of.Curve]]) -> None:
    for panel, kind, told in zip(st.columns(2), ("deletion", "insertion"), ("deleted", "inserted"), strict=True):
        figure = go.Figure()
        for name, both in found.items():
            colour, dash = LOOKS[name]
            figure.add_scatter(
                x=both[kind].shares, y=both[kind].scores, name=name, mode="lines", line={"color": colour, "dash": dash},
                showlegend=kind == "deletion",
            )  # fmt: skip
        figure.update_layout(
            xaxis_title=f"share of the pixels {told}, hottest first", yaxis_title="probability", yaxis_range=[0, 1.02],
            margin={"t": 80, "b": 40, "l": 50, "r": 10}, legend={"font": {"size": 12}},
        )  # fmt: skip
        with panel:
            page.figure(figure, f"cam_{kind}", height=340, alt=f"Probability while pixels are {told}, for seven maps")
