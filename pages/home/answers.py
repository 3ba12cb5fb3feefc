"""What each network's result looks like beside the truth. Imported when the networks are: it needs torch."""

import numpy as np
from torch import Tensor

from labs import segmentation_metrics
from labs import weak_localization as wl
from labs.class_activation import class_activation_map
from labs.matching import Detections, Judgement, judge
from models import catalog
from models.inside.attribution import enlarged as enlarged_map
from models.networks.classifier import Classification
from models.networks.detector import Detection
from models.networks.localizer import Localization
from models.networks.segmenter import Segmentation
from models.recipes.coco_metrics import PERSON, Detected
from pages.home.moment import SIZE
from pages.home.pair import (
    CLASS_COLOURS,
    GRAY,
    GREEN,
    INSTANCE_COLOURS,
    NOBODY,
    ORANGE,
    SKY,
    VERMILION,
    WHITE,
    WRONG,
    YELLOW,
    Answer,
    beside,
    enlarged,
    instance_colour,
    instance_map,
    maps,
    skeleton,
    tags,
    window_around,
)
from pages.shared.truths import truths_of
from scenes import CLASSES, THINGS
from scenes.render import View
from ui import stray_classes
from ui.components import Box, Boxes, Heat

SURE = 0.5  # what a classifier says is there, and what a detector's page shows
SHARE = 0.6  # of a map's maximum; Zhou et al.'s 0.2 boxes much more than the small things of Lab World
WEAK = "classifier-gap-28"  # learned names only, and draws a box from its map
CLOSE = 5.0  # pixels within which a joint is right


def answers(
    result: Classification | Localization | Segmentation | Detection | Detected, view: View
) -> dict[str, Answer]:
    """The panels, by the key of their task, that a network's result fills."""
    if isinstance(result, Classification):
        return {"classification": classification(result, view)}
    if isinstance(result, Localization):
        return {"localization": localization(result, catalog.load(WEAK)(view.image), view)}
    if isinstance(result, Segmentation):
        return {"semantic": semantic(result, view)}
    kept = (result.scores >= SURE).numpy()
    found = Detections(result.boxes.numpy()[kept], result.labels.numpy()[kept], result.scores.numpy()[kept])
    judged = judge(found, truths_of(view))
    seen = {"detection": detection(found, judged, view)}
    if result.masks is None or result.keypoints is None:  # boxes are all that this detector says
        return seen
    masks, joints = (result.masks >= 0.5).numpy()[kept], result.keypoints.numpy()[kept, :, :2]
    return seen | {
        "instances": instances(masks, judged, view),
        "keypoints": keypoints(found, joints, judged, view),
    }


def classification(result: Classification, view: View) -> Answer:
    there = {thing.label for thing in view.instances}
    names, colours, absent, right = [], [], [], 0
    for index in result.probabilities.argsort(descending=True).tolist():
        name, probability = THINGS[index], float(result.probabilities[index])
        said, true = probability > SURE, name in there
        right += said == true
        if said or true:
            mark, colour = ("✓", GREEN) if said and true else ("✗", VERMILION) if said else ("○", ORANGE)
            names.append(f"{mark} {name} {probability:.2f}")
            colours.append(colour)
        else:
            absent.append(f"{name} {probability:.2f}")
    truth = sorted(there)
    return Answer(
        beside([tags(names, colours)], [tags(truth, [WHITE] * len(truth))]),
        f"**{right} of {len(THINGS)}** classes right"
        + (f" · :gray[not named and not there: {', '.join(absent)}]" if absent else ""),
        f"The network says {', '.join(names) or 'nothing'}; in the scene: {', '.join(truth) or 'nothing'}",
    )


def localization(result: Localization, weak: Classification, view: View) -> Answer:
    """The box of a network that learned from boxes, and the one drawn from the map of a network that did not."""
    target = int(weak.probabilities.argmax())
    heat = enlarged_map(class_activation_map(weak.features, weak.weights[target]), (SIZE, SIZE))
    box, name = wl.weak_box(heat, SHARE), THINGS[target]
    said = [Box("box", _xyxy(result.box), result.label, ORANGE, width=3)]
    if box is not None:
        said.insert(0, Box("weak", _xyxy(box), name, SKY, dash=True, width=3))
    true = [thing for thing in view.instances if thing.label in (result.label, name)]
    frames = [Box(str(i), _xyxy(each.box), each.label, WHITE, width=3) for i, each in enumerate(true)]
    layers = beside([Boxes(said)], [Boxes(frames)])
    glow, over = heat.clamp(min=0)[::2, ::2].numpy(), (0.0, 0.0, float(SIZE), float(SIZE))
    weakly = f"no cell speaks for {name}" if box is None else fit(box, name, view)
    return Answer(
        [Heat(glow, "inferno", 0, float(glow.max()) or 1.0, opacity=0.55, xyxy=over), *layers],
        f"Learned from boxes: {fit(result.box, result.label, view)} · never shown a box: {weakly}",
        f"The box of the {result.label}, and what spoke for {name} with the box drawn from it, beside the true boxes",
    )


def fit(box: Tensor, name: str, view: View) -> str:
    """How a box fits the true ones of its class."""
    truths = [thing.box for thing in view.instances if thing.label == name]
    if not truths:
        return f"there is no {name} in this scene"
    whose = f"true box of the {name}" if len(truths) == 1 else f"best fitting of {len(truths)} true boxes of {name}"
    return f"**IoU {max(wl.box_overlap(box, true) for true in truths):.2f}** with the {whose}"


def semantic(result: Segmentation, view: View) -> Answer:
    confusion = segmentation_metrics.confusion_matrix(view.semantic, result.labels, len(CLASSES))
    return Answer(
        [maps(result.labels, view.semantic, CLASS_COLOURS, 1.0)],
        f"**mIoU {segmentation_metrics.scene_mean_iou(confusion):.2f}** · pixel accuracy "
        f"{segmentation_metrics.pixel_accuracy(confusion):.1%} · "
        + stray_classes.named(CLASSES, segmentation_metrics.stray_pixels(confusion)),
        "The class of every pixel, by the network and in truth",
        picture=False,
    )


def detection(found: Detections, judged: Judgement, view: View) -> Answer:
    said = [
        Box(str(i), _xyxy(box), THINGS[label - 1], *_look(verdict.kind),
            note=f"{THINGS[label - 1]} {score:.2f}: {verdict.kind}")
        for i, (box, label, score, verdict) in enumerate(
            zip(found.boxes, found.labels, found.scores, judged.verdicts, strict=True)
        )
    ]  # fmt: skip
    true = [
        Box(str(i), _xyxy(thing.box), thing.label, VERMILION, dash=True, note=f"missed: {thing.caption}")
        if i in judged.missed
        else Box(str(i), _xyxy(thing.box), "", GREEN, note=thing.caption)  # its name is on the left
        for i, thing in enumerate(view.instances)
    ]
    kinds = [verdict.kind for verdict in judged.verdicts]
    right = kinds.count("true")
    false = len(kinds) - right - kinds.count("ignored")
    return Answer(
        beside([Boxes(said[::-1])], [Boxes(true)]),  # the surest on top
        f"**{right} of {right + len(judged.missed)}** found · {false} false",
        f"Found: {', '.join(box.note for box in said) or 'nothing'}",
    )


def instances(masks: np.ndarray, judged: Judgement, view: View) -> Answer:
    said = np.full((SIZE, SIZE), NOBODY, np.uint8)
    overlaps = []
    for mask, verdict in reversed(list(zip(masks, judged.verdicts, strict=True))):
        said[mask] = WRONG if verdict.truth is None else instance_colour(verdict.truth)
        if verdict.kind == "true":
            true = view.instances[verdict.truth].mask
            overlaps.append((mask & true).sum() / (mask | true).sum())
    line = f"**mask IoU {np.mean(overlaps):.2f}**, mean of {len(overlaps)} found" if overlaps else "None found"
    return Answer(
        [maps(said, instance_map(view), INSTANCE_COLOURS, 0.75)], line,
        "The mask of every thing, by the network and in truth",
    )  # fmt: skip


def keypoints(found: Detections, joints: np.ndarray, judged: Judgement, view: View) -> Answer:
    """`joints` (D, 14, 2) in pixels, of every detection."""
    said, true, right, total = [], [], 0, 0
    window = window_around([thing.keypoints[:, :2] for thing in view.instances if thing.keypoints is not None])
    owner = {verdict.truth: i for i, verdict in enumerate(judged.verdicts) if verdict.truth is not None}
    for i in np.flatnonzero(found.labels == PERSON):
        if judged.verdicts[i].truth is None:
            said += skeleton(enlarged(joints[i], window), np.ones(len(joints[i]), bool), [VERMILION] * len(joints[i]))
    for index, thing in enumerate(view.instances):
        if thing.keypoints is None:
            continue
        seen, places = thing.keypoints[:, 2] == 2, thing.keypoints[:, :2]
        close = np.zeros(len(seen), bool)
        if index in owner:
            theirs = joints[owner[index]]
            close = np.hypot(*(theirs - places).T) <= CLOSE
            said += skeleton(enlarged(theirs, window), np.ones(len(seen), bool), _marks(close, seen))
        right, total = right + int((close & seen).sum()), total + int(seen.sum())
        true += skeleton(enlarged(places, window), thing.keypoints[:, 2] > 0, _marks(close, seen))
    line = f"**{right} of {total}** visible joints within {CLOSE:g} pixels" if total else "No person in this scene"
    if len([thing for thing in view.instances if thing.keypoints is not None]) > 1:
        line += "; shown: the largest person"
    alt = f"Joints of persons, by the network and in truth, enlarged: {line.replace('**', '')}"
    return Answer(beside(said, true), line, alt, window=window)


def _marks(close: np.ndarray, counted: np.ndarray) -> list[str]:
    """A colour per joint: right, off, or gray where the true one is hidden and does not count."""
    return [(YELLOW if near else VERMILION) if seen else GRAY for near, seen in zip(close, counted, strict=True)]


def _look(kind: str) -> tuple[str, bool]:
    """Colour and dash of a detection."""
    return {"true": (GREEN, False), "ignored": (GRAY, False)}.get(kind, (VERMILION, True))


def _xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)
