"""The figures of the baseline for masks and panoptic maps: the lab's numbers, drawn by Plotly."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from benchmarks.baseline.figures import BLUE, ORANGE, Chart, add_boxes
from labs import region_masks
from pages.mask_rcnn import shared as masks_shared
from pages.panoptic import shared as panoptic_shared
from ui import pictures


def mask_threshold(threshold: float) -> go.Figure:
    scene = pictures.from_lab_world(masks_shared.SEED)
    boxes, labels, masks = masks_shared.truths(scene)
    largest = int(masks.flatten(1).sum(1).argmax())
    box = boxes[largest]
    cells = masks_shared.said_of(scene.image, (masks_shared.xyxy(box),)).logits[0, int(labels[largest])].sigmoid()
    pasted = region_masks.paste(cells, box, (masks_shared.SIZE, masks_shared.SIZE))
    mask = region_masks.above(pasted, threshold)
    painted = np.where(mask.numpy()[..., None], np.uint8([230, 159, 0]), scene.image)
    against = torch.stack([mask, masks[largest], mask & masks[largest]], -1).numpy().astype(np.uint8) * 255
    figure = make_subplots(1, 3, specs=[[{"type": "image"}, {"type": "heatmap"}, {"type": "image"}]])
    figure.add_trace(go.Image(z=painted), row=1, col=1)
    figure.add_heatmap(z=cells.numpy()[::-1], colorscale="Cividis", row=1, col=2)
    figure.add_trace(go.Image(z=against), row=1, col=3)
    add_boxes(figure, [box.tolist()], ORANGE)
    return figure


def least_score(score: float) -> go.Figure:
    scene = pictures.from_lab_world(panoptic_shared.SEED)
    found = panoptic_shared.seen(scene.image, panoptic_shared.ONE)
    at = panoptic_shared.Thresholds(least_score=score)
    masks = panoptic_shared.masks_of(found, at.mask)
    result = panoptic_shared.merged(found, masks, at)
    figure = make_subplots(1, 3, specs=[[{"type": "heatmap"}, {"type": "image"}, {"type": "heatmap"}]])
    figure.add_heatmap(z=found.semantic[::-1], showscale=False, row=1, col=1)
    figure.add_trace(go.Image(z=scene.image), row=1, col=2)
    figure.add_heatmap(z=result.segments[::-1], showscale=False, row=1, col=3)
    add_boxes(figure, found.boxes[found.scores >= score], BLUE)
    return figure


CHARTS = {
    "mask_threshold": Chart("Threshold", 0.0, 1.0, 0.5, 0.01, mask_threshold),
    "panoptic": Chart("Least score", 0.05, 0.95, 0.5, 0.05, least_score),
}
