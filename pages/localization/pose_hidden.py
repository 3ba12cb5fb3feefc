"""Joints out of sight: no loss for them, a loss at their true place, or one at the (0, 0) that data sets write."""

import streamlit as st
import torch
from torch import Tensor

from labs import pose as lab
from models import catalog
from models.networks.pose_regression import NO_LOSS, RULES, TRUE_PLACE, ZEROS
from pages.localization.pose_shared import (
    COLOURS,
    FIRST,
    NETWORK,
    PURPLE,
    TRUTH,
    Person,
    asked,
    mean_error,
    notes,
    skeleton,
)
from ui import page
from ui.components import Points, stage, words
from ui.pictures import KEPT

FIGURES = {NO_LOSS: ("pck_first_stage", "pck_hidden"),
           TRUE_PLACE: ("pck_first_stage_true_place", "pck_hidden_true_place"),
           ZEROS: ("pck_first_stage_zeros", "pck_hidden_zeros")}  # fmt: skip
ANSWERS = ("Better", "Worse")


def hidden(person: Person) -> None:
    """The switch, this person's first stage after each training, and the card's figures for all three."""
    page.section(
        "Joints out of sight",
        "Nobody can mark a joint that is out of sight, and data sets write (0, 0) there: a loss must leave it out.",
    )
    rule = st.segmented_control(
        "In training, joints out of sight got", RULES, default=ZEROS, required=True,
        key="pose_rule", **KEPT,
    )  # fmt: skip
    other = ZEROS if rule == NO_LOSS else NO_LOSS
    said, count = asked(person.seed, rule), int((~person.seen).sum())
    errors = [mean_error(person, asked(person.seed, each).first) for each in (other, rule)]
    with page.predict(
        "pose-rule",
        f"Person {person.seed}, {count} of 14 joints out of sight, with {rule}: is the mean error of "
        f"the joints in sight better or worse than with {other}?",
        ANSWERS,
    ) as prediction:
        left, right = st.columns(2, gap="large")
        with left:
            stage("pose_rule_stage", zoom=False, width=330).show(
                person.image,
                [
                    *skeleton(person.joints, COLOURS[TRUTH], TRUTH, notes(person, person.joints, TRUTH)),
                    *skeleton(said.first, COLOURS[FIRST], FIRST, notes(person, said.first, FIRST), dash=True),
                    Points(person.joints[~person.seen].numpy(), colour=PURPLE, radius=6.0),
                ],
                alt=f"First stage trained with {rule} for joints out of sight, beside the truth",
                caption="Orange: first stage. Green: truth. Purple: true places of joints out of sight.",
            )
        with right:
            words(told(person, rule, said.first, errors), "pose_rule_told")
        prediction.outcome(
            ANSWERS[int(errors[1] > errors[0])],
            f"It is {errors[1]:.1f} pixels, and {errors[0]:.1f} with {other}.",
        )
    figures()


def told(person: Person, rule: str, first: Tensor, errors: list[float]) -> str:
    """The loss of this person in the training of that rule, and what part of it joints out of sight have."""
    square = lab.square(person.box)
    guess, truth = lab.normalised(first, square), lab.normalised(target(person, rule), square)
    counts = person.seen if rule == NO_LOSS else torch.ones_like(person.seen)
    loss = float(lab.masked_l2(guess, truth, counts))
    squares = (guess - truth).square().sum(-1) * counts
    share = float(squares[~person.seen].sum() / squares.sum().clamp(min=1e-12))
    return (
        f"L2 loss over **{int(counts.sum())}** joints: **{loss:.4f}**\n\n"
        f"of it from joints out of sight: **{share:.0%}**\n\n"
        f"mean error of the joints in sight: **{errors[1]:.1f} px**"
    )


def target(person: Person, rule: str) -> Tensor:
    """The joints (14, 2) in pixels that the training of that rule asks for."""
    return torch.where(person.seen[:, None], person.joints, torch.zeros(2)) if rule == ZEROS else person.joints


def figures() -> None:
    """What the card says of all three."""
    metrics = catalog.load(NETWORK).card.get("metrics", {})
    rows = [f"| {rule} | " + " | ".join(f"{metrics.get(key, float('nan')):.3f}" for key in FIGURES[rule]) + " |"
            for rule in RULES]  # fmt: skip
    st.markdown(
        "| joints out of sight got | PCK@0.2, joints in sight | PCK@0.2, joints out of sight |\n|---|---:|---:|\n"
        + "\n".join(rows)
    )
    st.caption(
        f"The first stage on {metrics.get('scenes', 0)} scenes that it has never seen. The three share all layers but "
        "the last, which each learned with its own loss; only a drawn world knows the true place of what nobody sees."
    )
