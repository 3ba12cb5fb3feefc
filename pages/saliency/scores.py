"""Do the maps find the thing? The pointing game and the energy on exact masks, over scenes that no network has seen."""

import math
from statistics import fmean

import numpy as np
import streamlit as st
import torch
from torch import Tensor

import scenes
from labs import heat_map_quality as quality
from labs.class_activation import class_activation_map
from labs.occlusion import falls, occlusion_map, patches_of
from models import catalog
from models.inside import attribution, saliency
from models.inside.attribution import GRAD_CAM, enlarged
from models.inside.saliency import METHODS
from models.networks.classifier import SIZE
from models.recipes.scene_cache import held_out_seeds
from pages.saliency.covering import covered
from pages.saliency.occlusion_map import PATCH, STRIDE
from pages.saliency.shared import DRAWINGS
from scenes import THINGS
from ui import page
from ui.pictures import KEPT

CAM, OCCLUSION, SOBEL, RANDOM = "CAM", "occlusion", "Sobel (control)", "random (control)"
JUDGED = (*METHODS, OCCLUSION, CAM, GRAD_CAM, SOBEL, RANDOM)
COUNTS = (5, 10, 20, 50, 100)
SMALLEST = 0.01  # of the picture, the things' share in a scene that is judged
HELP = {
    "points at it": "In percent. The pointing game: in how many scenes is the map's maximum on a thing of the class?",
    "energy": "In percent. The thing's share of the positive evidence, averaged",
    "energy / area": "That share over the thing's share of the picture, averaged: 1 is chance",
}


def case_of(seed: int) -> tuple[np.ndarray, int, np.ndarray] | None:
    """Picture, class of its largest thing, and the mask of all things of that class; None if they are too small."""
    view = scenes.render(scenes.sample(seed), SIZE)
    if not len(view.instances):
        return None
    label = max(view.instances, key=lambda thing: thing.mask.sum()).label
    mask = np.any([thing.mask for thing in view.instances if thing.label == label], axis=0)
    return (view.image, THINGS.index(label), mask) if mask.mean() >= SMALLEST else None


def heat_of(method: str, image: np.ndarray, target: int) -> Tensor:
    """A method's map (224, 224) of the lab's network."""
    model = catalog.load(DRAWINGS)
    if method in METHODS:
        return saliency.saliency(model, image, target, method)
    if method == CAM:
        seen = model(image)
        return enlarged(class_activation_map(seen.features, seen.weights[target]).float(), (SIZE, SIZE))
    if method == GRAD_CAM:
        return enlarged(attribution.attribute(model, image, target), (SIZE, SIZE))
    if method == OCCLUSION:
        return occluded_everywhere(image, target)
    return quality.sobel_map(image) if method == SOBEL else quality.random_map(SIZE, SIZE)


def occluded_everywhere(image: np.ndarray, target: int) -> Tensor:
    """The occlusion map of the page's standard patch, stride and fill."""
    model = catalog.load(DRAWINGS)
    score = float(model(image).logits[target])
    rows = [[covered(DRAWINGS, image, patch, "grey")[target] for patch in row]
            for row in patches_of((SIZE, SIZE), PATCH, STRIDE)]  # fmt: skip
    return occlusion_map(falls(score, torch.stack([torch.stack(row) for row in rows])), (SIZE, SIZE), PATCH, STRIDE)


@st.cache_data(max_entries=512, show_spinner=False)
def judged(seed: int) -> dict[str, tuple[bool, float, float]] | None:
    """For each method: whether it points at the thing, the energy on it, and that over its area; None for a scene whose
    things are too small."""
    case = case_of(seed)
    if case is None:
        return None
    image, target, mask = case
    found = {}
    for method in JUDGED:
        heat = heat_of(method, image, target)
        found[method] = (
            quality.points_at(heat, mask), quality.energy_share(heat, mask), quality.energy_over_area(heat, mask)
        )  # fmt: skip
    return found


@st.fragment
@page.guard()
def scores() -> None:
    page.section(
        "Do they find the thing?",
        "Over scenes that no network has seen: does a map's maximum lie on the thing, and how much of the map does?",
    )
    count = st.select_slider("Scenes", COUNTS, COUNTS[1], key="saliency_scenes", width=320, **KEPT)
    seeds = held_out_seeds(count)
    start = st.empty()
    done = st.session_state.get("_saliency_judged", 0) >= count
    if not done and not start.button("Judge", type="primary", icon=":material/play_arrow:", key="saliency_judge"):
        st.info(
            f"{len(JUDGED)} maps of the largest thing in each of {count} drawn scenes: some three seconds a scene, and "
            "nothing for scenes that somebody has had judged before.", icon=":material/info:",
        )  # fmt: skip
        return
    start.empty()
    page.work_through("_saliency_judged", seeds, judged, "Scenes")
    found = [each for each in map(judged, seeds) if each is not None]
    rows = [row(method, found) for method in JUDGED]
    best = max(each["points at it"] for each in rows)
    leaders = [each["map"] for each in rows if each["points at it"] == best]
    with page.predict(
        "saliency-points", f"Which map points at the thing most often in these {len(found)} scenes?",
        JUDGED if len(leaders) == 1 else [],
    ) as prediction:  # fmt: skip
        st.dataframe(
            rows, hide_index=True, key="saliency_scores",
            column_config={name: st.column_config.Column(help=told) for name, told in HELP.items()},
        )  # fmt: skip
        spread = 100 * math.sqrt(best / 100 * (1 - best / 100) / len(found))
        prediction.outcome(
            leaders[0] if len(leaders) == 1 else "",
            f"In {best:.0f} % of the scenes, with a standard error of {spread:.0f} %: small gaps prove nothing." if
            len(leaders) == 1 else "",
        )  # fmt: skip
    st.markdown(
        "An edge filter and noise ask no network at all: they are the bar that every method must clear. A gradient is "
        "not made to point at things: it says which pixels would move the score, also on the background. The maps of "
        "the CAM family come from the last layer, coarse and close to the decision; those of single pixels are fine "
        "and noisy. Of signed maps, what speaks for the class counts."
    )


def row(method: str, found: list[dict[str, tuple[bool, float, float]]]) -> dict:
    """A line of the table: shares in percent, means over the scenes where there is positive evidence."""
    pointed, energy, over = zip(*(each[method] for each in found), strict=True)
    known = [value for value in energy if not math.isnan(value)]
    knowns = [value for value in over if not math.isnan(value)]
    return {
        "map": method,
        "points at it": round(100 * fmean(pointed), 1),
        "energy": round(100 * fmean(known), 1) if known else None,
        "energy / area": round(fmean(knowns), 2) if knowns else None,
    }
