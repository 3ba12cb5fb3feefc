"""Checkerboard artefacts: overlap counts, and the same pattern in a trained decoder."""

from contextlib import ExitStack

import numpy as np
import streamlit as st

from labs import checkerboard
from models import catalog
from pages.transposed_convolution.shared import strip
from scenes import CLASSES, PALETTE
from ui import outside_lab_world, page, pictures
from ui.components import Grid, Heat, Labels, live_slider, matrices, stage, words

NETWORKS = {"segmenter-transposed": "Transposed convolution", "segmenter-bilinear": "Bilinear"}
KERNELS, STRIDES = range(1, 7), range(1, 5)
INPUTS = 8  # per side, in the overlap picture
INPUTS_1D = 5  # on one axis
WINDOW = 56  # cells per side, at most, of a feature map on screen: more and its pixels cannot be told apart


@st.fragment
@page.guard()
@page.alike
def overlap() -> None:
    with ExitStack() as sliders:
        first, second = st.columns(2, gap="medium")
        with first:
            kernel = sliders.enter_context(live_slider("Filter size", 1, 6, 3, key="overlap_kernel", window=2))
        with second:
            stride = sliders.enter_context(live_slider("Stride", 1, 4, 2, key="overlap_stride", window=2))
        phases = checkerboard.phase_counts(kernel, stride).tolist()
        inner = " or ".join(map(str, sorted(set(phases))))
        strip("overlap_strip", INPUTS_1D, kernel, stride, f"One axis: an inner output gets {inner} of the copies.")
        second_layer(kernel, stride)
        more = kernel + 1
        answer = "evenly" if checkerboard.overlaps_evenly(more, stride) else "unevenly"
        with page.predict(
            "overlap", f"Filter {more}, stride {stride}: do the copies overlap evenly inside?", ["evenly", "unevenly"]
        ) as prediction:
            tables(kernel, stride)
            prediction.outcome(
                answer,
                "because per axis the inner pixels get "
                + " or ".join(map(str, sorted(set(checkerboard.phase_counts(more, stride).tolist()))))
                + f" copies: {stride} {'divides' if answer == 'evenly' else 'does not divide'} {more}.",
            )


def second_layer(kernel: int, stride: int) -> None:
    """One axis again: what a second layer of the same makes of the first one's sums."""
    paths = checkerboard.path_counts(INPUTS_1D, kernel, stride, 2)
    wide = checkerboard.path_counts(40, kernel, stride, 2)  # where the border is far
    edge = stride * kernel + kernel
    inner = sorted(set(wide[edge:-edge].tolist()))
    told = " or ".join(map(str, inner[:4])) + (" …" if len(inner) > 4 else "")
    matrices("overlap_second", window=2).show(
        [Grid("paths", paths[None].double().numpy(), title="after a second layer of the same", vmin=0,
              colour="sequential", rows=["ways"], cell=26)],
        caption=f"Ways from the inputs to each output: inside there are {told}. "
        + ("Even stays even." if len(inner) == 1 else "The pattern of the first layer is repeated and magnified."),
    )  # fmt: skip


def tables(kernel: int, stride: int) -> None:
    """Which sizes overlap evenly, and the copies on both axes of one choice."""
    left, right = st.columns([1, 1], gap="medium")
    with left:
        even = [[checkerboard.overlaps_evenly(k, s) for k in KERNELS] for s in STRIDES]
        phases = checkerboard.phase_counts(kernel, stride).tolist()
        verdict = "evenly" if checkerboard.overlaps_evenly(kernel, stride) else "unevenly"
        matrices("overlap_table", window=2).show(
            [
                Grid("table", np.array(even, dtype=float), title="stride × filter size",
                     colour="sequential", vmin=0, vmax=2,
                     text=[["even" if e else "uneven" for e in row] for row in even],
                     rows=[f"s={s}" for s in STRIDES], columns=[f"k={k}" for k in KERNELS], cell=52)
            ],
            highlight=[("table", stride - 1, kernel - 1)],
            caption="Even where the stride divides the filter size.",
        )  # fmt: skip
    with right:
        counts = checkerboard.overlap_counts_2d(INPUTS, kernel, stride).numpy()
        stage("overlap_map", zoom=False, width=440, window=2).show(
            size=(len(counts), len(counts)),
            layers=[Heat(counts, "viridis", vmin=0, vmax=max(4, counts.max()), opacity=1, smooth=False)],
            alt=f"Number of filter copies on every output pixel, from {counts.min()} to {counts.max()}",
            caption=f"Filter {kernel}, stride {stride}: copies overlap {verdict}. Per axis an inner pixel gets "
            + " or ".join(map(str, sorted(set(phases))))
            + f"; the brightest pixel here gets {counts.max()}, the darkest inner one {min(phases) ** 2}.",
        )


@st.cache_resource(max_entries=12, show_spinner="The two networks look at the picture …")
def segment(name: str, image: np.ndarray):
    """A `Segmentation` with its decoder stages. Shared between visitors, so nobody may change it."""
    return catalog.load(name)(image, keep_stages=True)


@st.cache_data(max_entries=64, show_spinner=False)
def shares(name: str, image: np.ndarray) -> list[float]:
    """How much of the variance of every decoder stage is checkerboard."""
    return [checkerboard.phase_share(features) for _, features in segment(name, image).stages]


@st.cache_data(max_entries=128, show_spinner=False)
def measure(name: str, image: np.ndarray, step: int) -> dict:
    """Peak and spectrum of one decoder stage, its channels' shares, and the channels ordered by them."""
    features = segment(name, image).stages[step][1]
    each = [checkerboard.phase_share(channel[None]) for channel in features]
    return {
        "peak": checkerboard.nyquist_peak(features),
        "spectrum": checkerboard.power_spectrum(features, window=True).numpy(),
        "order": sorted(range(len(each)), key=each.__getitem__, reverse=True),
        "shares": each,
    }


@st.fragment
@page.guard()
def trained() -> None:
    picture = pictures.choose("checkerboard")
    outside_lab_world.warn(picture, NETWORKS)
    stages = segment("segmenter-transposed", picture.image).stages
    names = [name for name, _ in stages]
    table = 100 * np.array([shares(name, picture.image) for name in NETWORKS])
    fresh = table[:, [name.startswith("up") for name in names]].mean(1)  # straight after an upsampling
    largest = "they are alike" if np.ptp(fresh) < 0.1 * fresh.max() else list(NETWORKS.values())[int(fresh.argmax())]
    with ExitStack() as sliders:
        left, right = st.columns([1, 4], gap="medium")
        with left:
            stage("checkerboard_picture", zoom=False).show(picture.image, alt=picture.name)
        with right:
            place = sliders.enter_context(
                live_slider("Decoder stage", options=names, value=names[4], key="checkerboard_stage", play=True,
                            play_seconds=8)
            )  # fmt: skip
            step = names.index(place)
            rank = sliders.enter_context(
                live_slider(
                    "Channel, strongest checkerboard first", 1, len(stages[step][1]), 1, key="checkerboard_channel"
                )
            )
        with page.predict(
            "checkerboard-trained", "Both networks are trained. In which one is the checkerboard stronger, straight "
            "after an upsampling?", [*NETWORKS.values(), "they are alike"],
        ) as prediction:  # fmt: skip
            shares_table, outputs = st.columns([2, 3], gap="large")
            with shares_table:
                matrices("checkerboard_shares").show(
                    [
                        Grid("shares", table.T, title="checkerboard, % of the variance",
                             columns=["transp.", "bilinear"], rows=[short(name) for name in names],
                             format="%.2f", colour="sequential", vmin=0, cell=52)
                    ],
                    highlight=[("shares", step, column) for column in range(len(NETWORKS))],
                    caption="up: straight after an upsampling. conv: after the convolution that follows it.",
                )  # fmt: skip
            with outputs:
                differences(picture.image)
            for column, (name, title) in zip(st.columns(2, gap="medium"), NETWORKS.items(), strict=True):
                with column:
                    decoder(name, title, picture.image, step, rank)
            prediction.outcome(
                largest, f"**Yes, it survives training**: on average {fresh[0]:.1f} % of the variance after a "
                f"transposed convolution, {fresh[1]:.2f} % after bilinear. To resize first and then convolve is "
                "the remedy that Odena et al. recommend, and the bilinear network does that."
                if fresh[0] > fresh[1] else "On this picture the pattern has not survived training.",
            )  # fmt: skip
    seconds = sum(segment(name, picture.image).seconds for name in NETWORKS)
    page.footer(" and ".join(NETWORKS), segment("segmenter-bilinear", picture.image).device, 1000 * seconds)


def differences(image: np.ndarray) -> None:
    """What both networks say in the end, and where they differ."""
    said = [segment(name, image).labels for name in NETWORKS]
    apart = said[0] != said[1]
    words(f"Their answers differ in **{100 * apart.mean():.1f} %** of the pixels; the pattern is one reason.",
          "checkerboard_differences")  # fmt: skip
    shown = {**dict(zip(NETWORKS.values(), said, strict=True)), "Where they differ": apart}
    for column, (title, labels) in zip(st.columns(3, gap="small"), shown.items(), strict=True):
        palette = ["#E8E8E8", "#B04A00"] if labels.dtype == bool else [PALETTE[name] for name in CLASSES]
        with column:
            stage(f"checkerboard_said_{title}", zoom=False).show(
                None, [Labels(labels.astype(np.uint8), palette, 1.0)], size=labels.shape[::-1], alt=title, caption=title
            )


def short(stage_name: str) -> str:
    """'upsampled to 28×28' -> 'up 28', 'convolved at 28×28' -> 'conv 28'."""
    return f"{'up' if stage_name.startswith('up') else 'conv'} {stage_name.split('×')[-1]}"


def decoder(name: str, title: str, image: np.ndarray, step: int, rank: int) -> None:
    """One network: a channel of the stage, its phase means, the spectrum of the whole stage, two numbers."""
    found = measure(name, image, step)
    index = found["order"][rank - 1]
    channel = segment(name, image).stages[step][1][index]
    top, side = (channel.shape[0] - min(WINDOW, channel.shape[0])) // 2, min(WINDOW, channel.shape[0])
    crop = channel[top : top + side, top : top + side].numpy()
    st.markdown(f"**{title}**")
    share, peak = st.columns(2)
    share.metric("Checkerboard", f"{100 * shares(name, image)[step]:.2f} %", border=True,
                 help="The part of the variance that row and column parity explain, over all channels.")  # fmt: skip
    peak.metric("Nyquist peak", f"{found['peak']:,.1f} ×", border=True,
                help="Power of the finest pattern that a grid can hold, against that around it. About 1 or less: "
                "nothing stands out.")  # fmt: skip
    stage(f"features_{name}", width=520).show(
        size=crop.shape[::-1],
        layers=[Heat(crop, "viridis", opacity=1, smooth=False)],
        alt=f"Channel {index} of the decoder of the {title.lower()} network",
        caption=f"Channel {index}: the middle {side}×{side} of {channel.shape[0]}×{channel.shape[1]}; "
        f"{100 * found['shares'][index]:.1f} % of its variance is checkerboard.",
    )
    means = checkerboard.phase_means(channel)
    numbers, spectrum = st.columns([2, 3], vertical_alignment="center")
    with numbers:
        heads = ["even", "odd"]
        middle = float(means.mean())
        matrices(f"phases_{name}").show(
            [Grid("means", (means - middle).numpy(), title=f"mean of each parity, against {middle:+.3f}",
                  rows=heads, columns=heads,
                  format="%+.3f", cell=64, vmin=-channel.std().item(), vmax=channel.std().item())],
            caption="Mean over all pixels with this row and column parity.",
        )  # fmt: skip
    with spectrum:
        power = np.log10(found["spectrum"] + 1e-9)
        stage(f"spectrum_{name}", zoom=False, width=260).show(
            size=power.shape[::-1],
            layers=[Heat(power, "magma", vmin=-7, vmax=-1, opacity=1, smooth=False)],
            alt="Power spectrum of the stage, frequency zero in the middle",
            caption="Power spectrum, all channels. Nyquist: top, left, and the corner.",
        )
