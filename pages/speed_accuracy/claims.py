"""What Huang et al. concluded, asked first and then judged by the detectors of this lab."""

import plotly.graph_objects as go
import streamlit as st
import torch

from labs import speed_accuracy
from models.inside.settings import OWN_SIDE
from pages.speed_accuracy.shared import LOOKS, ONE, TWO, Point, milliseconds, points
from ui import figures, page
from ui.components import live_slider, words

YES, NO = "yes", "no"
FLAT = 0.02  # AP that counts as the same over 200 scenes
COLOURS = {"detector": "#0072B2", "r-fcn": "#CC79A7"}
BUDGETS = (5, 150)  # milliseconds, from and to


def best_of(stages: str, narrow: bool = False) -> Point | None:
    """The most accurate point at the networks' own size with so many stages; of the wide networks, unless told so."""
    able = [p for p in points() if LOOKS[p.setting.network][1] == stages and p.setting.side == OWN_SIDE
            and ("narrow" in p.title) == narrow]  # fmt: skip
    return max(able, key=lambda p: p.ap, default=None)


def at_own(network: str) -> list[Point]:
    """The points of a network at its own size, by number of proposals."""
    mine = [p for p in points() if p.setting.network == network and p.setting.side == OWN_SIDE]
    return sorted(mine, key=lambda p: p.setting.proposals or 0)


@st.fragment
@page.guard()
def claims() -> None:
    page.section("Do the conclusions hold here?", "Huang et al. 2017 compared such detectors on photographs of COCO.")
    stages()
    backbones()


def stages() -> None:
    """Two stages: slower and more accurate?"""
    two, one = best_of(TWO), best_of(ONE)
    if two is None or one is None:
        return
    verdict = speed_accuracy.slower_and_more_accurate((milliseconds(two), two.ap), (milliseconds(one), one.ap))
    with page.predict(
        "trade-stages", "Is the most accurate detector with two stages here slower and more accurate than the most "
        "accurate with one?", [YES, NO],
    ) as prediction:  # fmt: skip
        st.markdown(
            f"| at {OWN_SIDE} px | AP | ms |\n| --- | ---: | ---: |\n| {two.name} | {two.ap:.3f} | "
            f"{milliseconds(two):.1f} |\n| {one.name} | {one.ap:.3f} | {milliseconds(one):.1f} |"
        )
        prediction.outcome(
            YES if verdict.holds else NO,
            f"It takes {verdict.first:.1f} times as long, and its AP is {signed(verdict.second, 3)}."
            + (" In the paper Faster R-CNN is slower and more accurate as well." if verdict.holds else
               " In the paper Faster R-CNN was slower and more accurate; in this small world it is not both."),
        )  # fmt: skip


def backbones() -> None:
    """A wider backbone: better, and at what price?"""
    pairs = [(wide, f"{wide}-narrow") for wide in ("detector", "ssd") if at_own(wide) and at_own(f"{wide}-narrow")]
    if not pairs:
        return
    wide, narrow = (at_own(name)[-1] for name in pairs[0])
    with page.predict(
        "trade-backbone", f"The narrow {wide.title} has {narrow.bytes / wide.bytes:.0%} of the numbers. How much AP "
        "does that cost?", ["less than 0.05", "0.05 to 0.15", "more than 0.15"],
    ) as prediction:  # fmt: skip
        rows = [at_own(name)[-1] for pair in pairs for name in pair]
        head = (
            "| | AP | ms | G multiply-adds | MB of numbers | MB at once |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
        )
        st.markdown(
            head + "\n".join(
                f"| {p.name} | {p.ap:.3f} | {milliseconds(p):.1f} | {p.multiply_adds / 1e9:.2f} | "
                f"{p.bytes / 1e6:.1f} | {p.peak_bytes / 1e6:.1f} |"
                for p in rows
            )
        )  # fmt: skip
        lost = wide.ap - narrow.ap
        prediction.outcome(
            "less than 0.05" if lost < 0.05 else "0.05 to 0.15" if lost <= 0.15 else "more than 0.15",
            f"AP {wide.ap:.3f} against {narrow.ap:.3f}, at {milliseconds(wide) / milliseconds(narrow):.1f} times the "
            "time. The narrow one was also trained for less long, from nothing.",
        )  # fmt: skip


@st.fragment
@page.guard()
def proposals() -> None:
    """How many proposals are worth their time?"""
    page.section("How many proposals?", "Faster R-CNN runs its head for every proposal; R-FCN only takes an average.")
    networks = [name for name in COLOURS if len(at_own(name)) > 1]
    if not networks:
        return
    counts = tuple(p.setting.proposals for p in at_own(networks[0]))
    rising = {name: at_own(name)[-1].ap - at_own(name)[0].ap for name in networks}
    with page.predict(
        "trade-proposals", f"From {counts[0]} to {counts[-1]} proposals: how much AP does Faster R-CNN win?",
        ["less than 0.02", "0.02 to 0.10", "more than 0.10"],
    ) as prediction:  # fmt: skip
        with live_slider("Proposals", options=counts, value=counts[-1], key="trade_proposals") as count:
            page.figure(figure_of(networks, count), "trade_proposals_curve", height=320,
                        alt=f"AP and milliseconds over the number of proposals; {count} marked")  # fmt: skip
            words(" ".join(sentence(name, count) for name in networks), "trade_proposals_said")
        won = rising[networks[0]]
        aps = torch.tensor([p.ap for p in at_own(networks[0])[1:]])
        flat = speed_accuracy.flat(aps, FLAT)
        prediction.outcome(
            "less than 0.02" if won < 0.02 else "0.02 to 0.10" if won <= 0.1 else "more than 0.10",
            f"{signed(won, 3)}. " + (
                f"From {counts[1]} proposals on AP stays within {FLAT}: " if flat.holds
                else f"From {counts[1]} on AP still lies between {flat.first:.3f} and {flat.second:.3f}: "
            ) + "scenes with six things at most need few boxes.",
        )  # fmt: skip


def sentence(network: str, count: int) -> str:
    """AP and time of a network at so many proposals, beside its least."""
    mine = at_own(network)
    point = next((p for p in mine if p.setting.proposals == count), mine[-1])
    more = milliseconds(point) - milliseconds(mine[0])
    return (
        f"{point.title} with {point.setting.proposals}: AP **{point.ap:.3f}**, **{milliseconds(point):.1f} ms**, "
        f"{signed(more, 1)} ms against {mine[0].setting.proposals}."
    )


def at_best(mine: list[Point], budget: float) -> Point:
    """Of one network's points the most accurate within the budget; the fastest if all are slower."""
    able = [p for p in mine if milliseconds(p) <= budget]
    return max(able, key=lambda p: p.ap) if able else min(mine, key=milliseconds)


def signed(value: float, digits: int) -> str:
    """A difference with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def figure_of(networks: list[str], count: int) -> go.Figure:
    """Milliseconds, and AP, over the number of proposals."""
    figure = go.Figure()
    for name in networks:
        mine = at_own(name)
        x = [p.setting.proposals for p in mine]
        figure.add_scatter(x=x, y=[milliseconds(p) for p in mine], name=f"{mine[0].title}, ms", mode="lines+markers",
                           line={"color": COLOURS[name]})  # fmt: skip
        figure.add_scatter(x=x, y=[p.ap for p in mine], name=f"{mine[0].title}, AP", mode="lines+markers", yaxis="y2",
                           line={"color": COLOURS[name], "dash": "dot"})  # fmt: skip
    figures.across(figure, x=count, dash="dash")
    figure.update_layout(
        xaxis={"title": "proposals", "type": "log", "tickvals": x, "ticktext": [str(each) for each in x]},
        yaxis={"title": "milliseconds", "rangemode": "tozero"},
        yaxis2={"title": "AP (dotted)", "range": [0, 1], "overlaying": "y", "side": "right", "automargin": True},
        margin={"r": 60},
    )  # fmt: skip
    return figure


@st.fragment
@page.guard()
def deploy() -> None:
    """Which would you deploy?"""
    page.section("Which would you deploy?", "A budget of milliseconds decides: the best network changes with it.")
    with live_slider("Budget", *BUDGETS, 25, step=5, unit="ms", key="trade_deploy") as budget:
        own = tuple(p for p in points() if p.setting.side == OWN_SIDE)
        best_each = [at_best([p for p in own if p.setting.network == name], budget) for name in LOOKS
                     if any(p.setting.network == name for p in own)]  # fmt: skip
        times, accuracy = (torch.tensor(v) for v in zip(*((milliseconds(p), p.ap) for p in best_each), strict=True))
        best = speed_accuracy.best_within(times, accuracy, budget)
        names = [p.title for p in best_each]
        options = names if best is not None else []
        with page.predict(
            "trade-deploy", f"At {OWN_SIDE} px and {budget} ms a picture, which is the most accurate?", options
        ) as prediction:
            rows = sorted(zip(times.tolist(), accuracy.tolist(), names, strict=True))
            st.markdown(
                "| | ms | AP |\n| --- | ---: | ---: |\n" + "\n".join(
                    f"| {'**' if best is not None and name == names[best] else ''}{name}"
                    f"{'**' if best is not None and name == names[best] else ''} | {ms:.1f}"
                    f"{'' if ms <= budget else ' (too slow)'} | {ap:.3f} |" for ms, ap, name in rows
                )
            )  # fmt: skip
            prediction.outcome(
                names[best] if best is not None else "none of them",
                f"It takes {float(times[best]):.1f} ms." if best is not None else "Every one of them is slower.",
            )
