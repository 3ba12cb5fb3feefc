"""How good is a mesh? F1 at any distance, beside two shapes that need no mesh head, and the figures of the card."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from labs import mesh_losses
from models import catalog
from models.networks.mesh_rcnn import THRESHOLD as USUAL
from models.recipes import mesh_scores
from pages.mesh_rcnn import predicted, shared
from pages.mesh_rcnn.predicted import NETWORK, Region, Truth
from ui import figures, page
from ui.components import live_slider, words
from ui.pictures import Picture

REFINED, BLOCKY, MEAN, EXTRUDED = "Mesh R-CNN", "its voxels alone", "mean shape of the class", "its mask, extruded"
LOOKS = {REFINED: ("#0072B2", "solid"), BLOCKY: ("#56B4E9", "dash"), MEAN: ("#D55E00", "dot"),
         EXTRUDED: ("#E69F00", "dashdot")}  # fmt: skip
CARD = {REFINED: "f1", BLOCKY: "f1_blocky", MEAN: "f1_mean_shape", EXTRUDED: "f1_extruded_mask"}
LARGEST = 10  # percent of the longer side


@st.fragment
@page.guard()
def judge(picture: Picture) -> None:
    page.section(
        "How good is it?",
        "Draw points on both surfaces: precision is the share of the mesh's points near the truth, recall the reverse.",
    )
    region, truth = predicted.region_of(picture), predicted.truth_of(picture)
    if region is None or truth is None:
        words("Nobody knows the true shape of what a photograph shows, so nothing is scored here.", "mesh_no_score")
    else:
        curves(picture, region, truth)
    held_out()


def curves(picture: Picture, region: Region, truth: Truth) -> None:
    found = near(picture, region, truth)
    with live_slider(
        "Distance", 0.5, float(LARGEST), 3.0, step=0.5, key="mesh_distance", unit="%", window=2
    ) as percent:
        scores = {name: f1_at(both, percent / 100) for name, both in found.items()}
        best = max(scores, key=lambda name: scores[name])
        with page.predict(
            "mesh-best", f"Within {percent:g} % of its longer side: which shape comes closest to the true "
            f"{region.name}?", list(LOOKS),
        ) as prediction:  # fmt: skip
            at = np.arange(0, LARGEST + 0.01, 0.25)
            figure = go.Figure()
            for name, (colour, dash) in LOOKS.items():
                figure.add_scatter(x=at, y=[f1_at(found[name], each / 100) for each in at], name=name,
                                   line={"color": colour, "dash": dash, "width": 3})  # fmt: skip
            figures.across(figure, x=percent, color=shared.GREY, dash=None, width=1)
            figure.update_layout(
                xaxis={"title": "distance, % of the longer side"}, yaxis={"title": "F1", "range": [0, 1]}
            )
            page.figure(figure, "mesh_curves", height=330, alt="F1 against the distance, for four shapes")
            words("F1: " + ", ".join(f"{name} **{score:.2f}**" for name, score in scores.items()) + ".", "mesh_scores")
            prediction.outcome(
                best, "All shapes stand in the full box that the network says, but for the mask: it is that of what is "
                "seen, and has the mean depth of its class.",
            )  # fmt: skip


def near(picture: Picture, region: Region, truth: Truth) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each shape, how far its points are from the truth and the truth's from it, in the longer side."""
    threshold = st.session_state.get(predicted.THRESHOLD)
    threshold = threshold if isinstance(threshold, float) else USUAL
    return _near(
        predicted.key_of(picture, region, picture.name, round(threshold, 2)), picture, region, truth, threshold
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _near(which: tuple, _picture: Picture, _region: Region, _truth: Truth, _threshold: float) -> dict:
    """`which` names it all for the cache."""
    model = catalog.load(NETWORK)
    stages = predicted.stages_of(_picture, _region, _threshold)
    found, _ = predicted.looked(_picture.image)
    box = _region.shapes.boxes[_region.row : _region.row + 1]
    mask = model.masks(found, box, torch.tensor([_region.label]), _picture.image.shape[:2])[0] > 0.5
    shorter = float((_region.full_box[2:] - _region.full_box[:2]).min())
    meshes = {
        REFINED: (stages.vertices[-1], stages.faces),
        BLOCKY: (stages.vertices[0], stages.faces),
        MEAN: mesh_scores.mean_shape(model, _region.label, _region.full_box),
        EXTRUDED: mesh_scores.extruded(mask, model.mean_depth(_region.label) * shorter),
    }
    result = {}
    for name, (vertices, faces) in meshes.items():
        if not len(faces):
            result[name] = (np.array([np.inf]), np.array([np.inf]))
            continue
        points, _ = mesh_losses.sample_points(vertices, faces, predicted.POINTS)
        there, back = mesh_losses.pair(points, _truth.points)
        result[name] = (
            ((points - _truth.points[there]).norm(dim=1) / _truth.longest).numpy(),
            ((_truth.points - points[back]).norm(dim=1) / _truth.longest).numpy(),
        )
    return result


def f1_at(both: tuple[np.ndarray, np.ndarray], distance: float) -> float:
    """F1 from distances both ways, as `mesh_losses.f1` has it."""
    precision, recall = (float((away <= distance).mean()) for away in both)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def held_out() -> None:
    """What the card says of held-out scenes."""
    metrics = catalog.card(NETWORK)["metrics"]
    st.markdown(
        f"On {metrics['scenes']} scenes that it never saw, within 3 % of the longer side:\n\n"
        "| shape | F1 |\n|---|---:|\n"
        + "\n".join(f"| {name} | {metrics[key]:.2f} |" for name, key in CARD.items())
        + f"\n\nSeen whole, F1 is **{metrics['f1_whole']:.2f}**; partly hidden **{metrics['f1_hidden']:.2f}**. "
        f"Chamfer distance {metrics['chamfer']:.2f} squared tenths of the longer side, normal consistency "
        f"{metrics['normal_consistency']:.2f}, AP of meshes (F1 above 0.5) {metrics['mesh_ap50']:.2f}."
    )  # fmt: skip
