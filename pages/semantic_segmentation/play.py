"""A scene, three knobs, and what the network makes of it while they are turned."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import segmentation_metrics
from pages.semantic_segmentation import cross_entropy, score_maps, scores
from pages.semantic_segmentation.shared import (
    BLUE,
    ORANGE,
    TRAINING,
    Look,
    confusion_of,
    follows,
    legend,
    look,
    mistakes,
    palette_of,
    rendered,
)  # fmt: skip
from pages.shared.weather import disturbed, weather
from scenes import CLASSES
from ui import figures, outside_lab_world, page, stray_classes
from ui.components import Labels, following, live_slider, resting, stage, words
from ui.pictures import Picture

KNOBS = {"fog": "More fog", "night": "Less light", "noise": "More noise"}
START = {"fog": 0.5, "night": 0.0, "noise": 0.0}
STOPS = 11
WHOLE, LEFT = "_segmentation_whole_run", "_segmentation_knobs_left"
UNKNOWN = (
    "Nobody has labelled the pixels of this picture, so there is no score and no loss: choose Lab World above, or "
    "paint a truth below."
)
FOR_PHOTOGRAPHS = "For photographs, choose another *Model* above."
LEARNED = (
    "The lab's networks learned from scenes by day, dusk and night, with fog up to 0.5 and noise up to 0.12. So night "
    "costs little, fog wears the score down, and noise breaks it: over 24 scenes the mIoU of segmenter-bilinear falls "
    "from 0.88 to 0.86 with *less light* 1.0, to 0.64 with *more fog* 1.0, and to 0.31 with *more noise* 0.4."
)
OTHER_CLASSES = (
    "This network was trained on photographs and has other classes than Lab World: there is no score and no loss."
)


def key_of(knob: str) -> str:
    return f"segmentation_more_{knob}"


@st.fragment
@page.guard()
def play(picture: Picture, network) -> None:
    """Knobs, picture, prediction, mistakes, and one pixel's loss in one fragment: what a knob changes, all show."""
    scene = picture.scene is not None
    page.section(
        "Play",
        "One class for every pixel." + (" Turn a knob and watch where the network loses its way." if scene else ""),
    )
    if not scene:
        photograph(picture, network.name, look(network, picture.image))
        return
    with ExitStack() as sliders:
        values, knobs = {}, st.container(key="controls-segmentation", horizontal=True)
        for knob, label in KNOBS.items():
            with knobs.container():
                values[knob] = sliders.enter_context(
                    live_slider(label, 0.0, 1.0, START[knob], step=0.02, key=key_of(knob), format="%.2f",
                                play=knob == "fog")
                )  # fmt: skip
        tell_the_training(values)
        image = rendered(disturbed(picture.scene, **values), picture.image.shape[0])
        if following() and not follows(network):  # it answers when the hand lets go
            stage("segmentation_picture", zoom=False).show(image, alt="The scene")
            return
        seen, truth = look(network, image), picture.view.semantic
        if not seen.of_lab_world:
            photograph(replace(picture, image=image), network.name, seen, OTHER_CLASSES)
            return
        confusion = confusion_of(truth, seen.labels)
        panels(image, truth, seen, confusion)
        if not following():
            st.caption(stray_classes.DEFINITION)
            st.html(legend(CLASSES, np.concatenate([truth, seen.labels])))
        weather(picture.scene, disturbed(picture.scene, **values), "segmentation_weather")
        over_a_knob(picture, network, values)
        if not following():
            page.footer(network.name, seen.device, seen.seconds * 1000)
        worst = largest_loss(network.name, id(network), network, picture.image, truth)  # before any knob: it stays put
        cross_entropy.opened(image, truth, seen, worst)
        if not following():
            score_maps.maps(seen, truth)
    scores.tables(confusion, network)


def tell_the_training(values: dict[str, float]) -> None:
    """Draw the whole page again when a hand has left the knobs elsewhere and a training that rests is shown below, for
    that one looks at the scene with its knobs. One that runs is drawn every second anyway."""
    whole, before = st.session_state.pop(WHOLE, False), st.session_state.get(LEFT)
    if not resting(*map(key_of, KNOBS)):
        return
    st.session_state[LEFT], training = dict(values), st.session_state.get(TRAINING)
    if not whole and values != before and training is not None and not training.running:
        st.rerun()


def photograph(picture: Picture, name: str, seen: Look, why: str = UNKNOWN) -> None:
    """Picture and prediction alone."""
    if seen.of_lab_world:
        outside_lab_world.warn(picture, [name], FOR_PHOTOGRAPHS)
    left, right = st.columns(2)
    with left:
        stage("segmentation_picture", zoom=False).show(picture.image, alt=picture.name, caption="Picture")
    with right:
        stage("segmentation_prediction", zoom=False).show(
            picture.image, [Labels(seen.labels, palette_of(seen.classes), 0.75)],
            alt="The class that the network gives each pixel", caption="What the network sees",
        )  # fmt: skip
    if following():
        return
    st.html(legend(seen.classes, seen.labels))
    st.info(why, icon=":material/info:")
    page.footer(name, seen.device, seen.seconds * 1000)


def panels(image: np.ndarray, truth: np.ndarray, seen: Look, confusion: np.ndarray) -> None:
    """The three pictures and the two scores. A click on one of them chooses the pixel that is opened below."""
    views = {
        "picture": ([], image, "The scene", "Picture"),
        "prediction": ([Labels(seen.labels, palette_of(CLASSES), 1.0)], None, "The class given to each pixel",
                       "What the network sees"),
        "mistakes": ([mistakes(truth, seen.labels)], None, "The truth, with wrong pixels in orange",
                     "The truth, and in orange the wrong pixels"),
    }  # fmt: skip
    with st.container(key="abreast-segmentation"):
        columns = st.columns(3)
    for (name, (layers, ground, alt, caption)), column in zip(views.items(), columns, strict=True):
        with column:
            view = stage(f"segmentation_{name}", zoom=False)
            cross_entropy.take_click(view)
            view.show(ground, layers, size=truth.shape[::-1], alt=alt, caption=caption,
                      pick=cross_entropy.PIXELS)  # fmt: skip
    words(
        f"mIoU **{segmentation_metrics.scene_mean_iou(confusion):.3f}** · pixel accuracy "
        f"**{segmentation_metrics.pixel_accuracy(confusion):.3f}** · wrong pixels "
        f"**{int((truth != seen.labels).sum()):,}** of {truth.size:,} · "
        + stray_classes.named(CLASSES, segmentation_metrics.stray_pixels(confusion)),
        "segmentation_score",
    )


@st.cache_data(max_entries=256, show_spinner=False)
def largest_loss(name: str, identity: int, _network, image: np.ndarray, _truth: np.ndarray) -> tuple[int, int]:
    """Column and row of the pixel of this picture that costs most."""
    losses = cross_entropy.losses_of(look(_network, image), _truth)
    row, column = np.unravel_index(int(losses.argmax()), losses.shape)
    return int(column), int(row)


@st.cache_data(max_entries=128, show_spinner=False)
def curve(name: str, identity: int, _network, image: np.ndarray, _scene, _truth: np.ndarray, knob: str,
          others: tuple) -> np.ndarray:  # fmt: skip
    """(2, STOPS): mIoU and pixel accuracy as one knob goes from 0 to 1 and the others stay; `image` names the scene."""
    found = []
    for value in np.linspace(0, 1, STOPS):
        image = rendered(disturbed(_scene, **dict(others), **{knob: float(value)}), _truth.shape[0])
        confusion = confusion_of(_truth, look(_network, image).labels)
        found.append((segmentation_metrics.scene_mean_iou(confusion), segmentation_metrics.pixel_accuracy(confusion)))
    return np.array(found).T


def over_a_knob(picture: Picture, network, values: dict[str, float]) -> None:
    """The scores of this scene over one knob. During a drag it is drawn only when nothing has to be computed."""
    knob = st.segmented_control(
        "Over the whole range of", list(KNOBS), default="fog", required=True, key="segmentation_curve",
        bind="query-params", format_func=lambda name: KNOBS[name].lower(),
    )  # fmt: skip
    others = tuple((name, value) for name, value in values.items() if name != knob)
    drawn = (network.name, id(network), picture.name, picture.scene, knob, others)
    if following() and st.session_state.get("_segmentation_curve") != drawn:
        return
    if not follows(network):
        st.caption(f"{network.name} is too slow to be run {STOPS} times for a curve over this knob.")
        return
    both = curve(network.name, id(network), network, picture.image, picture.scene, picture.view.semantic, knob,
                 others)  # fmt: skip
    st.session_state["_segmentation_curve"] = drawn
    figure, stops = go.Figure(), np.linspace(0, 1, STOPS)
    for name, line, colour, dash in (("mIoU", both[0], BLUE, "solid"), ("pixel accuracy", both[1], ORANGE, "dash")):
        figure.add_scatter(x=stops, y=line, name=name, mode="lines+markers", line={"color": colour, "dash": dash},
                           hovertemplate=f"{name} %{{y:.3f}} at %{{x:.1f}}")  # fmt: skip
    figures.across(figure, x=values[knob], text="now", at="bottom right")
    figure.update_layout(
        xaxis={"title": KNOBS[knob].lower(), "range": [-0.02, 1.02]}, yaxis={"title": "score", "range": [0, 1.02]}
    )
    page.figure(figure, "segmentation_curve_figure", height=260,
                alt=f"mIoU and pixel accuracy of this scene over {KNOBS[knob].lower()}")  # fmt: skip
    if not following():
        st.caption(LEARNED)
