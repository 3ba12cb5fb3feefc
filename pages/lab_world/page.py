"""Lab World: the procedural scenes that every network of the lab is trained and judged on, with their exact truth."""

import json
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import streamlit as st

import scenes
from scenes import CLASSES, JOINTS, PALETTE, SKELETON, THINGS, Knobs, Scene, View
from scenes.coco import run_lengths, to_coco
from scenes.render import FIRST_THING, add_noise
from ui import page
from ui.components import Box, Boxes, Labels, Lines, Points, live_slider, resting, stage

HIDDEN_BELOW = 0.98  # visible share under which a thing counts as partly hidden, here as in its caption
HIDDEN_MEANS = f"A thing counts when less than {HIDDEN_BELOW:.0%} of it is visible."
KNOBS = ("objects", "occlusion", "light", "fog", "noise")
LAYERS = ("Boxes", "Full extent", "Masks", "Semantic", "Panoptic", "Keypoints", "Captions")
COLOURS = [PALETTE[name] for name in CLASSES]
# One colour per instance, told apart by lightness too; stuff keeps its class colour.
INSTANCE_COLOURS = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#cc79a7",
    "#d55e00",
    "#0072b2",
    "#ffffff",
    "#8c564b",
    "#b39ddb",
)


# Light, fog and noise leave the truth as it is, and noise leaves the clean picture as it is: each is drawn once.
@st.cache_resource(max_entries=256, show_spinner=False)
def truth(seed: int, objects: int, classes: tuple, occlusion: float, size: int) -> View:
    """The scene in clear daylight with its truth; a lecture hall that looks at one scene renders it once."""
    knobs = Knobs(objects=objects, classes=classes, occlusion=occlusion, light=1.0, fog=0.0, noise=0.0)
    return scenes.render(scenes.sample(seed, knobs), size)


@st.cache_resource(max_entries=512, show_spinner=False)
def clean(_scene: Scene, key: tuple, light: float, fog: float, size: int) -> np.ndarray:
    """The picture before the noise; `key` names the scene."""
    return scenes.render_image(replace(_scene, light=light, fog=fog), size)


def next_scene() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % 1_000_000


def instance_colour(identity: int) -> str:
    return INSTANCE_COLOURS[(identity - FIRST_THING) % len(INSTANCE_COLOURS)]


def layers_of(view, chosen: list[str]) -> list:
    """The chosen ground truth as layers of the stage, rasters first."""
    layers = []
    if "Semantic" in chosen:
        layers.append(Labels(view.semantic, COLOURS, opacity=0.75))
    if "Panoptic" in chosen:
        ids = [
            COLOURS[i - 1] if 1 <= i <= 5 else instance_colour(i) for i in range(FIRST_THING + len(view.instances) + 40)
        ]
        layers.append(Labels(view.panoptic, ids, opacity=0.8))
    if "Masks" in chosen:
        things = [None if i < FIRST_THING else instance_colour(i) for i in range(FIRST_THING + 60)]
        layers.append(Labels(view.panoptic, things, opacity=0.65))
    boxes = []
    for number, i in enumerate(view.instances, start=1):
        label = str(number) if "Captions" in chosen else i.label  # a caption is too long for a tag: it stands below
        note = f"{i.caption} {i.visible:.0%} visible."
        if "Full extent" in chosen:
            boxes.append(Box(f"full-{i.id}", tuple(i.full_box), "", instance_colour(i.id), dash=True, note=note))
        if "Boxes" in chosen or "Captions" in chosen:
            boxes.append(Box(f"box-{i.id}", tuple(i.box), label, instance_colour(i.id), note=note))
    if boxes:
        layers.append(Boxes(boxes))
    if "Keypoints" in chosen:
        layers += skeletons(view)
    return layers


def skeletons(view) -> list:
    """Joints and limbs of every person: filled where visible, grey where hidden."""
    layers = []
    for i in view.instances:
        if i.keypoints is None:
            continue
        inside = i.keypoints[:, 2] > 0
        limbs = [(*i.keypoints[a, :2], *i.keypoints[b, :2]) for a, b in SKELETON if inside[a] and inside[b]]
        if limbs:
            layers.append(Lines(np.array(limbs), colour="#ffffff", width=2.5))
        shown = [k for k in range(len(JOINTS)) if inside[k]]
        if shown:
            states = {1: "hidden", 2: "visible"}
            layers.append(
                Points(
                    i.keypoints[shown, :2],
                    notes=[f"{JOINTS[k].replace('_', ' ')}, {states[int(i.keypoints[k, 2])]}" for k in shown],
                    colours=["#f0e442" if i.keypoints[k, 2] == 2 else "#777777" for k in shown],
                    ids=[f"joint-{i.id}-{JOINTS[k]}" for k in shown],
                    radius=4,
                )
            )
    return layers


@st.fragment
@page.guard()
def play() -> None:
    with st.container(key="beside-world"):
        canvas, controls = st.columns([3, 2], gap="large")
    with controls, ExitStack() as sliders:
        with st.container(horizontal=True, vertical_alignment="center"):
            seed = st.number_input("Seed", 0, 999_999, 7, key="seed", bind="query-params", width=140,
                                   icon=":material/landscape:", label_visibility="collapsed")  # fmt: skip
            st.button("Next scene", icon=":material/casino:", shortcut="N", on_click=next_scene)
        slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
        objects = slide("Objects", 0, 12, 5, key="objects")
        occlusion = slide("Occlusion", 0.0, 1.0, 0.35, step=0.05, key="occlusion", format="%.2f")
        light = slide("Light: night, dusk, day", 0.0, 1.0, 1.0, step=0.02, key="light", format="%.2f", play=True)
        fog = slide("Fog", 0.0, 1.0, 0.0, step=0.02, key="fog", format="%.2f")
        noise = slide("Noise", 0.0, 1.0, 0.1, step=0.02, key="noise", format="%.2f")
        with st.expander("Classes and size"):
            classes = st.pills(
                "Classes", THINGS, selection_mode="multi", default=THINGS, key="classes", bind="query-params"
            )
            size = st.select_slider("Pixels a side", [64, 128, 224, 448], 224, key="size", bind="query-params")
        kept = tuple(name for name in THINGS if name in classes)
        known = truth(seed, objects, kept, occlusion, size)
        image = clean(known.scene, (seed, objects, kept, occlusion), light, fog, size)
        scene = replace(known.scene, light=light, fog=fog, noise=noise)
        view = replace(known, scene=scene, image=add_noise(image, seed, noise))
        with canvas:
            chosen = st.pills(
                "Show",
                LAYERS,
                selection_mode="multi",
                default=["Boxes", "Keypoints"],
                key="layers",
                bind="query-params",
                label_visibility="collapsed",
            )
            count = len(view.instances)
            stage("world", width=640).show(
                view.image,
                layers_of(view, chosen),
                smooth=size >= 224,
                alt=f"Lab World scene {seed} with {count} things",
                caption=f"Scene {seed}: {count} {'thing' if count == 1 else 'things'}, {size}×{size} pixels",
            )
            legend(view, chosen)
    # What stands below depends on the truth alone and is too slow for a drag: it follows when the hand lets go.
    shown, now = st.session_state.get("truth_shown"), (seed, objects, kept, occlusion, size)
    whole = st.session_state.pop("whole_run", False)
    if resting(*KNOBS):
        st.session_state["truth_shown"] = now
        if shown != now and not whole:
            st.rerun()


@page.guard()
def below() -> None:
    """Table, questions and JSON of the scene that the knobs left."""
    view = truth(*st.session_state["truth_shown"])
    instances(view)
    quizzes(view)
    downloads(view)


def legend(view, chosen: list[str]) -> None:
    """What the colours of the chosen layers mean: classes, or one swatch per thing; captions, one a line."""
    lines = [[chip(PALETTE[name], name) for name in classes_shown(view, chosen)]]
    if set(chosen) & {"Boxes", "Full extent", "Masks", "Panoptic", "Captions"}:
        things = [
            chip(instance_colour(i.id), f"{number} {i.caption}" if "Captions" in chosen else i.label)
            for number, i in enumerate(view.instances, start=1)
        ]
        lines += [[each] for each in things] if "Captions" in chosen else [things]
    text = "".join(f"<div>{''.join(line)}</div>" for line in lines if line)
    if text:
        st.html(f'<div style="font-size:.9rem;line-height:1.6">{text}</div>')


def classes_shown(view, chosen: list[str]) -> list[str]:
    """The classes whose colours are on the picture: all that it holds, or in a panoptic map its stuff."""
    there = [name for k, name in enumerate(CLASSES) if (view.semantic == k).any()]
    if "Semantic" in chosen:
        return there
    return [name for name in there if name not in THINGS] if "Panoptic" in chosen else []


def chip(colour: str, text: str) -> str:
    """A swatch and its meaning, as HTML."""
    return (
        '<span style="display:inline-flex;align-items:center;gap:.35em;margin:0 .9em .3em 0">'
        f'<i style="flex:none;width:.9em;height:.9em;border-radius:3px;background:{colour};box-shadow:0 0 0 1px #8888">'
        f"</i>{text}</span>"
    )


def partly_hidden(thing) -> bool:
    return thing.visible < HIDDEN_BELOW


def instances(view) -> None:
    page.section("Look inside", "One row per thing that is seen: every label the networks of this lab learn from.")
    if not view.instances:
        st.info("No thing is in this scene: every pixel is sky, grass, road, water or tree. Raise Objects to add some.")
        return
    st.dataframe(
        [
            {
                "no.": number,
                "class": i.label,
                "caption": i.caption,
                "visible": i.visible,
                "partly hidden": "yes" if partly_hidden(i) else "no",
                "pixels": int(i.mask.sum()),
                "box (x1 y1 x2 y2)": " ".join(f"{v:.0f}" for v in i.box),
                "full extent": " ".join(f"{v:.0f}" for v in i.full_box),
                "attributes": ", ".join(f"{k}: {v}" for k, v in i.attributes.items()),
            }
            for number, i in enumerate(view.instances, start=1)
        ],
        column_config={
            "visible": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent"),
            "partly hidden": st.column_config.TextColumn(help=HIDDEN_MEANS),
        },
        hide_index=True,
        row_height=38,
    )


def quizzes(view) -> None:
    page.section("Predict, then reveal", "Commit to an answer, then look.")
    shares = np.bincount(view.semantic.ravel(), minlength=len(CLASSES)) / view.semantic.size
    order = np.argsort(-shares)
    options = sorted(CLASSES[k] for k in order[:4])
    winner = CLASSES[order[0]]
    page.quiz(
        "largest",
        "Which class covers the most pixels of this scene?",
        options,
        winner,
        f"{winner} covers {shares[order[0]]:.0%} of the picture. A network that answered {winner} everywhere would "
        f"have {shares[order[0]]:.0%} pixel accuracy and a mean IoU of {shares[order[0]] / (shares > 0).sum():.2f}: "
        "why mean IoU is the figure to watch.",
    )
    hidden = [i for i in view.instances if partly_hidden(i)]
    answer = str(len(hidden))
    counts = sorted({0, 1, 2, 3, len(hidden)})
    page.quiz(
        "hidden",
        f"How many things are partly hidden by something nearer? {HIDDEN_MEANS}",
        [str(k) for k in counts],
        answer,
        "Switch on Boxes and Full extent: a solid box goes around what is visible, a dashed one around all of it. "
        + " ".join(f"{i.visible:.0%} of a {i.label} is visible." for i in hidden),
    )


def downloads(view) -> None:
    page.section("COCO JSON", "The same truth in the format that detection tools read; pycocotools loads it as it is.")
    dictionary = to_coco([view])
    text = json.dumps(dictionary)
    st.download_button(
        "Download COCO JSON", text, f"scene-{view.scene.seed}.json", "application/json", icon=":material/download:"
    )
    st.json(dictionary, expanded=1)
    st.caption("For a whole data set: `python -m scenes export --format coco --count 1000 FOLDER`")


page.begin("Lab World")
page.section("Play", "A world whose every pixel is known, because we drew it. Turn a knob and the truth follows.")
st.session_state["whole_run"] = True
play()
below()
page.show_code(
    [scenes.render, run_lengths],
    formula=r"\text{semantic}(x, y) = \text{class}\big(\text{panoptic}(x, y)\big)",
    library="from pycocotools.coco import COCO\ncoco = COCO('annotations.json')\nmask = coco.annToMask(annotation)",
)
page.sources(
    [
        ("Lin et al. 2014, Microsoft COCO: Common Objects in Context", "paper"),
        ("Kirillov et al. 2019, Panoptic Segmentation", "paper"),
        ("Johnson et al. 2017, CLEVR: scenes drawn by a program, with exact labels", "paper"),
        ("Polimi, CNNs for detection: pose as the regression of 14 joints", "lecture"),
    ]
)
