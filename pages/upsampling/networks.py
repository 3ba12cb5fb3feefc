"""Five trained decoders on the same live scene."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch.utils.flop_counter import FlopCounterMode

import scenes
from labs import segmentation_metrics
from models import catalog
from pages.shared import own_mask
from pages.shared.swatches import class_swatches
from pages.shared.weather import disturbed, weather
from pages.upsampling import boundary
from ui import outside_lab_world, page, pictures, stray_classes
from ui.components import Heat, Labels, following, live_slider, stage, words

PALETTE = [scenes.PALETTE[name] for name in scenes.CLASSES]
COLOURS = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in PALETTE], np.uint8)
MISTAKE = "#D55E00"
SHADES = [*PALETTE, *("#{:02x}{:02x}{:02x}".format(*(colour // 4)) for colour in COLOURS), MISTAKE]
HOW_TO_READ = "Each panel: the classes the network sees; beside them, in orange, the pixels it gets wrong."
SPREADS = {"under 0.01": 0.01, "0.01 to 0.03": 0.03, "0.03 to 0.1": 0.1, "over 0.1": np.inf}
FIRST_SEED = 32  # things at three distances, and no network takes one of them for another class
MAPS = ("mean of all", "strongest", "second", "third")


@dataclass(frozen=True, eq=False)
class Look:
    """One network on one picture: labels uint8 (H, W); maps: per decoder stage its name and float16 (4, h, w), the mean
    strength of all channels and the three strongest channels."""

    labels: np.ndarray
    maps: list[tuple[str, np.ndarray]]
    seconds: float
    device: str


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read: copies of 5 MB would cost a redraw
def looks_of(image: np.ndarray, maps: bool = True) -> dict[str, Look]:
    """All networks on one picture, two at a time; without the decoders' maps where nobody looks at them."""
    networks = [catalog.load(name) for name in catalog.names("segmentation")]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda network: look(network, image, maps), networks)
        return {network.name: each for network, each in zip(networks, found, strict=True)}


def look(network, image: np.ndarray, keep_maps: bool) -> Look:
    result = network(image, keep_stages=keep_maps)
    maps = []
    for stage_name, features in result.stages:
        strength = features.abs()
        strongest = strength[:, ::4, ::4].mean((1, 2)).topk(3).indices
        maps.append((stage_name, torch.cat([strength.mean(0, keepdim=True), features[strongest]]).half().numpy()))
    return Look(result.labels, maps, result.seconds, result.device)


@st.cache_resource(max_entries=256, show_spinner=False)
def rendered(scene) -> np.ndarray:
    """The picture alone: fog, light and noise leave the truth as it is."""
    return scenes.render_image(scene, 224)


@st.cache_data(show_spinner=False)
def multiply_adds(name: str) -> int:
    """Of one 224×224 forward pass, as torch counts them (two floating point operations each)."""
    model = catalog.load(name)
    with FlopCounterMode(display=False) as counter:
        model(np.zeros((224, 224, 3), np.uint8))
    return counter.get_total_flops() // 2


@st.fragment
@page.guard()
def networks() -> None:
    page.section(
        "On a real network", "Five segmenters, one encoder, one recipe: they differ in nothing but the upsampling."
    )
    picture = pictures.choose("scene", size=224, seed=FIRST_SEED)
    if picture.scene is None:
        told = "And nobody knows the true classes here: paint them below, and they give the scores."
        outside_lab_world.warn(picture, catalog.names("segmentation"), told)
        compare(picture.image, None, 1.0)
        painted(picture)
        return
    columns, body = st.columns(4), st.container()
    with (
        columns[0],
        live_slider("More fog", 0.0, 1.0, 0.0, step=0.02, key="scene_more_fog", play=True, window=2) as fog,
        columns[1],
        live_slider("Less light", 0.0, 1.0, 0.0, step=0.02, key="scene_less_light", window=2) as dark,
        columns[2],
        live_slider("More noise", 0.0, 1.0, 0.0, step=0.02, key="scene_more_noise", window=2) as noise,
        columns[3],
        live_slider("Boundary within", 0.5, 5.0, 1.0, step=0.5, unit="px", key="scene_tolerance") as tolerance,
        body,
    ):
        given = picture.scene
        shown = disturbed(given, fog, dark, noise)
        weather(given, shown, "scene_weather")
        image = rendered(shown)
        compare(image, picture.view.semantic, tolerance)


def painted(picture: pictures.Picture) -> None:
    """A picture from outside Lab World, painted by hand, judges all five."""
    if own_mask.opened("scene", picture):
        looks = looks_of(picture.image)
        seen = [own_mask.Seen(name.removeprefix("segmenter-"), each.labels, scenes.CLASSES, PALETTE)
                for name, each in looks.items()]  # fmt: skip
        own_mask.paint("scene", picture, *seen)


def compare(image: np.ndarray, truth: np.ndarray | None, tolerance: float) -> None:
    """Every network on one picture: what it says and, where the truth is known, where it errs; then the decoders."""
    looks = looks_of(image, maps=not following())
    rows = [
        {"upsampling": name.removeprefix("segmenter-"), **score(truth, each.labels, tolerance), **price(name, each)}
        for name, each in looks.items()
    ]
    panels = [panel for _ in range(3) for panel in st.columns(2)]
    with panels[0]:
        st.markdown("**Picture and truth**" if truth is not None else "**Picture**")
        shown = image if truth is None else np.hstack([image, COLOURS[truth]])
        view = stage("scene_picture", zoom=False)
        if truth is None:
            view.show(shown, alt="The picture")
        else:
            boundary.take_click(view, truth.shape[1])
            view.show(shown, alt="The picture and its true classes", caption=HOW_TO_READ, pick=boundary.PIXELS)
    for panel, row, (name, each) in zip(panels[1:], rows, looks.items(), strict=True):
        with panel:
            known = f" · mIoU **{row['mIoU']:.3f}** · {strays(truth, each.labels)}" if truth is not None else ""
            words(f"**{row['upsampling']}**{known}", f"{name}-score")
            values = beside(each.labels, truth)
            stage(name, zoom=False).show(
                size=values.shape[::-1],
                layers=[Labels(values, SHADES, 1.0)],
                alt=f"Classes found by the network with {row['upsampling']} upsampling, and its mistakes",
            )
    if not following():
        every = [*([] if truth is None else [truth]), *(each.labels for each in looks.values())]
        st.html(class_swatches(np.stack(every)))
    if truth is not None:
        boundaries(image, truth, looks, rows)
    if following():
        return
    if truth is None:
        figures(rows)
    decoders(looks)
    device, total = next(iter(looks.values())).device, sum(each.seconds for each in looks.values())
    page.footer(", ".join(looks), device, 1000 * total)


def boundaries(image: np.ndarray, truth: np.ndarray, looks: dict[str, Look], rows: list[dict]) -> None:
    """What the upsampling does to the boundaries: scores, a few pixels enlarged, all figures."""
    scored = {row["upsampling"]: row["boundary F"] for row in rows}
    worst, best = min(scored.values()), max(scored.values())
    with page.predict(
        "upsampling-spread", "How far apart are the best and the worst boundary F of the five, on this scene as it is "
        "now?", list(SPREADS),
    ) as prediction:  # fmt: skip
        told = " · ".join(f"{name} **{value:.3f}**" for name, value in scored.items())
        words(f"Boundary F: {told}", "scene_boundaries_said")
        boundary.enlarged(image, truth, {name.removeprefix("segmenter-"): each.labels for name, each in looks.items()})
        if not following():
            st.caption(stray_classes.DEFINITION + " The boundary F-score counts no stray class either.")
            figures(rows)
        cards = {row["upsampling"]: row for row in rows}
        on_cards = [row["card boundary F"] for row in rows]
        noisy = max(cards, key=lambda name: cards[name]["card stray classes"])
        prediction.outcome(
            next(name for name, limit in SPREADS.items() if best - worst < limit),
            f"From {worst:.3f} to {best:.3f}; on 500 scenes from {min(on_cards):.3f} to {max(on_cards):.3f}. The "
            "encoder's features, added on the way up, bring the boundaries back whatever the upsampling. Look for "
            f"stray specks instead: {noisy} sees {cards[noisy]['card stray classes']:.1f} classes in a scene that are "
            "not there.",
        )


def figures(rows: list[dict]) -> None:
    """The networks' scores and costs, one row each."""
    st.dataframe(
        rows, hide_index=True, key="scene_figures",
        column_config={
            "parameters": st.column_config.NumberColumn(format="localized"),
            "multiply-adds, M": st.column_config.NumberColumn(help="Millions, for one 224×224 picture"),
            "boundary F": st.column_config.NumberColumn(help="Csurka et al. 2013, with the tolerance chosen above"),
            "card mIoU": st.column_config.NumberColumn(help="On 500 scenes no network has seen"),
            "card boundary F": st.column_config.NumberColumn(help="On the same 500 scenes, within 1 pixel"),
            "stray px": st.column_config.NumberColumn(help="Pixels of classes that are not in the picture"),
            "card stray classes": st.column_config.NumberColumn(help="In a scene, mean of the same 500"),
        },
    )  # fmt: skip


@st.fragment
@page.guard()
def decoders(looks: dict[str, Look]) -> None:
    """The feature maps of all networks at one stage of the decoder, from 28 to 224 pixels."""
    st.subheader("Inside the five decoders", anchor="decoders")
    which = st.segmented_control("Channel", MAPS, default=MAPS[0], required=True, key="scene_map", bind="query-params")
    names = [name for name, _ in next(iter(looks.values())).maps]
    with live_slider("Decoder stage", options=names, value=names[2], key="scene_stage", play=True) as layer:
        panels = [panel for _ in range(2) for panel in st.columns(3)]
        for panel, (name, each) in zip(panels, looks.items(), strict=False):
            values = dict(each.maps)[layer][MAPS.index(which)].astype(np.float32)
            with panel:
                st.markdown(f"**{name.removeprefix('segmenter-')}** · {values.shape[0]} × {values.shape[1]}")
                stage(f"{name}-features", zoom=False).show(
                    size=(224, 224),
                    layers=[Heat(values, opacity=1.0, smooth=False)],
                    alt=f"Features of {name}, {layer}",
                )
        with panels[-1]:
            st.caption(
                "Look at the stage that ends in *upsampled*: nails and unpooling leave gaps, nearest leaves blocks, "
                "bilinear blurs. The encoder's features, added at all sizes but the last (skip connections), and the "
                "convolution after them mend that. Bright: strong activation."
            )


def beside(labels: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
    """Indices into SHADES: the prediction and, beside it, the darkened truth with every mistake marked."""
    if truth is None:
        return labels
    return np.hstack([labels, np.where(labels == truth, truth + len(PALETTE), 2 * len(PALETTE)).astype(np.uint8)])


def score(truth: np.ndarray | None, labels: np.ndarray, tolerance: float) -> dict[str, float]:
    if truth is None:
        return {}
    classes = len(scenes.CLASSES)
    confusion = segmentation_metrics.confusion_matrix(truth, labels, classes)
    return {
        "mIoU": round(segmentation_metrics.scene_mean_iou(confusion), 3),
        "boundary F": round(segmentation_metrics.boundary_f(truth, labels, classes, tolerance), 3),
        "accuracy": round(segmentation_metrics.pixel_accuracy(confusion), 3),
        "stray px": int(segmentation_metrics.stray_pixels(confusion).sum()),
    }


def strays(truth: np.ndarray, labels: np.ndarray) -> str:
    confusion = segmentation_metrics.confusion_matrix(truth, labels, len(scenes.CLASSES))
    return stray_classes.named(scenes.CLASSES, segmentation_metrics.stray_pixels(confusion))


def price(name: str, each: Look) -> dict[str, float]:
    """What the network costs, and what its card says it reached on held-out scenes."""
    card = catalog.card(name)
    return {
        "parameters": card["parameters"],
        "multiply-adds, M": round(multiply_adds(name) / 1e6),
        "ms here": round(each.seconds * 1000, 1),
        "card mIoU": card["metrics"].get("miou"),
        "card boundary F": card["metrics"].get("boundary_f"),
        "card stray classes": card["metrics"].get("stray_classes"),
    }
