"""mIoU, pixel accuracy, the table per class and the confusion, of this scene or of many that no network has seen."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import scenes
from labs import segmentation_metrics
from models.recipes.scene_cache import held_out_seeds
from pages.semantic_segmentation.shared import confusion_of, follows
from scenes import CLASSES
from ui import page, stray_classes
from ui.components import following

SIZE = 224
CHOICES = {"This picture": 0, "16 scenes": 16, "64 scenes": 64, "200 scenes": 200}


@st.cache_data(max_entries=2048, show_spinner=False)
def confusion_on(name: str, identity: int, _network, seed: int) -> np.ndarray:
    """(13, 13) int64 of one held-out scene as the seed draws it."""
    view = scenes.render(scenes.sample(seed), SIZE)
    return confusion_of(view.semantic, _network(view.image).labels)


def measured(network, count: int) -> np.ndarray:
    """The confusion over `count` held-out scenes, with a progress bar where somebody has to wait."""
    whole, bar = np.zeros((len(CLASSES),) * 2, np.int64), st.empty()
    for done, seed in enumerate(held_out_seeds(count), start=1):
        whole += confusion_on(network.name, id(network), network, seed)
        if st.session_state.get("_segmentation_measured", 0) < count:
            bar.progress(done / count, text=f"Held-out scenes: {done} of {count}")
    bar.empty()
    st.session_state["_segmentation_measured"] = max(count, st.session_state.get("_segmentation_measured", 0))
    return whole


def tables(confusion: np.ndarray, network) -> None:
    """The section, while no hand is on a knob: a nested fragment, so that its own controls run nothing else."""
    if not following():
        _tables(confusion, network)


@st.fragment
@page.guard()
def _tables(confusion: np.ndarray, network) -> None:
    page.section(
        "How good is it?",
        "Count every pixel by its true and its predicted class. All scores are read off that one table. IoU of a "
        "class: the pixels that are it in truth *and* in the prediction, over those that are it in one of the two.",
    )
    over = st.segmented_control(
        "Count over", list(CHOICES), default="This picture", required=True, key="segmentation_over", bind="query-params"
    )
    if CHOICES[over]:
        if not follows(network):
            page.problem(f"{network.name} is too slow for {over}: choose one of the lab's networks.")
            return
        confusion = measured(network, CHOICES[over])
    iou = segmentation_metrics.class_iou(confusion)
    one = not CHOICES[over]
    mean = segmentation_metrics.scene_mean_iou if one else segmentation_metrics.mean_iou
    counted = np.flatnonzero(confusion.sum(1) if one else confusion.sum(1) + confusion.sum(0))
    st.markdown(
        f"**{over}**: mIoU **{mean(confusion):.3f}**, the mean over {len(counted)} classes, pixel accuracy "
        f"**{segmentation_metrics.pixel_accuracy(confusion):.3f}** over {int(confusion.sum()):,} pixels. "
        + card_line(network)
    )
    strays = segmentation_metrics.stray_pixels(confusion)
    if one and strays.any():
        st.caption(
            f"This picture has {stray_classes.named(CLASSES, strays)}. They are in the table and not in the mean: all "
            "thirteen classes count where many scenes are summed, because then each of them is there."
        )
    lowest = [i for i in counted if iou[i] == min(iou[counted])]
    asked = [CLASSES[i] for i in counted] if len(counted) > 2 and len(lowest) == 1 else []
    here = "of this picture" if one else f"of the {over}"
    with page.predict("segmentation-worst", f"Which class {here} has the lowest IoU?", asked) as prediction:
        per_class(confusion, iou, counted)
        worst = lowest[0]
        prediction.outcome(
            CLASSES[worst], f"Its IoU is {iou[worst]:.3f}, on {int(confusion[worst].sum()):,} true pixels. In the mean "
            "every class counts the same, however few pixels it has; in pixel accuracy it hardly counts.",
        )  # fmt: skip


def per_class(confusion: np.ndarray, iou: np.ndarray, counted: np.ndarray) -> None:
    """The classes in numbers, and beside them what is taken for what."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        true, predicted, hits = confusion.sum(1), confusion.sum(0), np.diag(confusion)
        lines = ["| class | IoU | true | predicted | both |", "| --- | ---: | ---: | ---: | ---: |"]
        told = ["–" if np.isnan(value) else f"{value:.3f}" for value in iou]
        lines += [
            f"| {name} | {told[i]} | {true[i]:,} | {predicted[i]:,} | {hits[i]:,} |" for i, name in enumerate(CLASSES)
        ]
        st.markdown("\n".join(lines))
        worked(confusion, counted)
    with right:
        confusion_figure(confusion)


def card_line(network) -> str:
    metrics = network.card.get("metrics", {})
    if "miou" not in metrics:
        return ""
    return f":gray[Its card says mIoU {metrics['miou']:.3f} on {metrics['scenes']} scenes.]"


def worked(confusion: np.ndarray, counted: np.ndarray) -> None:
    """IoU of the worst class of the mean, with its numbers."""
    iou = segmentation_metrics.class_iou(confusion)
    worst = int(counted[np.argmin(iou[counted])])
    both, true, predicted = int(confusion[worst, worst]), int(confusion[worst].sum()), int(confusion[:, worst].sum())
    st.latex(
        r"\begin{gathered} \text{IoU} = \frac{\text{both}}{\text{true} + \text{predicted} - \text{both}} \\"
        rf"\text{{IoU}}_\text{{{CLASSES[worst]}}} = \frac{{{both}}}{{{true} + {predicted} - {both}}} \\"
        rf"= {iou[worst]:.3f} \end{{gathered}}"
    )


def confusion_figure(confusion: np.ndarray) -> None:
    """Rows: the true classes that are there, each summing to 100 %; columns: those and what else was predicted."""
    there = np.flatnonzero(confusion.sum(1))
    seen = np.flatnonzero(confusion.sum(1) + confusion.sum(0))
    share = confusion[np.ix_(there, seen)] / confusion[there].sum(1, keepdims=True)
    text = [["" if value < 0.005 else f"{100 * value:.0f}" for value in row] for row in share]
    figure = go.Figure(
        go.Heatmap(
            z=share, x=[CLASSES[i] for i in seen], y=[CLASSES[i] for i in there], zmin=0, zmax=1, colorscale="Cividis",
            text=text, texttemplate="%{text}", textfont={"size": 14}, xgap=1, ygap=1, showscale=False,
            hovertemplate="true %{y}, predicted %{x}: %{z:.1%}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "predicted as, % of each true class", "tickangle": -45},
        yaxis={"title": {"text": "true", "standoff": 12}, "autorange": "reversed", "automargin": True},
    )
    page.figure(figure, "segmentation_confusion", height=480,
                alt="Confusion matrix: shares of each true class by predicted class")  # fmt: skip
