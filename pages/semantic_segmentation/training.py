"""Train it here: a tiny segmenter learns from scratch, on the visitor's own settings, while the page looks on."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import scenes
from labs import segmentation_metrics
from labs.pixel_cross_entropy import uniform_loss
from models.recipes.scene_cache import held_out_seeds
from models.recipes.tiny_segmenter import AT_ONCE, Progress, Settings, Training
from pages.semantic_segmentation.play import START, key_of
from pages.semantic_segmentation.shared import BLUE, ORANGE, PALETTE, TRAINING, confusion_of, mistakes
from pages.shared.weather import disturbed
from scenes import CLASSES, THINGS, Knobs
from ui import figures, page, pictures
from ui.components import Labels, stage, words
from ui.pictures import Picture

REFRESH = 1.0  # seconds between two looks
STEPS = (200, 400, 800)
SAID = {
    "new": "Nothing learned yet: the weights are random.",
    "waiting": f"{AT_ONCE} trainings are running on this machine already: yours begins when one of them ends.",
    "training": "Learning.",
    "stopped": "Stopped. *Start* goes on from here.",
    "done": "All steps are done.",
    "failed": "The training broke off; the server log says why. *Reset* begins anew.",
}


@st.fragment
@page.guard()
def train_here(picture: Picture) -> None:
    page.section(
        "Train it here",
        "A network of some 80,000 weights learns from scratch, by the loss above, on scenes with your settings.",
    )
    training: Training | None = st.session_state.get(TRAINING)
    settings = controls(disabled=training is not None)
    with st.container(horizontal=True):
        over = training is not None and training.progress().state in ("done", "failed")
        running = training is not None and training.running
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="segmentation_start",
                     disabled=running or over):  # fmt: skip
            if training is None:
                training = st.session_state[TRAINING] = Training(settings)
            training.start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="segmentation_stop", disabled=not running):
            training.stop(wait=5.0)
            st.rerun()
        if st.button("Reset", icon=":material/restart_alt:", key="segmentation_reset", disabled=training is None):
            training.stop(wait=5.0)
            del st.session_state[TRAINING]
            st.rerun()
    if training is None:
        st.caption(
            f"Half a minute on a free core. At most {AT_ONCE} such trainings run at once on this machine, and one that "
            "nobody watches stops. Train on clear days with fog in the scene at the top: what was never seen is not "
            "known."
        )
        return
    if running:
        _watch(picture)
    else:
        draw(training, picture)


def controls(disabled: bool) -> Settings:
    """What to learn; fixed once a training has begun."""
    kept = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        knobs = {}
        for knob, levels in pictures.LEVELS.items():
            level = st.segmented_control(
                f"Training {knob}", [pictures.AS_DRAWN, *levels], default="Day" if knob == "light" else "None",
                required=True, key=f"segmentation_train_{knob}", disabled=disabled, **kept,
            )  # fmt: skip
            knobs[knob] = levels.get(level)
        steps = st.segmented_control("Steps", STEPS, default=400, required=True, key="segmentation_train_steps",
                                     disabled=disabled, **kept)  # fmt: skip
    chosen = st.pills("Things in the scenes", THINGS, selection_mode="multi", default=list(THINGS),
                      key="segmentation_train_classes", disabled=disabled, **kept)  # fmt: skip
    classes = tuple(name for name in THINGS if name in chosen)
    return Settings(Knobs(classes=classes, objects=(2, 5) if classes else 0, **knobs), steps=steps)


def watched(settings: Settings, picture: Picture) -> dict[str, scenes.View]:
    """What a training is looked at on: an unseen scene of its own settings, and the picture at the top as it is now."""
    views = {"an unseen scene with your settings": small(scenes.sample(held_out_seeds(1)[0], settings.knobs),
                                                         settings.size)}  # fmt: skip
    if picture.scene is not None:
        turned = {knob: st.session_state.get(key_of(knob), START[knob]) for knob in START}
        views["the scene at the top, with its knobs"] = small(disturbed(picture.scene, **turned), settings.size)
    return views


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def small(scene: scenes.Scene, size: int) -> scenes.View:
    """The scene with its truth, at the size that the tiny network sees."""
    return scenes.render(scene, size)


@st.fragment(run_every=REFRESH)
@page.guard()
def _watch(picture: Picture) -> None:
    """Only this fragment is rerun while the network learns; when it ends, the page."""
    training: Training | None = st.session_state.get(TRAINING)
    if training is None or not training.running:
        st.rerun()
    draw(training, picture)


def draw(training: Training, picture: Picture) -> None:
    """How far it is, the curves, and what the network sees in the scene and the knobs of this moment."""
    settings = training.settings
    views = watched(settings, picture)
    training.watch([view.image for view in views.values()])
    now = training.progress()
    loss = f" · loss **{np.mean(now.losses[-10:]):.3f}**" if now.losses else ""
    score = f" · mIoU on six unseen scenes **{now.scores[-1][1]:.3f}**" if now.scores else ""
    speed = f" · {now.steps_per_second:.0f} steps/s" if now.steps_per_second else ""
    words(f"{SAID[now.state]} Step **{now.step}** of {settings.steps}{loss}{score}{speed}", "segmentation_progress")
    left, right = st.columns(2, gap="large")
    with left:
        curves(now, settings.steps)
    with right:
        for index, (name, view) in enumerate(views.items()):
            rows(index, name, view, None if now.labels is None else now.labels[index])


def curves(now: Progress, steps: int) -> None:
    """Loss of every step, and the mIoU on the held-out scenes on an axis of its own."""
    figure = go.Figure()
    at = list(range(1, len(now.losses) + 1))
    figure.add_scatter(x=at, y=now.losses, name="loss", mode="lines", line={"color": BLUE, "width": 1.5})
    figure.add_scatter(
        x=[step for step, _ in now.scores], y=[value for _, value in now.scores], name="mIoU, unseen scenes",
        mode="lines+markers", line={"color": ORANGE, "dash": "dash"}, yaxis="y2",
    )  # fmt: skip
    guess = uniform_loss(len(CLASSES))
    figures.across(figure, y=guess, text="log 13: a blind guess")
    figure.update_layout(
        xaxis={"title": "step", "range": [0, steps]},
        yaxis={"title": "loss, nats", "range": [0, max([guess, *now.losses]) * 1.1]},
        yaxis2={"title": "mIoU", "overlaying": "y", "side": "right", "range": [0, 1], "dtick": 0.2, "showgrid": False},
    )
    page.figure(figure, "segmentation_learning", height=340, alt="Loss and mIoU over the steps of the training")


def rows(index: int, name: str, view: scenes.View, labels: np.ndarray | None) -> None:
    """One watched picture: as it is, and as the network sees it now, with its mistakes."""
    if labels is None:
        words(f"Picture: {name}", f"segmentation_watched_{index}")
    else:
        score = segmentation_metrics.scene_mean_iou(confusion_of(view.semantic, labels))
        words(f"Now on {name}: mIoU **{score:.2f}**", f"segmentation_watched_{index}")
    picture, found, wrong = st.columns(3, gap="small")
    shape = view.semantic.shape[::-1]
    with picture:
        stage(f"segmentation_learner_{index}", zoom=False).show(view.image, alt=f"Picture: {name}")
    with found:
        stage(f"segmentation_learner_sees_{index}", zoom=False).show(
            None, [] if labels is None else [Labels(labels, PALETTE, 1.0)], size=shape,
            alt="The class that the learning network gives each pixel",
        )  # fmt: skip
    with wrong:
        stage(f"segmentation_learner_errs_{index}", zoom=False).show(
            None, [] if labels is None else [mistakes(view.semantic, labels)], size=shape,
            alt="The truth, with wrong pixels in orange",
        )  # fmt: skip
