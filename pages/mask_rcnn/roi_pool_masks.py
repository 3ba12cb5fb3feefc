"""Another pooling in front of the mask head alone: same boxes, same head, masks beside masks."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import maskrcnn_inference, paste_masks_in_image

from labs.matching import Detections, judge
from models import catalog
from models.inside import region_heads
from models.inside.pooling_swap import POOLINGS
from models.inside.region_heads import AS_TRAINED, MASKS
from pages.mask_rcnn.heads import ONE_EACH, SURE, colour_of, found_in, painted
from pages.mask_rcnn.shared import NETWORK, regions_of, xyxy
from pages.shared.truths import truths_of
from ui import page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT, Picture

OTHERS = [name for name in POOLINGS if name != AS_TRAINED]
FELL, SAME, ROSE = ANSWERS = ("It falls by 0.02 or more", "It changes by less", "It rises by 0.02 or more")
CHANGE = 0.02


@st.cache_resource(max_entries=96, show_spinner=False)  # shared and only read
def masks_behind(image: np.ndarray, pooling: str) -> Tensor:
    """Bool (D, 224, 224): the masks of the sure detections, with this pooling before the mask head."""
    found = found_in(image)
    kept = found.scores >= SURE
    boxes, labels = found.boxes[kept], found.labels[kept]
    if not len(boxes):
        return torch.zeros(0, *image.shape[:2], dtype=torch.bool)
    logits = region_heads.logits(catalog.load(NETWORK), regions_of(image), MASKS, boxes, pooling)
    (probabilities,) = maskrcnn_inference(logits, [labels])
    return paste_masks_in_image(probabilities, boxes, image.shape[:2])[:, 0] >= 0.5


def overlaps(picture: Picture, masks: Tensor) -> np.ndarray:
    """The mask IoU of every detection that is a thing of the scene with that thing."""
    found = found_in(picture.image)
    kept = (found.scores >= SURE).numpy()
    judged = judge(
        Detections(found.boxes.numpy()[kept], found.labels.numpy()[kept], found.scores.numpy()[kept]),
        truths_of(picture.view),
    )
    values = []
    for mask, verdict in zip(masks.numpy(), judged.verdicts, strict=True):
        if verdict.kind == "true":
            true = picture.view.instances[verdict.truth].mask
            values.append((mask & true).sum() / (mask | true).sum())
    return np.array(values)


@st.fragment
@page.guard()
def pooled(picture: Picture) -> None:
    page.section(
        "RoI Pool in front of the masks",
        "The boxes stay, and the head was trained behind RoI Align: only the pooling before it is another now.",
    )
    name = st.selectbox("Pooling", OTHERS, OTHERS.index("RoI Pool"), key="mask_pooling", width=230, **KEPT)
    masks = {each: masks_behind(picture.image, each) for each in (AS_TRAINED, name)}
    fits = {each: overlaps(picture, values) if picture.view else np.zeros(0) for each, values in masks.items()}
    known = len(fits[name]) > 0
    means = {each: float(values.mean()) if known else float("nan") for each, values in fits.items()}
    change = means[name] - means[AS_TRAINED]
    with page.predict(
        "mask-pooling", f"{name} in place of {AS_TRAINED}: what does the mean IoU of the masks here do?",
        ANSWERS if known else [],
    ) as prediction:  # fmt: skip
        for place, each in zip(st.columns(2, gap="medium"), masks, strict=True):
            with place:
                said = f"**{each}**" + (" · as trained" if each == AS_TRAINED else "")
                st.markdown(said + (f" · mean mask IoU **{means[each]:.3f}**" if known else ""))
                stage(f"masks_behind_{'trained' if each == AS_TRAINED else 'other'}", zoom=False).show(
                    picture.image, layers(picture.image, masks[each]), alt=f"Masks behind {each}"
                )  # fmt: skip
        answer = FELL if change <= -CHANGE else ROSE if change >= CHANGE else SAME
        prediction.outcome(
            answer if known else None,
            f"From {means[AS_TRAINED]:.3f} to {means[name]:.3f}, over {len(fits[name])} detections that are right."
            if known else "",
        )  # fmt: skip
    st.caption(
        "Swapped after training, so this shows what the head relies on. He et al. 2017 trained behind each of both: "
        "RoI Align gained about 3 points of mask AP at stride 16 and 7 at stride 32 (table 2, c and d)."
    )
    page.remind("RoI Pool")


def layers(image: np.ndarray, masks: Tensor) -> list:
    """The masks, one colour each, and their boxes."""
    boxes = [
        Box(f"box-{i}", xyxy(found_in(image).boxes[i]), "", ONE_EACH[colour_of(i)] or "", width=1.5)
        for i in reversed(range(len(masks)))
    ]
    return [painted(masks.numpy()), Boxes(boxes)]
