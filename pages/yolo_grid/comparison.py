"""One pass against two stages: the same scene, average precision over held-out scenes, and measured time."""

import statistics
from dataclasses import dataclass

import numpy as np
import streamlit as st

import scenes
from labs import average_precision as ap
from labs.matching import Detections, Truths
from models import catalog
from models.recipes.coco_metrics import IGNORED_BELOW
from models.recipes.scene_cache import held_out_seeds
from models.recipes.yolo import LOWEST_SCORE
from pages.yolo_grid.shared import COLOURS, WHITE, look, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import Picture

NETWORKS = {
    "yolo-cell": "one pass, S×S×(5B + C)",
    "yolo-anchor": "one pass, S×S×B×(5 + C)",
    "detector": "two stages: RPN, then heads",
}
COUNTS = (10, 25, 50, 100)


@dataclass(frozen=True, eq=False)
class Said:
    """What a network said of one scene, and how long it took in seconds."""

    found: Detections
    seconds: float


@st.cache_resource(max_entries=100, show_spinner=False)
def two_stages(image: np.ndarray):
    """The detector with its box head alone, as the grids have nothing else either."""
    return catalog.load("detector")(image, masks=False, keypoints=False)


def seen_by(name: str, image: np.ndarray):
    return two_stages(image) if name == "detector" else look(name, image)


@st.fragment
@page.guard()
def comparison(picture: Picture) -> None:
    page.section(
        "One pass against two stages",
        "The same scene through both grids and through the lab's two-stage detector, which looks at every proposal.",
    )
    found = {name: seen_by(name, picture.image) for name in NETWORKS}
    with live_slider("Show scores from", 0.05, 0.95, 0.5, step=0.05, key="yolo_shown", format="%.2f",
                     window=2) as least:  # fmt: skip
        for place, (name, each) in zip(st.columns(len(NETWORKS), gap="small"), found.items(), strict=True):
            shown = (each.scores >= least).nonzero()[:, 0].tolist()
            boxes = [
                Box(f"found-{i}", xyxy(each.boxes[i]), f"{THINGS[each.labels[i] - 1]} {each.scores[i]:.2f}",
                    COLOURS[each.labels[i] - 1], width=2.5)
                for i in reversed(shown)
            ]  # fmt: skip
            with place:
                words(
                    f"**{name}**: {len(shown)} {'box' if len(shown) == 1 else 'boxes'}\n\n{NETWORKS[name]}",
                    f"yolo_side_{name}_words",
                )
                stage(f"yolo_side_{name}", zoom=False, window=2).show(
                    picture.image, [Boxes([*truths_drawn(picture), *boxes])], alt=f"{len(shown)} boxes of {name}",
                    caption="Dashed white: truth." if picture.view else "",
                )  # fmt: skip


def truths_drawn(picture: Picture) -> list[Box]:
    things = picture.view.instances if picture.view else ()
    return [Box(f"truth-{i}", xyxy(thing.box), colour=WHITE, dash=True, width=1.5, note=thing.label)
            for i, thing in enumerate(things)]  # fmt: skip


@st.cache_data(max_entries=512, show_spinner=False)
def scored(seed: int) -> tuple[Truths, dict[str, Said]]:
    """All networks on one scene that none was trained on."""
    view = scenes.render(scenes.sample(seed))
    things = view.instances
    truths = Truths(
        np.array([thing.box for thing in things], np.float64).reshape(-1, 4),
        np.array([THINGS.index(thing.label) + 1 for thing in things], np.int64),
        crowd=np.array([thing.visible < IGNORED_BELOW for thing in things], bool),
        areas=np.array([thing.mask.sum() for thing in things], np.float64),
    )
    result = {}
    for name in NETWORKS:
        network = catalog.load(name)
        options = {"masks": False, "keypoints": False} if name == "detector" else {"threshold": LOWEST_SCORE}
        said = network(view.image, **options)
        found = Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy())
        result[name] = Said(found, said.seconds)
    return truths, result


def measure(count: int) -> None:
    """Fill the cache scene by scene with a progress bar, once per visitor; what somebody else filled costs nothing."""
    seeds = held_out_seeds(count)
    page.work_through("_yolo_measured", seeds, scored, f"Three networks on {count} scenes that none has seen")


@st.cache_data(max_entries=8, show_spinner=False)
def figures(count: int) -> dict[str, dict[str, float]]:
    """AP@[.5:.95], AP50 and the median milliseconds of every network over the first held-out scenes."""
    every = [scored(seed) for seed in held_out_seeds(count)]
    rows = {}
    for name in NETWORKS:
        found = [said[name].found for _, said in every]
        judged = ap.summarise(found, [truths for truths, _ in every], range(1, len(THINGS) + 1))
        milliseconds = statistics.median(said[name].seconds for _, said in every) * 1000
        rows[name] = {"AP": judged.mean_ap, "AP50": judged.ap50, "ms": milliseconds}
    return rows


@st.fragment
@page.guard()
def measured() -> None:
    st.subheader("Is one pass faster, and what does it cost?", anchor="measured")
    for name in NETWORKS:
        catalog.card(name)  # without weights, say so before the controls
    count = st.segmented_control(
        "Held-out scenes", COUNTS, default=COUNTS[0], required=True, key="yolo_scenes", bind="query-params"
    )
    measure(count)
    rows = figures(count)
    best = max(rows, key=lambda name: np.nan_to_num(rows[name]["AP"], nan=-1.0))
    with page.predict("yolo-best", f"Which of the three has the highest AP over these {count} scenes?",
                      list(rows)) as prediction:  # fmt: skip
        table(rows)
        st.markdown(claims(rows))
        st.caption(
            f"COCO's AP@[.5:.95] over {count} scenes that no network was trained on. Time of the forward pass with "
            f"decoding and NMS on this machine ({catalog.load('detector').device}), with whatever else runs on it; the "
            "detector without masks and keypoints. All three have the same encoder."
        )
        prediction.outcome(best, ", ".join(f"{name} {row['AP']:.3f}" for name, row in rows.items()) + ".")


def table(rows: dict[str, dict[str, float]]) -> None:
    lines = ["| network | how | box AP | AP50 | ms per picture, median |", "|---|---|---:|---:|---:|"]
    lines += [
        f"| {name} | {NETWORKS[name]} | {row['AP']:.3f} | {row['AP50']:.3f} | {row['ms']:.1f} |"
        for name, row in rows.items()
    ]
    st.markdown("\n".join(lines))


def claims(rows: dict[str, dict[str, float]]) -> str:
    """The textbook's trade-off against what was measured here."""
    two = rows["detector"]
    lines = ["The textbook says: a two-stage detector (Faster R-CNN) is slower and more accurate, a single stage "
             "(YOLO, SSD) is faster and less accurate. Measured here:\n"]  # fmt: skip
    for name in ("yolo-cell", "yolo-anchor"):
        one = rows[name]
        ratio, gap = two["ms"] / one["ms"], one["AP"] - two["AP"]
        speed = f"{ratio:.1f} times as fast as" if ratio >= 1 else f"{1 / ratio:.1f} times as slow as"
        mark = ":material/check:" if ratio > 1 else ":material/close:"
        cost = ":material/check:" if gap < 0 else ":material/close:"
        lines.append(f"- {mark} **{name}** is **{speed}** the detector: {one['ms']:.1f} against {two['ms']:.1f} ms.")
        if not np.isnan(gap):
            word = "less accurate" if gap < 0 else "not less accurate"
            lines.append(f"- {cost} **{name}** is **{word}**: AP {one['AP']:.3f} against {two['AP']:.3f}.")
    lines.append("\nHuang et al. 2017 measured it with many networks: the trade-off holds along a curve, and a bigger "
                 "backbone moves either kind up it, to more accuracy and less speed.")  # fmt: skip
    return "\n".join(lines)
