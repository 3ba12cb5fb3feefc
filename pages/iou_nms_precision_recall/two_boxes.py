"""Two boxes to drag: intersection, union, IoU and its word, its three descendants, and the transform between them."""

import streamlit as st
import torch
from torch import Tensor

from labs import boxes as geometry
from labs.boxes import BELOW_WORDS, WORDS, PixelConvention
from pages.iou_nms_precision_recall.shared import BLUE, GRAY, GREEN, ORANGE, PURPLE, xyxy
from ui import page, pictures, rounding
from ui.components import Box, Boxes, Lines, address, following, resting, stage, words

SCENE = 32
SIDE = 224  # of the picture, in pixels
FIRST = "Decent"  # of STARTS, at a fresh visit
LINK = "iou_boxes"  # in the address: x1, y1, x2, y2 of the truth, then of the prediction
MEASURES = {"IoU": geometry.iou, "GIoU": geometry.giou, "DIoU": geometry.diou, "CIoU": geometry.ciou}
CONVENTIONS = {"continuous": PixelConvention.CONTINUOUS, "VOC devkit (+1)": PixelConvention.INCLUSIVE}
# What the measure adds to the picture, for its caption.
LEGENDS = {
    "IoU": "",
    "GIoU": " Dashed gray: the smallest box around both.",
    "DIoU": " Purple: between the centres; gray: the diagonal of the smallest box around both.",
    "CIoU": " Purple: between the centres; gray: the diagonal around both. Blue and orange: the diagonals of the two "
    "boxes, whose angles are compared.",
}
# Shift of the prediction in sizes of the truth, and its size in sizes of the truth.
STARTS = {
    "Decent": ((0.13, 0.13), 1.0),
    "Pretty good": ((0.06, 0.06), 1.0),
    "Almost perfect": ((0.02, 0.02), 1.0),
    "Half the size": ((0.0, 0.0), 0.5),
    "Apart": ((1.15, 0.0), 1.0),
}


def start_boxes(name: str) -> list[Box]:
    """The truth of the largest thing in the scene, and a prediction of it, shifted towards the picture's middle."""
    things = pictures.from_lab_world(SCENE).view.instances
    truth = torch.from_numpy(max(things, key=lambda each: each.mask.sum()).box).double()
    (dx, dy), size = STARTS[name]
    centre = geometry.centre_form(truth)
    inwards = torch.where(centre[:2] < SIDE / 2, 1.0, -1.0)
    moved = torch.cat([centre[:2] + inwards * torch.tensor([dx, dy]) * centre[2:], centre[2:] * size])
    box = geometry.corner_form(moved)
    over = (box[2:] - SIDE).clamp(min=0).repeat(2)  # its handles lie inside, where a hand can catch them
    return pair(xyxy(truth), xyxy(box - over))


def pair(truth: tuple[float, ...], prediction: tuple[float, ...]) -> list[Box]:
    """The two boxes to drag, to a tenth of a pixel, which is as fine as a hand can set them."""
    looks = (("truth", truth, BLUE), ("prediction", prediction, ORANGE))
    return [Box(name, tuple(round(at, 1) for at in place), name, colour, editable=True, width=3)
            for name, place, colour in looks]  # fmt: skip


def go_to(start: str) -> None:
    st.session_state["iou_stage"] = start_boxes(start)


def linked_start() -> str:
    """The start that a link names. The boxes stand in the address from then on."""
    name = address.linked("iou_start")
    if name is not None:
        address.keep("iou_start", None)
    return name if name in STARTS else FIRST


def linked_boxes() -> list[Box] | None:
    """The boxes that the address names, if any; None, and a sentence on the page, if what it says are no two boxes."""
    if address.linked(LINK) is None:
        return None
    try:
        places = [min(max(at, 0.0), float(SIDE)) for at in address.numbers(LINK, 8) or ()]
        ordered = bool(places) and all(places[i] <= places[i + 2] for i in (0, 1, 4, 5))
    except ValueError:
        ordered = False
    if ordered:
        return pair(tuple(places[:4]), tuple(places[4:]))
    page.problem(f"The link's {LINK} are not two boxes, eight numbers from 0 to {SIDE}: drag the boxes instead.")
    return None


def mirror(boxes: list[Box]) -> None:
    """Once the hand rests, the boxes stand in the address, unless they are those of a fresh visit."""
    text = ",".join(f"{at:g}" for box in boxes for at in box.xyxy)
    address.keep(LINK, None if boxes == start_boxes(FIRST) else text)


def starts(boxes: list[Box]) -> None:
    """A button for each start. The one where the boxes are is marked, and none once a hand has moved them."""
    with st.container(horizontal=True, gap="xsmall", key="iou-starts"):
        for name in STARTS:
            here = not following() and boxes == start_boxes(name)
            look = "primary" if here else "secondary"
            st.button(name, key=f"iou_start_{name}", type=look, on_click=go_to, args=(name,))


@st.fragment
@page.guard()
def two_boxes() -> None:
    page.section("Play", "Drag the boxes and their handles. How much do they share, out of all that they cover?")
    with st.container(key="beside-iou"):
        canvas, side = st.columns([3, 2], gap="large")
    with side:
        buttons, figures = st.container(), st.container()
        name = st.segmented_control(
            "Measure", list(MEASURES), default="IoU", required=True, key="iou_measure", bind="query-params"
        )
        pixels = st.segmented_control(
            "Pixels", list(CONVENTIONS), default="continuous", required=True, key="iou_pixels", bind="query-params",
            help="Does a box from 0 to 9 measure 9 pixels (continuous places) or 10 (both ends are pixels inside)?",
        )  # fmt: skip
    with canvas:
        if "iou_stage" not in st.session_state:
            st.session_state["iou_stage"] = linked_boxes() or start_boxes(linked_start())
        view = stage("iou_stage", start_boxes(FIRST), window=2, width=480)
        if resting("iou_stage") and not following():
            mirror(view.boxes)
        with buttons:
            starts(view.boxes)
        truth, guess = (torch.tensor(box.xyxy, dtype=torch.float64) for box in view.boxes)
        with figures:
            numbers(truth, guess, CONVENTIONS[pixels], name)
        view.show(
            pictures.from_lab_world(SCENE).image,
            layers(view.boxes, truth, guess, name),
            alt="A scene with a true box and a predicted box that can be dragged",
            caption=f"Green: the intersection.{LEGENDS[name]} Arrow keys move the chosen box, Alt + arrows resize it.",
        )
    if following():  # what lies below the picture waits until the hand lets go
        return
    doubled(truth, guess)
    page.section("Look inside", "The arithmetic of these two boxes, and the correction that a box head learns.")
    left, right = st.columns(2, gap="large")
    with left:
        arithmetic(truth, guess, CONVENTIONS[pixels])
        measures(truth, guess)
    with right:
        transform(truth, guess)


def layers(editable: list[Box], truth: Tensor, guess: Tensor, measure: str) -> list:
    drawn = []
    common = geometry.intersection_box(truth, guess)
    if bool((common[2:] > common[:2]).all()):
        drawn.append(Box("common", xyxy(common), colour=GREEN, fill=0.45, width=1, note="intersection"))
    if measure != "IoU":
        hull = geometry.enclosing_box(truth, guess)
        drawn.append(Box("hull", xyxy(hull), "enclosing box", GRAY, dash=True, note="smallest box around both"))
    result = [Boxes([*drawn, *editable])]
    if measure in ("DIoU", "CIoU"):
        centres = torch.cat([geometry.centre_form(truth)[:2], geometry.centre_form(guess)[:2]])
        hull = geometry.enclosing_box(truth, guess)
        result.append(Lines(torch.stack([hull, centres]).numpy(), colours=[GRAY, PURPLE], width=3))
    if measure == "CIoU":  # its aspect term compares atan(w / h), the angles of the boxes' diagonals
        result.append(Lines(torch.stack([truth, guess]).numpy(), colours=[BLUE, ORANGE], width=2))
    return result


def numbers(truth: Tensor, guess: Tensor, convention: PixelConvention, measure: str) -> None:
    common, union = geometry.overlap(truth, guess, convention)
    value = float(geometry.iou(truth, guess, convention))
    scale = [f":green-badge[{text} ≥ {bound:g}]" if geometry.word(value) == text else f":gray[{text} ≥ {bound:g}]"
             for bound, text in reversed(WORDS)]  # fmt: skip
    with st.container(key="iou-chosen"):  # large
        chosen = value if measure == "IoU" else float(MEASURES[measure](truth, guess))
        words(f"**{measure} = {beside_words(chosen)}**", "iou_chosen")
    words(
        f"**Intersection over union = {common:,.0f} px² / {union:,.0f} px² = {beside_words(value)}**\n\n"
        f"That is **{geometry.word(value)}**.\n\n{' · '.join(scale)}\n\n"
        ":gray[The lecture writes > 0.5. At exactly 0.5 COCO and VOC count a match, so these words say ≥.]",
        "iou_numbers",
    )


def beside_words(value: float) -> str:
    """Three decimals, more where the word would otherwise belong to another number."""
    return rounding.beside(value, *(bound for bound, _ in WORDS))


def measures(truth: Tensor, guess: Tensor) -> None:
    """IoU and its descendants for these two boxes."""
    values = {name: float(f(truth, guess)) for name, f in MEASURES.items()}
    rows = "".join(f"| {name} | {value:.3f} | {1 - value:.3f} |\n" for name, value in values.items())
    st.markdown(f"| measure | value | loss = 1 − value |\n|---|---|---|\n{rows}")
    st.caption(
        "Apart, IoU is 0 at any distance and gives no gradient. GIoU punishes the empty part of the enclosing box, "
        "DIoU the distance of the centres, CIoU also a different aspect ratio."
    )


def arithmetic(truth: Tensor, guess: Tensor, convention: PixelConvention) -> None:
    extra = convention.value
    plus = " + 1" if extra else ""
    common, union = geometry.overlap(truth, guess, convention)
    box = geometry.intersection_box(truth, guess)
    lines = []
    for axis, (low, high) in {"width": (0, 2), "height": (1, 3)}.items():
        length = max(0.0, float(box[high] - box[low]) + extra)
        lines.append(f"{axis:6} = max(0, {box[high]:.1f} − {box[low]:.1f}{plus}) = {length:.1f}")
    areas = [float(geometry.area(each, convention)) for each in (truth, guess)]
    lines += [
        f"intersection = width · height = {common:.1f}",
        f"union = {areas[0]:.1f} + {areas[1]:.1f} − {common:.1f} = {union:.1f}",
        f"IoU   = {common:.1f} / {union:.1f} = {float(geometry.iou(truth, guess, convention)):.3f}",
    ]
    st.markdown("**Intersection over union**")
    st.code("\n".join(lines), language=None, wrap_lines=True)
    both = [float(geometry.iou(truth, guess, each)) for each in PixelConvention]
    st.caption(
        f"Two conventions, two answers: {both[0]:.4f} with continuous coordinates (COCO, torchvision), {both[1]:.4f} "
        "with VOC's +1, where the corner is the last pixel inside. The smaller the box, the larger the gap."
    )


def transform(truth: Tensor, guess: Tensor) -> None:
    """The four numbers that move the prediction onto the truth, and the way back."""
    st.markdown("**Box transform: from the prediction $p$ to the truth $b$**")
    try:
        t = geometry.encode(truth, guess)
    except ValueError as refused:
        st.caption(str(refused))
        return
    p, b = geometry.centre_form(guess), geometry.centre_form(geometry.decode(t, guess))
    lines = [f"b{axis} = p{axis} + p{size} · t{axis} = {p[i]:.1f} + {p[i + 2]:.1f} · {t[i]:+.3f} = {b[i]:.1f}"
             for i, (axis, size) in enumerate(("xw", "yh"))]  # fmt: skip
    lines += [f"b{axis} = p{axis} · exp(t{axis}) = {p[i]:.1f} · exp({t[i]:+.3f}) = {b[i]:.1f}"
              for i, axis in ((2, "w"), (3, "h"))]  # fmt: skip
    st.code("\n".join(lines), language=None, wrap_lines=True)
    gap = float((geometry.decode(t, guess) - truth).abs().max())
    clipped = "" if gap < 1e-6 else " The scale is cut at 62.5, so this far it does not reach."
    back = "Decoding gives the truth back." if gap < 1e-6 else f"Decoding misses the truth by {gap:.1g} px."
    st.caption(f"x, y: centre; w, h: size. {back}{clipped}")


def doubled(truth: Tensor, guess: Tensor) -> None:
    """The prediction twice as wide and twice as high around its centre: is that still a match?"""
    centre = geometry.centre_form(guess)
    large = geometry.corner_form(torch.cat([centre[:2], centre[2:] * 2]))
    value = float(geometry.iou(truth, large))
    names = [BELOW_WORDS, *(text for _, text in reversed(WORDS))]
    with page.predict(
        "iou-doubled", "The prediction keeps its centre but doubles its width and its height. What is its IoU called?",
        names,
    ) as prediction:  # fmt: skip
        left, right = st.columns([2, 3], gap="large")
        with left:
            common = geometry.intersection_box(truth, large)
            boxes = [Box("doubled-truth", xyxy(truth), "truth", BLUE, width=3),
                     Box("doubled", xyxy(large), "doubled", ORANGE, width=3)]  # fmt: skip
            if bool((common[2:] > common[:2]).all()):
                boxes.append(Box("doubled-common", xyxy(common), colour=GREEN, fill=0.45, width=1))
            stage("iou_doubled", width=300, zoom=False).show(
                pictures.from_lab_world(SCENE).image, [Boxes(boxes)],
                alt=f"The truth and the doubled prediction, IoU {value:.3f}",
            )  # fmt: skip
        with right:
            shared, union = geometry.overlap(truth, large)
            st.markdown(f"**IoU = {shared:,.0f} px² / {union:,.0f} px² = {beside_words(value)}**")
            prediction.outcome(
                geometry.word(value),
                "because four times the area enters the union, and the intersection cannot exceed the truth.",
            )
