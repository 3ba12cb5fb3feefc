"""One thing in the picture: the network's class and box, a box to drag, and what each loss makes of its error."""

import streamlit as st
import torch
from torch import Tensor

from labs import boxes as geometry
from labs import localization
from models import catalog
from pages.localization.shared import BLUE, ORANGE, SIZE, Focus, xyxy
from scenes import THINGS
from ui import page, rounding
from ui.components import Box, Boxes, address, following, resting, stage, words

KEY, LINK = "localization_stage", "localization_box"
OF = "_localization_of"  # in the session: whose box lies on the stage


def play(focus: Focus) -> None:
    """The picture with both boxes; the losses follow the hand."""
    with st.container(key="beside-localization"):
        canvas, side = st.columns([3, 2], gap="large")
    with canvas:
        view = stage(KEY, start(focus), window=2, width=400, zoom=False)
        guess = torch.tensor(view.boxes[0].xyxy)
        if resting(KEY) and not following():
            mirror(guess, focus)
        truth = focus.true_box
        still = [] if truth is None else [Box("truth", xyxy(truth), "truth", BLUE, width=3, note=focus.truth.caption)]
        view.show(
            focus.picture.image, [Boxes([*still, *view.boxes])],
            alt=f"{focus.picture.name} with the network's box" + ("" if truth is None else " and the true one"),
            caption="Drag the orange box, or move it with the arrow keys." + ("" if truth is None else " Blue: truth."),
        )  # fmt: skip
    with side:
        st.button("The network's box", icon=":material/undo:", key="localization_reset", on_click=reset, args=(focus,))
        words(classes(focus), "localization_classes")
        words(table(guess, truth), "localization_numbers")
        if truth is None:
            st.markdown(unknown(focus))
        else:
            words(losses(guess, truth), "localization_losses")
            if focus.things and focus.things > 1:
                st.caption(f"{focus.things} things are in sight, and there is one box: the truth is the largest.")
    if truth is not None:
        words(written_out(guess, truth), "localization_written")
    page.footer(focus.network, catalog.load(focus.network).device, focus.said.seconds * 1000)


def start(focus: Focus) -> list[Box]:
    """The network's box, at first where the address puts it; a new picture or network puts it back."""
    of = (focus.network, focus.picture.name, hash(focus.picture.image.tobytes()))
    before = st.session_state.get(OF)
    if before != of:
        place = linked() if before is None else None
        if before is not None:
            address.keep(LINK, None)
        st.session_state[OF] = of
        st.session_state[KEY] = [drawn(focus.said.box) if place is None else drawn(place)]
    return st.session_state[KEY]


def linked() -> Tensor | None:
    """The box of the address, inside the picture; None if it names none, or what it says is no box."""
    try:
        numbers = address.numbers(LINK, 4)
    except ValueError:
        return None
    if numbers is None or not (numbers[0] <= numbers[2] and numbers[1] <= numbers[3]):
        address.keep(LINK, None)
        return None
    return localization.inside(torch.tensor(numbers), SIZE, SIZE)


def mirror(guess: Tensor, focus: Focus) -> None:
    """Once the hand rests, its box stands in the address."""
    moved = not torch.equal(guess, torch.tensor(drawn(focus.said.box).xyxy))
    address.keep(LINK, ",".join(f"{at:g}" for at in guess.tolist()) if moved else None)


def reset(focus: Focus) -> None:
    st.session_state[KEY] = [drawn(focus.said.box)]
    address.keep(LINK, None)


def drawn(box: Tensor) -> Box:
    """The box to drag, to a tenth of a pixel."""
    x1, y1, x2, y2 = (round(at, 1) for at in box.tolist())
    return Box("guess", (x1, y1, x2, y2), "box", ORANGE, editable=True, width=3)


def classes(focus: Focus) -> str:
    """The most probable classes, and the true one."""
    said = focus.said
    best = said.probabilities.argsort(descending=True)[:3].tolist()
    named = " · ".join(f"{THINGS[i]} {float(said.probabilities[i]):.2f}" for i in best[1:])
    truth = "" if focus.truth is None else f"; true: **{focus.truth.label}**"
    return f"**{said.label} {float(said.probabilities[best[0]]):.2f}**{truth}\n\n:gray[then {named}]"


def table(guess: Tensor, truth: Tensor | None) -> str:
    """The box as four numbers, in pixels and in sides of the picture."""
    lines = []
    for name, box in (("box", guess), ("truth", truth)):
        if box is not None:
            pixels = ", ".join(f"{at:.0f}" for at in geometry.centre_form(box).tolist())
            shares = ", ".join(f"{at:.3f}" for at in localization.to_numbers(box, SIZE, SIZE).tolist())
            lines.append(f"{name} (x, y, w, h): {pixels} px = **{shares}**")
    return "\n\n".join(lines)


def losses(guess: Tensor, truth: Tensor) -> str:
    """Each loss of this box."""
    value = float(geometry.iou(guess, truth))
    numbers = [localization.to_numbers(box, SIZE, SIZE) for box in (guess, truth)]
    each = " · ".join(f"{name} **{float(loss(*numbers)):.4f}**" for name, loss in localization.BOX_LOSSES.items())
    said = rounding.beside(value, *(bound for bound, _ in geometry.WORDS))
    return f"IoU **{said}**, {geometry.word(value)}\n\nLosses: {each}"


def written_out(guess: Tensor, truth: Tensor) -> str:
    """The L2 loss of the lecture with this picture's numbers."""
    a, b = (localization.to_numbers(box, SIZE, SIZE).tolist() for box in (guess, truth))
    squares = " + ".join(f"({x:.3f} − {y:.3f})²" for x, y in zip(a, b, strict=True))
    terms = " + ".join(f"{(x - y) ** 2:.4f}" for x, y in zip(a, b, strict=True))
    total = float(localization.l2_loss(torch.tensor(a), torch.tensor(b)))
    return f"L2 = (x − x′)² + (y − y′)² + (w − w′)² + (h − h′)²\n\n= {squares}\n\n= {terms} = **{total:.4f}**"


def unknown(focus: Focus) -> str:
    """Why there is no loss."""
    if focus.things == 0:
        return (
            "Nothing is in this scene. The network cannot say so: softmax shares out 1 among its eight classes, and "
            "four numbers are always a box."
        )
    return "Nobody has drawn the true box of this picture, so there is no loss: draw it below."


@st.fragment
@page.guard()
def one_thing(focus: Focus) -> None:
    play(focus)
