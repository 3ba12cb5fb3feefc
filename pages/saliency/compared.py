"""Five methods side by side, for two classes: what they agree on, and which of them hardly asks for the class."""

import streamlit as st
from torch import Tensor

from labs.heat_map_quality import rank_correlation
from models.inside.saliency import CONTRIBUTIONS, GUIDED, METHODS
from pages.saliency.gradients import bar, layer, under
from pages.saliency.shared import Focus, choose_other, end_of
from pages.shared.heat_maps import number
from ui import page
from ui.components import stage
from ui.pictures import KEPT

ONE, OWN = "one scale", "each its own"


@st.fragment
@page.guard()
def compared(focus: Focus) -> None:
    page.section(
        "Five methods, two classes",
        "Ask every method about both classes. A method that answers the question must answer it differently.",
    )
    other = choose_other(focus)
    colours = st.segmented_control(
        "Colours", [ONE, OWN], default=ONE, required=True, key="saliency_scale",
        help="One scale for all maps of one unit, in raw values; or each map up to its own end.", **KEPT,
    )  # fmt: skip
    with st.spinner("Five methods, two classes", show_time=True):
        maps = {(method, target): focus.map_of(method, target)
                for method in METHODS for target in (focus.target, other)}  # fmt: skip
    alike = {method: rank_correlation(maps[method, focus.target], maps[method, other]) for method in METHODS}
    told = {method: value for method, value in alike.items() if value == value}
    first, second = focus.name, focus.classes[other]
    asks = len(told) == len(METHODS) and focus.target != other
    with page.predict(
        "saliency-class", f"Which method's map changes least when {second} is asked instead of {first}?",
        METHODS if asks else [],
    ) as prediction:  # fmt: skip
        for row, target in enumerate((focus.target, other)):
            draw(focus, maps, target, colours, row)
        if colours == ONE:
            for method in (METHODS[0], CONTRIBUTIONS[0]):
                bar(method, common(maps, method))
        st.markdown("\n".join(table(maps, alike, focus)))
        prediction.outcome(
            max(told, key=told.get) if told else "",
            f"The rank correlation of its two maps is {max(told.values()):.2f}; 1 is the same order of all pixels. "
            f"{GUIDED.capitalize()} throws away what speaks against the class at every layer, and what is left are "
            "the edges that any class needs." if asks else "",
        )  # fmt: skip


def common(maps: dict[tuple[str, int], Tensor], method: str) -> float:
    """The end of the colours of all maps of this method's unit."""
    kind = method in CONTRIBUTIONS
    return end_of(*(heat for (each, _), heat in maps.items() if (each in CONTRIBUTIONS) == kind))


def draw(focus: Focus, maps: dict[tuple[str, int], Tensor], target: int, colours: str, row: int) -> None:
    """One row: a class by all methods."""
    name = focus.classes[target]
    st.markdown(f"**{name}**, probability {float(focus.said.probabilities[target]):.3f}")
    for index, (panel, method) in enumerate(zip(st.columns(len(METHODS)), METHODS, strict=True)):
        heat = maps[method, target]
        end = common(maps, method) if colours == ONE else end_of(heat)
        with panel:
            stage(f"saliency_five_{row}_{index}", zoom=False).show(
                under(focus, method), [layer(method, heat, end)], alt=f"{method} of {name}",
                caption=f"{method}: {number(float(heat.min()), 2)} to {number(float(heat.max()), 2)}",
            )  # fmt: skip


def table(maps: dict[tuple[str, int], Tensor], alike: dict[str, float], focus: Focus) -> list[str]:
    rows = ["| method | unit | sum of the map | ρ with the other class |", "|---|---|---:|---:|"]
    for method in METHODS:
        total = float(maps[method, focus.target].double().sum())
        unit, added = ("logit", number(total)) if method in CONTRIBUTIONS else ("logit per step", "means nothing")
        rho = (
            f"{alike[method]:.2f}".replace("-", "−")
            if alike[method] == alike[method]
            else "one map is the same everywhere"
        )
        rows.append(f"| {method} | {unit} | {added} | {rho} |")
    return rows
