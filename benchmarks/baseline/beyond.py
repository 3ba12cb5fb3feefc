"""The figures of the baseline for sentences, solids and films: the lab's numbers, drawn by Plotly."""

from __future__ import annotations

import functools

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from benchmarks.baseline.figures import BLUE, ORANGE, Chart, add_boxes, picture
from labs import tracking, tracking_metrics
from labs.matching import Detections
from models import catalog
from pages.dense_captioning import shared as captions_shared
from pages.mesh_rcnn import predicted
from pages.mesh_rcnn import shared as solids_shared
from pages.video import scores, shared
from ui import pictures

LOOK = 60  # the frame whose pairs are shown


def words_said(count: int) -> go.Figure:
    scene = pictures.from_lab_world(captions_shared.SEED)
    box = torch.tensor(captions_shared.start_box(scene).xyxy)
    asked, caption = captions_shared.ask(scene, box), captions_shared.plain(scene, box)
    names, p = captions_shared.likely(asked.next_words(caption.words[: min(count, len(caption.words) - 1)]))
    figure = make_subplots(1, 2, specs=[[{"type": "image"}, {"type": "bar"}]])
    figure.add_trace(go.Image(z=scene.image), row=1, col=1)
    figure.add_bar(x=names, y=p, row=1, col=2)
    add_boxes(figure, [box.tolist()], ORANGE)
    return figure


def solid_layer(layer: int) -> go.Figure:
    shapes = predicted.looked(pictures.from_lab_world(solids_shared.SEED).image)[1]
    return go.Figure(go.Heatmap(z=shapes.voxels[0][layer - 1].numpy()[::-1], colorscale="Cividis"))


@functools.cache
def found() -> list[Detections]:
    """What the page's detector finds in the page's film, at every frame that it looks at."""
    network, choice = catalog.load(shared.NETWORK), shared.Choice()
    every = []
    for index in range(len(choice.film)):
        if index % shared.EVERY == 0:
            said = network(choice.frame(index))
            every.append(Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy()))
        else:
            every.append(every[-1])
    return every


@functools.cache
def before() -> tracking.Tracks:
    """The tracks that are alive before LOOK."""
    alive, settings = tracking.nobody(), tracking.Settings()
    for index, each in enumerate(found()[:LOOK]):
        looked = index % shared.EVERY == 0
        alive = tracking.step(alive, each, settings).after if looked else tracking.between(alive, settings)
    return alive


def assignment(shift: float) -> go.Figure:
    here = found()[LOOK].subset(found()[LOOK].scores >= 0.5)
    places = here.boxes.astype(float)
    places[-1:] += [shift, 0.0, shift, 0.0]
    now = tracking.step(before(), Detections(places, here.labels, here.scores), tracking.Settings())
    figure = make_subplots(1, 2, specs=[[{"type": "image"}, {"type": "heatmap"}]])
    figure.add_trace(go.Image(z=shared.Choice().frame(LOOK)), row=1, col=1)
    figure.add_heatmap(z=now.costs, texttemplate="%{z:.2f}", showscale=False, colorscale="Cividis", row=1, col=2)
    add_boxes(figure, now.before.boxes, BLUE)
    add_boxes(figure, places, ORANGE)
    return figure


def tracker(least_score: float) -> go.Figure:
    choice, settings = shared.Choice(), tracking.Settings(least_score=least_score)
    frames = scores.compared(choice, tracking.track(found(), settings, shared.EVERY))
    figures = [rule(frames).value for rule in (tracking_metrics.mota, tracking_metrics.idf1, tracking_metrics.hota)]
    title = ", ".join("-" if each is None else f"{each:.3f}" for each in figures)
    return picture(np.asarray(choice.frame(0))).update_layout(title=title)


CHARTS = {
    "words_said": Chart("Words said", 0, 30, 2, 1, words_said),
    "solid_layer": Chart("Layer", 1, 24, 12, 1, solid_layer),
    "assignment": Chart("Shift", -60.0, 60.0, 0.0, 1.0, assignment),
    "tracker": Chart("Score of a detection", 0.1, 0.95, 0.5, 0.05, tracker),
}
