"""The price: multiply-adds and measured time of both ways as the picture grows, and the work that windows repeat."""

from time import perf_counter

import plotly.graph_objects as go
import streamlit as st
import torch

from labs import sliding_window
from labs.sliding_window import STRIDE, WINDOW
from models.networks.encoder import normalised
from models.networks.window import LoadedWindow, to_tensor
from pages.shared.amounts import duration, millions
from pages.shared.heat_maps import BLUE, VERMILION
from pages.sliding_window.shared import Look, small
from ui import figures, page
from ui.components import Heat, stage

GROWING = (28, 40, 56, 80, 112, 160, 224)  # sides of the picture that are timed
CURVE = tuple(range(28, 449, 4))
WAYS = (("window by window", VERMILION, "dash"), ("at once", BLUE, "solid"))
TIMED = "_window_timed"  # in the session: how many sizes the visitor has seen through


@st.cache_data(max_entries=8, show_spinner=False)
def prices(filters: int, units: int) -> dict[int, tuple[int, int]]:
    """Multiply-adds of every side of CURVE, window by window and at once."""
    network = sliding_window.layers(filters=filters, units=units).eval()
    single = sliding_window.multiply_adds(network, 1, 3, WINDOW, WINDOW)
    return {
        side: (
            single * sliding_window.windows_along(side, WINDOW, STRIDE) ** 2,
            sliding_window.multiply_adds(network, 1, 3, side, side),
        )
        for side in CURVE
    }


@st.fragment
@page.guard()
def price(look: Look) -> None:
    page.section("The price", "Neighbouring windows share most of their pixels. One pass convolves each of them once.")
    first, hidden = look.model.module.layers[0], look.model.module.layers[3]
    counted = prices(first.out_channels, hidden.out_channels)
    slid, once = counted[look.side]
    options = sorted({round(many / one) for many, one in (counted[side] for side in (40, 80, look.side, 448))} | {1})
    with page.predict(
        "window-price",
        f"On {look.side} × {look.side} pixels, how many times more multiply-adds does it take window by window?",
        options,
    ) as prediction:
        curve(counted, look.side)
        st.markdown(
            f"At {look.side} × {look.side}: **{millions(slid)}** multiply-adds window by window, **{millions(once)}** "
            f"at once. As the picture grows, the ratio reaches {counted[CURVE[-1]][0] / counted[CURVE[-1]][1]:.1f} at "
            f"{CURVE[-1]} pixels. Each place of a 5 × 5 filter lies in 36 windows, so the first layer costs 36 times "
            "as much; the layers after the pool cost the same both ways."
        )
        prediction.outcome(
            round(slid / once), f"{slid / once:.1f} times: the windows overlap by 24 of 28 pixels, and what they share "
            "is convolved again for each.",
        )  # fmt: skip
    repeated(look)
    measured(look)


def curve(counted: dict[int, tuple[int, int]], side: int) -> None:
    """Multiply-adds of both ways over the side of the picture."""
    figure = go.Figure()
    for index, (name, colour, dash) in enumerate(WAYS):
        figure.add_scatter(
            x=list(counted), y=[pair[index] for pair in counted.values()], name=name,
            line={"color": colour, "dash": dash}, hovertemplate=f"{name}: %{{y:.3s}} at %{{x}} px",
        )  # fmt: skip
    figures.across(figure, x=side, text="now")
    figure.update_layout(
        xaxis={"title": "side of the picture, px"}, yaxis={"title": "multiply-adds", "type": "log", "dtick": 1}
    )
    page.figure(figure, "window_price", height=300, alt="Multiply-adds of both ways over the side of the picture")


def repeated(look: Look) -> None:
    """How often each pixel is multiplied with the weights of one 5×5 filter, both ways, in one scale of colours."""
    side = look.side
    maps = {
        "window by window": sliding_window.times_convolved(side, side, window=WINDOW),
        "at once": sliding_window.times_convolved(side, side),
    }
    end = float(maps["window by window"].max())
    st.markdown("**How often is this pixel convolved?** Each place of a 5 × 5 filter over it counts once.")
    for (name, counts), column in zip(maps.items(), st.columns(2, gap="large"), strict=True):
        with column:
            stage(f"window_times_{'once' if name == 'at once' else 'slid'}", zoom=False, width=380).show(
                look.image, [Heat(counts.float().numpy(), "inferno", 0.0, end, 0.85, smooth=False)],
                alt=f"How often each pixel is convolved, {name}",
                caption=f"{name.capitalize()}: {int(counts[side // 2, side // 2]):,} times in the middle, at most "
                f"{int(counts.max()):,}, {counts.double().mean():,.1f} on average.",
            )  # fmt: skip


def measured(look: Look) -> None:
    """The button that runs both for real, on growing pictures."""
    key = f"{TIMED}_{look.network}"
    if not st.session_state.get(key):
        slot = st.empty()
        if not slot.button("Measure the time here", icon=":material/play_arrow:", key="window_measure"):
            st.caption("All windows of seven growing pictures one after the other, then each picture in one pass.")
            return
        slot.empty()
        page.work_through(key, GROWING, lambda side: timed(look.network, look.model, look.picture.image, side),
                          "Pictures")  # fmt: skip
    found = [timed(look.network, look.model, look.picture.image, side) for side in GROWING]
    figure = go.Figure()
    for index, (name, colour, dash) in enumerate(WAYS):
        figure.add_scatter(
            x=GROWING, y=[each[index] * 1000 for each in found], name=name, mode="lines+markers",
            line={"color": colour, "dash": dash}, hovertemplate=f"{name}: %{{y:.3g}} ms at %{{x}} px",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "side of the picture, px"}, yaxis={"title": "milliseconds", "type": "log", "dtick": 1}
    )
    page.figure(figure, "window_time", height=300, alt="Measured time of both ways over the side of the picture")
    slid, once, difference = found[-1]
    st.markdown(
        f"On this machine, {GROWING[-1]} × {GROWING[-1]} pixels, 2,500 windows: **{duration(slid)}** one by one, "
        f"**{duration(once)}** at once, **{slid / once:,.0f} times** faster, more than the multiply-adds say: each "
        f"call costs time of its own. The scores of all windows differ by at most **{difference:.0e}**: rounding in "
        "single precision."
    )


@st.cache_data(max_entries=32, show_spinner=False)
def timed(network: str, _model: LoadedWindow, image, side: int) -> tuple[float, float, float]:
    """Seconds window by window, seconds at once (the best of five), and the largest difference of their scores."""
    pixels = normalised(to_tensor(small(image, side))[None])[0].to(_model.device)
    layers = _model.module.layers
    with torch.inference_mode():
        best = float("inf")
        for _ in range(5):
            start = perf_counter()
            whole = sliding_window.scores_at_once(layers, pixels).cpu()
            best = min(best, perf_counter() - start)
        start = perf_counter()
        alone = sliding_window.scores_by_window(layers, pixels, WINDOW, STRIDE).cpu()
        slid = perf_counter() - start
    return slid, best, float((alone - whole).abs().max())
