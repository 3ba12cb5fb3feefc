"""A sigmoid for each class, or one softmax over all: two heads of one shape, trained alike, in the same regions."""

import streamlit as st
from torch import Tensor

from labs import region_masks as rm
from labs.boxes import overlap
from models import catalog
from pages.mask_rcnn.layers import CLASS_ROW, mosaic, nine
from pages.mask_rcnn.shared import NAMES, ORANGE, SIGMOID, SIZE, SOFTMAX, choose_thing, compared, said_of, truths, xyxy
from pages.shared.heat_maps import greyed
from ui import page
from ui.components import Box, Boxes, Heat, live_slider, stage, words
from ui.pictures import Picture

HEADS = {SIGMOID: "A sigmoid for each class", SOFTMAX: "One softmax over all classes"}


def shipped() -> bool:
    """Whether both networks have been trained."""
    return set(HEADS) <= set(catalog.shipped())


@st.fragment
@page.guard()
def competing(picture: Picture) -> None:
    page.section("Should classes compete?", "Two heads of one shape, trained on the same regions: in one every class "
                 "has a sigmoid of its own, in the other all share a softmax.")  # fmt: skip
    at = choose_thing(picture, "mask_class_thing", most_covered(picture))
    if at is not None:
        side_by_side(picture, at)
    cards = {name: catalog.card(name)["metrics"] for name in HEADS}
    better = max(cards, key=lambda name: cards[name]["mask_ap"])
    scenes = cards[SIGMOID]["scenes"]
    with page.predict("mask-better", f"Which of the two has the higher mask AP over {scenes} held-out scenes?",
                      list(HEADS.values())) as prediction:  # fmt: skip
        st.markdown(table(cards))
        gap = abs(cards[SIGMOID]["mask_ap"] - cards[SOFTMAX]["mask_ap"]) * 100
        prediction.outcome(HEADS[better], f"By {gap:.1f} points here; on photographs He et al. measured 5.5 points for "
                           "the sigmoid (30.3 against 24.8, their table 2b).")  # fmt: skip
    page.remind("AP")
    recipe = catalog.card(SOFTMAX)["recipe"]
    own = catalog.card("detector")["metrics"]["mask_ap"]
    st.caption(
        f"Both stand on the frozen trunk, proposals and boxes of `detector`; their mask heads alone were trained, "
        f"{recipe['steps']} steps of {recipe['batch']} scenes from the same start. The detector's own mask head "
        f"learned together with its trunk, for longer: mask AP {own:.3f}."
    )


def most_covered(picture: Picture) -> int:
    """The thing whose box shares most of its area with things of other classes."""
    boxes, labels, _ = truths(picture)
    if len(boxes) < 2:
        return 0
    others = labels[:, None] != labels[None]
    shared = overlap(boxes[:, None], boxes[None]) * others
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return int((shared.sum(1) / areas).argmax())


def side_by_side(picture: Picture, at: int) -> None:
    """The masks of all classes by both heads in the box of a thing, and the mask that comes of its own class."""
    boxes, labels, masks = truths(picture)
    box, label = boxes[at], int(labels[at])
    with live_slider("Threshold", 0.05, 0.95, 0.5, step=0.01, key="mask_class_threshold", format="%.2f",
                     window=2) as threshold:  # fmt: skip
        for place, (name, title) in zip(st.columns(2, gap="large"), HEADS.items(), strict=True):
            probabilities = chances(said_of(picture.image, (xyxy(box),), name).logits[0], name)
            mask = rm.above(rm.paste(probabilities[label], box, (SIZE, SIZE)), threshold)
            with place:
                words(f"**{title}**: IoU **{rm.mask_iou(mask, masks[at]):.2f}** with the exact mask. A cell's nine "
                      f"probabilities add up to {sums(probabilities)}.", f"mask_sums_{name}")  # fmt: skip
                left, right = st.columns(2, gap="small")
                with left:
                    stage(f"mask_of_{name}", zoom=False, window=2).show(
                        greyed(picture.image), [compared(mask, masks[at]), Boxes([Box("box", xyxy(box), "", ORANGE)])],
                        alt=f"The mask of {NAMES[label]} on the exact one",
                        caption="Blue: both. Orange: missing. Red: too much.",
                    )  # fmt: skip
                with right:
                    nine(f"mask_nine_{name}", Heat(mosaic(probabilities, CLASS_ROW), "cividis", 0, 1, opacity=1.0,
                                                   smooth=False), label, "Probabilities of all classes.")  # fmt: skip


def chances(logits: Tensor, name: str) -> Tensor:
    """Logits (9, 28, 28) to probabilities, as the network of that name takes them."""
    return logits.softmax(0) if name == SOFTMAX else logits.sigmoid()


def sums(probabilities: Tensor) -> str:
    """The range of the sum over the classes, in words."""
    low, high = float(probabilities.sum(0).min()), float(probabilities.sum(0).max())
    return "1 everywhere" if high - low < 1e-3 else f"between {low:.2f} and {high:.2f}"


def table(cards: dict[str, dict]) -> str:
    """Mask AP of both, and by size of the things."""
    lines = ["| mask head | mask AP | AP50 | AP75 | small | medium | large |", "|---|" + "---:|" * 6]
    for name, figures in cards.items():
        by_size = " | ".join(f"{value:.3f}" for value in figures["mask_ap_per_size"].values())
        lines.append(f"| {HEADS[name]} (`{name}`) | {figures['mask_ap']:.3f} | {figures['mask_ap50']:.3f} | "
                     f"{figures['mask_ap75']:.3f} | {by_size} |")  # fmt: skip
    return "\n".join(lines)
