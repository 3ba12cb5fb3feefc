"""Augmented Grad-CAM: coarse maps of turned and shifted views make one fine map."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from labs import augmented_grad_cam as lab
from labs import super_resolution as sr
from labs import weak_localization as wl
from labs.heat_map_quality import energy_over_area, points_at
from models import catalog
from models.inside.augmented import AugmentedMap, augmented_grad_cam
from models.networks.classifier import FILL, SIZE, to_tensor
from pages.class_activation.shared import (
    GAP,
    Focus,
    Truth,
    at_picture_size,
    evidence,
    no_truth,
    positive_layer,
    truth_of,
)  # fmt: skip
from pages.shared.heat_maps import BLUE, ORANGE, POSITIVE, SKY, VERMILION, colour_bar, number
from ui import page
from ui.components import Box, Boxes, Heat, stage
from ui.pictures import KEPT

ACROSS, TILE = 4, 112  # views in a row of the strip, and their size in it
VIEWS = (1, 2, 4, 8, 16, 32, 64)
LAMBDAS = sorted({0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, sr.TOTAL_VARIATION})
MUS = sorted({0.0, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, sr.RIDGE})
STEPS = 200  # of subgradient descent, the paper's


@dataclass(frozen=True)
class Settings:
    """What a visitor may turn: `angle` in radians and `shift` in pixels, to either side."""

    views: int
    angle: float
    shift: float
    lam: float
    mu: float

    @property
    def warps(self) -> lab.Warps:
        return lab.random_warps(self.views, self.angle, self.shift, SIZE)


@dataclass(frozen=True, eq=False)
class Result:
    """The map, and E of subgradient descent on the same problem, by rule."""

    found: AugmentedMap
    subgradient: dict[str, list[float]]


@st.cache_resource(max_entries=32, show_spinner=False)
def place(image: np.ndarray, target: int, settings: Settings) -> list[Result]:
    """Where the one result lies, once somebody has run it: a cached function cannot show its progress."""
    return []


def run(image: np.ndarray, target: int, settings: Settings, tell) -> Result:
    """`tell(share, words)` hears how far it is."""
    found = augmented_grad_cam(
        catalog.load(GAP), image, target, settings.views, settings.angle, settings.shift, settings.lam,
        settings.mu, progress=stages(tell),
    )  # fmt: skip
    posed = lab.pose(found.maps, found.warps, settings.lam, settings.mu)
    start = (posed.mean / posed.scale).numpy()
    tell(0.92, "subgradient descent, for comparison")
    rules = {rule: sr.subgradient_descent(posed.problem, start, STEPS, rule=rule).objectives for rule in sr.RULES}
    return Result(replace(found, views=found.views[:0]), rules)  # which would be most of its memory


def stages(tell):
    """What `augmented_grad_cam` reports, as a share of the whole and words for `tell`."""
    spent = {"forwards": (0.0, 0.8), "solver": (0.8, 0.1)}

    def progress(stage_name: str, done: int, total: int) -> None:
        first, length = spent[stage_name]
        if stage_name == "forwards":
            tell(first + length * done / total, f"forwards: {done} of {total}")
        elif done % 20 == 0:  # it stops where it is near enough, mostly within 200 steps
            tell(first + length * min(done / 200, 1), f"solver: step {done}")

    return progress


@st.fragment
@page.guard()
def augmented(focus: Focus) -> None:
    page.section(
        "Augmented Grad-CAM", "Turn and shift the picture: every view's coarse map holds another piece of the fine map."
    )
    settings = controls("cam")
    st.latex(
        rf"\begin{{aligned}} \min_{{h \ge 0}} \ &\tfrac12 \sum_{{l=1}}^{{{settings.views}}} "
        rf"\lVert D A_l h - g_l \rVert^2 \\ &+ {settings.lam:g} \sum |\partial_x h| + |\partial_y h| "
        rf"+ \tfrac{{{settings.mu:g}}}{{2}} \lVert h \rVert^2 \end{{aligned}}"
    )
    slot = place(focus.picture.image, focus.target, settings)
    start = st.empty()
    if not slot and start.button("Run", type="primary", icon=":material/play_arrow:", key="cam_run"):
        bar = st.progress(0.0, "views")
        slot.append(run(focus.picture.image, focus.target, settings, lambda share, text: bar.progress(share, text)))
        bar.empty()
    if slot:
        start.markdown(":green-badge[:material/check: done] for this picture, class and settings")
    strip(focus, settings, slot[0].found if slot else None)
    if not slot:
        st.info(
            f"Run makes {settings.views} Grad-CAMs and solves for one {lab.FINE}×{lab.FINE} map: some seconds.",
            icon=":material/info:",
        )
        return
    maps(focus, slot[0].found)
    objectives(slot[0])
    seconds = slot[0].found.seconds
    spent = ", ".join(f"{name} {1000 * each:.0f} ms" for name, each in seconds.items())
    page.footer(f"{GAP}, {settings.views} views ({spent})", slot[0].found.device, 1000 * sum(seconds.values()))


def controls(key: str) -> Settings:
    """Streamlit's own sliders: they speak on release, and nothing here is fast enough for a drag. `key` starts the
    names of all."""
    columns = st.columns(5)
    with columns[0]:
        views = st.select_slider("Views", VIEWS, lab.VIEWS, key=f"{key}_views", **KEPT)
    with columns[1]:
        angle = st.slider("Angle up to ±", 0.0, 1.0, lab.ANGLE, 0.05, format="%.2f rad", key=f"{key}_angle", **KEPT,
                          help="1 rad is 57°.")  # fmt: skip
    with columns[2]:
        shift = st.slider("Shift up to ±", 0.0, 60.0, lab.SHIFT, 5.0, format="%.0f px", key=f"{key}_shift", **KEPT)
    with columns[3]:
        lam = st.select_slider("λ, total variation", LAMBDAS, sr.TOTAL_VARIATION, key=f"{key}_lambda", **KEPT)
    with columns[4]:
        mu = st.select_slider("μ, ridge", MUS, sr.RIDGE, key=f"{key}_mu", **KEPT)
    return Settings(views, angle, shift, lam, mu)


def strip(focus: Focus, settings: Settings, found: AugmentedMap | None) -> None:
    """The first views, and over them their maps once they are there."""
    warps = settings.warps
    count = min(len(warps), 2 * ACROSS)
    few = lab.Warps(warps.angles[:count], warps.shifts[:count])
    pictures = lab.warp_pictures(to_tensor(focus.picture.image), few, FILL)
    tiles = (pictures.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)[:, ::2, ::2]
    layers = []
    if found is not None:
        heat = torch.where(found.believed, found.maps, torch.nan)[:count].numpy()
        tall = [cv2.resize(each, (TILE, TILE), interpolation=cv2.INTER_NEAREST) for each in heat]
        layers.append(Heat(mosaic(tall, np.nan), POSITIVE, 0, found.scale, opacity=0.65, smooth=False))
    angles, shifts = few.angles.rad2deg().tolist(), (few.shifts * SIZE).tolist()
    told = [f"{a:.0f}° {x:+.0f} {y:+.0f}".replace("-", "−") for a, (x, y) in zip(angles, shifts, strict=True)]
    frames = [Box(f"view-{i}", tile(i), text, SKY, width=1, note=f"view {i + 1}: turned, then shifted")
              for i, text in enumerate(told)]  # fmt: skip
    stage("cam_views_strip", width=2 * TILE * min(ACROSS, count)).show(
        mosaic(tiles, 255), [*layers, Boxes(frames)], alt=f"The first {count} views and their maps",
        caption=f"The first {count} of {len(warps)} views: degrees turned, pixels shifted right and down."
        + (" Cells without colour saw beyond the edge and take no part." if found else ""),
    )  # fmt: skip


def tile(i: int) -> tuple[float, float, float, float]:
    """Where the i-th view lies in the strip; a pixel is left to its neighbours."""
    x, y = i % ACROSS * TILE, i // ACROSS * TILE
    return (x + 1, y + 1, x + TILE - 1, y + TILE - 1)


def mosaic(tiles, blank) -> np.ndarray:
    """Tiles (n, TILE, TILE, …) in rows of ACROSS, what is missing `blank`."""
    tiles = list(tiles)
    across = min(ACROSS, len(tiles))
    tiles += [np.full_like(tiles[0], blank)] * (-len(tiles) % across)
    return np.vstack([np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)])


def maps(focus: Focus, found: AugmentedMap) -> None:
    """One map enlarged, the mean of all, and the solution, in one scale."""
    truth = truth_of(focus.picture, focus.target)
    if float(found.maps.max()) <= 0:
        st.info(
            f"No positive evidence: no view holds a cell that speaks for {focus.name}, so the fine map is all zero."
        )
    limit = max(float(each.max()) for each in (found.one_map, found.mean_map, found.fine))
    shown = (
        ("one map, bilinear", found.one_map),
        ("mean of the unwarped maps", found.mean_map),
        ("Augmented Grad-CAM", found.fine),
    )
    panels = st.columns(3, gap="medium")
    for i, (panel, (title, heat), terms) in enumerate(zip(panels, shown, found.terms, strict=True)):
        with panel:
            st.markdown(f"**{title}**")
            layers = [positive_layer(heat, limit, 0.8, smooth=False)]
            stage(f"cam_fine_{i}", zoom=False).show(
                focus.picture.image, [*layers, Boxes(truth.drawn() if truth else [])], alt=title
            )
            box = wl.weak_box(at_picture_size(heat))
            iou = f" · IoU of the 20 % box **{truth.overlap(box):.2f}**" if truth else ""
            best = f", of the best box **{truth.best_overlap(at_picture_size(heat)):.2f}**" if truth else ""
            st.caption(
                f"{evidence(heat, focus.name)}{iou}{best} · E = **{number(sum(terms))}**, of which the misfit "
                f"½ Σ‖D A h − g‖² is **{number(terms.misfit)}**"
            )
    colour_bar(POSITIVE, limit or 1.0, "logit, Grad-CAM after its ReLU")
    if truth is None:
        st.caption(no_truth(focus.picture, focus.target))
    else:
        st.markdown(sharper(found, truth))
    one, _, fine = found.terms
    share = fine.misfit / (sum(fine) or 1.0)
    st.markdown(
        f"Of the fine map's E **{share:.0%} is misfit**, what no single map can explain: the "
        f"{len(found.maps)} coarse maps contradict each other, because the network does not answer a turned picture "
        f"with exactly the turned map. One map enlarged leaves a misfit of {number(one.misfit)}, the fine map "
        f"{number(fine.misfit)}."
    )


def sharper(found: AugmentedMap, truth: Truth) -> str:
    """Whether the fine map is nearer to the truth than one map enlarged, by three measures; it is not always."""
    one, fine = at_picture_size(found.one_map), at_picture_size(found.fine)
    measures = {
        "evidence on the thing, over its share of the picture": lambda heat: energy_over_area(heat, truth.mask),
        "IoU of the 20 % box": lambda heat: truth.overlap(wl.weak_box(heat)),
        "IoU of the best box": truth.best_overlap,
    }
    pairs = {name: (float(measure(one)), float(measure(fine))) for name, measure in measures.items()}
    told = "; ".join(f"{name} {before:.2f} → {after:.2f}" for name, (before, after) in pairs.items())
    gains = sum(after > before + 0.005 for before, after in pairs.values())
    losses = sum(after < before - 0.005 for before, after in pairs.values())
    verdict = "nearer to the truth" if gains > losses else "not nearer to the truth"
    peaks = [points_at(heat, truth.mask) for heat in (one, fine)]
    peak = {(True, True): "stays on", (False, False): "stays off", (False, True): "moves onto",
            (True, False): "moves off"}[tuple(peaks)]  # fmt: skip
    return (
        f"Against one map enlarged, the fine map is **{verdict}** here: {told}; the largest value {peak} the thing. "
        "Another picture may say otherwise: change the scene and run again."
    )


def objectives(result: Result) -> None:
    """E against iterations: primal-dual, and two ways to descend by subgradients."""
    curves = (
        ("primal-dual", result.found.objectives, BLUE, "solid"),
        ("subgradient, rate / √k", result.subgradient["diminishing"], VERMILION, "dash"),
        ("subgradient with Adam", result.subgradient["adam"], ORANGE, "dot"),
    )
    least = min(min(values) for _, values, _, _ in curves)
    figure = go.Figure()
    for name, values, colour, dash in curves:
        figure.add_scatter(y=values, mode="lines", name=name, line={"color": colour, "dash": dash})
    figure.update_layout(
        xaxis_title="iteration", yaxis_title="objective E(h)", margin={"t": 40, "b": 40, "l": 50, "r": 10},
        yaxis_type="log" if least > 0 else "linear",
    )  # fmt: skip
    page.figure(figure, "cam_objectives", height=300, alt="Objective against iterations for three solvers")
    ends = ", ".join(f"{name} {number(min(values), 4)} after {len(values) - 1}" for name, values, _, _ in curves)
    st.caption(
        f"All start from the mean of the unwarped maps, each map over the largest value. Lowest E: {ends} steps. The "
        f"least E possible lies at most {number(result.found.gap)} below the primal-dual one (duality gap)."
    )
