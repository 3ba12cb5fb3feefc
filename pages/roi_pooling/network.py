"""The trained detector with its pooling swapped: boxes, masks, and average precision on held-out scenes."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

import scenes
from labs import average_precision as ap
from labs.matching import Detections, Truths
from models import catalog
from models.inside import pooling_swap
from models.inside.pooling_swap import POOLINGS, SwappedDetection
from models.recipes.coco_metrics import IGNORED_BELOW
from models.recipes.scene_cache import held_out_seeds
from pages.roi_pooling.shared import regions_of, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, Labels, live_slider, stage
from ui.pictures import KEPT, Picture

AS_TRAINED = next(iter(POOLINGS))
NAMES = {AS_TRAINED: f"{AS_TRAINED}, as trained"}
PALETTE = [None, *(scenes.PALETTE[name] for name in THINGS)]
COUNTS = (10, 25, 50, 100)
HEAD_LABELS = range(1, len(THINGS) + 1)


@st.cache_resource(max_entries=96, show_spinner=False)
def detection_of(image: np.ndarray, pooling: str) -> SwappedDetection:
    """The heads behind one pooling; trunk and proposals are those that the page already has."""
    return pooling_swap.detect_with(catalog.load("detector"), regions_of(image), pooling)


@st.fragment
@page.guard()
def swap(picture: Picture) -> None:
    page.section(
        "On a real network",
        "The lab's detector, four times: same weights, same proposals, another pooling before its box and mask heads. "
        f"The heads were trained behind {AS_TRAINED} alone, so this shows how they rely on it. It is no comparison of "
        "the methods: heads trained behind another pooling adapt to it.",
    )
    found = {name: detection_of(picture.image, name) for name in POOLINGS}
    with live_slider("Show scores from", 0.05, 0.95, 0.5, step=0.05, key="roi_score", format="%.2f") as least:
        panels = [panel for _ in range(2) for panel in st.columns(2, gap="medium")]
        for panel, (name, each) in zip(panels, found.items(), strict=True):
            shown = each.scores >= least
            with panel:
                st.markdown(
                    f"**{NAMES.get(name, name)}** · {int(shown.sum())} boxes · heads {each.seconds * 1000:.0f} ms"
                )
                stage(f"roi_with_{name}", zoom=False).show(
                    picture.image, layers_of(each, shown), alt=f"What the detector finds with {name}"
                )  # fmt: skip
    seconds = regions_of(picture.image).seconds + sum(each.seconds for each in found.values())
    page.footer("detector", catalog.load("detector").device, seconds * 1000)


def layers_of(found: SwappedDetection, shown) -> list:
    """Masks in the colour of their class, the surest on top, and boxes with class and score."""
    chosen = shown.nonzero()[:, 0].tolist()
    painted = np.zeros(found.masks.shape[1:], np.uint8)
    for i in reversed(chosen):
        painted[found.masks[i].numpy() >= 0.5] = found.labels[i]
    boxes = [
        Box(f"found-{i}", xyxy(found.boxes[i]), f"{THINGS[found.labels[i] - 1]} {found.scores[i]:.2f}",
            PALETTE[found.labels[i]], width=2.5)
        for i in chosen
    ]  # fmt: skip
    return [Labels(painted, PALETTE, 0.55), Boxes(boxes[::-1])]


@dataclass(frozen=True, eq=False)
class Scored:
    """One held-out scene behind one pooling: `found`, `truths`, and the IoU (D, G) of their masks."""

    found: Detections
    truths: Truths
    masks: NDArray


@st.cache_resource(max_entries=128, show_spinner=False)
def scored(seed: int) -> dict[str, Scored]:
    """All poolings on one scene that no network was trained on."""
    view = scenes.render(scenes.sample(seed))
    detector = catalog.load("detector")
    regions = pooling_swap.find_regions(detector, view.image)
    things = view.instances
    areas = np.array([thing.mask.sum() for thing in things], np.float64)
    truths = Truths(
        np.array([thing.box for thing in things], np.float64).reshape(-1, 4),
        np.array([THINGS.index(thing.label) + 1 for thing in things], np.int64),
        crowd=np.array([thing.visible < IGNORED_BELOW for thing in things], bool),
        areas=areas,
    )
    result = {}
    for name in POOLINGS:
        said = pooling_swap.detect_with(detector, regions, name)
        found = Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy())
        result[name] = Scored(found, truths, mask_overlap(said.masks.numpy() >= 0.5, things, truths.crowd))
    return result


def mask_overlap(masks: NDArray, things, crowd: NDArray) -> NDArray:
    """(D, G) IoU of detected masks (D, H, W) with true ones; for a crowd, the share of the detection inside it."""
    if not len(masks) or not len(things):
        return np.zeros((len(masks), len(things)))
    true = np.array([thing.mask for thing in things], np.float32).reshape(len(things), -1)
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    common = flat @ true.T
    sizes = flat.sum(1)[:, None]
    whole = np.where(crowd, sizes, sizes + true.sum(1) - common)
    return common / np.maximum(whole, 1)


@st.cache_data(max_entries=8, show_spinner=False)
def figures(count: int) -> dict[str, dict[str, float]]:
    """Box AP, box AP50, and mask AP per pooling over the first held-out scenes, by COCO's rules."""
    every = [scored(seed) for seed in held_out_seeds(count)]
    rows = {}
    for name in POOLINGS:
        own = [each[name] for each in every]
        boxes = ap.summarise([one.found for one in own], [one.truths for one in own], HEAD_LABELS)
        rows[name] = {"box AP": boxes.mean_ap, "box AP50": boxes.ap50, "mask AP": mask_ap(own)}
    return rows


def mask_ap(own: list[Scored]) -> float:
    """COCO's AP with the IoU of masks in place of boxes'."""
    values = np.full((len(ap.IOU_THRESHOLDS), len(THINGS)), np.nan)
    for k, label in enumerate(HEAD_LABELS):
        compared = ap.compare([one.found for one in own], [one.truths for one in own], label)
        for each in compared:
            each.overlap[:] = own[each.image].masks[np.ix_(each.detection, each.truth)]
        for t, threshold in enumerate(ap.IOU_THRESHOLDS):
            values[t, k] = ap.average_precision(ap.rank(compared, threshold))
    return ap.mean_of_defined(values)


@st.fragment
@page.guard()
def precision() -> None:
    st.subheader("Average precision after the swap, heads not trained again", anchor="average-precision")
    page.remind("AP")
    catalog.card("detector")  # without weights, say so before the controls
    count = st.segmented_control("Held-out scenes", COUNTS, default=None, key="roi_scenes", **KEPT)
    if count is None:  # not by itself: while it runs, nothing else on the page could be dragged
        st.caption("Choose a number of scenes, and all four are measured on them, about a third of a second a scene.")
        return
    measure(count)
    rows = figures(count)
    best = rows[AS_TRAINED]
    others = [name for name in POOLINGS if name != AS_TRAINED]
    known = not any(np.isnan(row["mask AP"]) for row in rows.values())
    with page.predict(
        "roi_worst", f"Behind which pooling do these heads lose most mask AP on the {count} scenes?",
        others if known else [],
    ) as prediction:  # fmt: skip
        lines = ["| pooling | box AP | box AP50 | mask AP | mask AP against as trained |", "|---|---:|---:|---:|---:|"]
        for name, row in rows.items():
            change = "" if name == AS_TRAINED else f"{row['mask AP'] - best['mask AP']:+.3f}".replace("-", "−")
            numbers = " | ".join(f"{value:.3f}" for value in row.values())
            lines.append(f"| {NAMES.get(name, name)} | {numbers} | {change} |")
        st.markdown("\n".join(lines))
        worst = min(others, key=lambda name: rows[name]["mask AP"]) if known else None
        prediction.outcome(
            worst, f"Mask AP {rows[worst]['mask AP']:.3f} against {best['mask AP']:.3f} as trained." if known else ""
        )
    st.caption(
        f"COCO's AP@[.5:.95] over {count} scenes that no network was trained on. The heads learned behind "
        f"{AS_TRAINED} without half-pixel correction and were not trained again: this shows how they rely on it, not "
        "how good a network trained behind another pooling would be. He et al. 2017 trained both and found 3 points of "
        "mask AP between RoI Pool and RoI Align at stride 16, and 7 at stride 32 (table 2)."
    )


def measure(count: int) -> None:
    """Fill the cache scene by scene with a progress bar, once per visitor; what somebody else filled costs nothing."""
    seeds = held_out_seeds(count)
    page.work_through("_roi_measured", seeds, scored, f"Four poolings on {count} scenes that no network has seen")
