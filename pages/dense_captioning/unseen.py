"""What it has never seen: a colour and a class that never came together in training. Does the network compose them?"""

from dataclasses import replace

import numpy as np
import streamlit as st
import torch

import scenes
from models import catalog
from models.networks.caption_words import WORDS, tokens
from models.recipes import caption_facts
from models.recipes.densecap import NEVER
from pages.dense_captioning.shared import NETWORK, ORANGE, ask, likely, plain, table, xyxy
from scenes import things
from ui import page
from ui.components import Box, Boxes, live_slider, matrices, stage, words
from ui.pictures import KEPT, Picture

OFFERED = {  # colours that the sentences of a class can name, one of which is held out
    "duck": ("blue", "white", "grey", "cream", "black", "pink", "mint"),
    "car": ("purple", "red", "yellow", "green", "navy", "mint", "white"),
    "motorcycle": ("orange", "red", "yellow", "green", "blue", "pink", "black"),
    "ball": ("green", "red", "yellow", "blue", "purple", "white", "orange"),
}
LOOKS = 3000  # how many looks are drawn until one has the colour


@st.cache_data(max_entries=200, show_spinner=False)
def painted(label: str, colour: str, number: int) -> tuple[np.ndarray, tuple[float, float, float, float], str]:
    """A scene by day with one thing of that class and colour: picture, box, and the true sentence."""
    module, rng = things.MODULES[label], np.random.default_rng([number, *colour.encode()])
    looks = (module.sample(rng) for _ in range(LOOKS))
    look = next((look for look in looks if pair(module.phrase(look)) == (colour, label)), None)
    if look is None:
        raise ValueError(f"Lab World paints no {colour} {label}.")
    knobs = scenes.Knobs(objects=1, classes=(label,), truncation=0.0, light=1.0, fog=0.0, noise=0.05)
    for seed in range(500 * number + 7, 500 * number + 57):
        scene = scenes.sample(seed, knobs)
        if scene.objects and 45 <= max(scene.objects[0].box[2:] - scene.objects[0].box[:2]) <= 130:
            view = scenes.render(replace(scene, objects=(replace(scene.objects[0], look=look),)))
            if view.instances and view.instances[0].visible > 0.95:
                thing = view.instances[0]
                return view.image, xyxy(thing.box), thing.caption
    raise ValueError(f"There is no scene number {number} with a {label}.")


def pair(sentence: str) -> tuple[str, str]:
    """Colour and class of a sentence."""
    return caption_facts.attributes_of(sentence).get("colour", ""), caption_facts.class_of(sentence)


@st.fragment
@page.guard()
def unseen() -> None:
    """One thing in a colour of choice, and what the network says of it."""
    held_out = [f"{colour} {label}s" for colour, label in NEVER]
    page.section(
        "What it has not seen",
        f"No picture with {', '.join(held_out[:-1])} or {held_out[-1]} was in its training, but their colours and "
        "classes were, each apart.",
    )
    columns, body = st.columns([2, 4, 3], gap="large"), st.container()
    with columns[0]:
        label = st.selectbox("Class", list(OFFERED), key="densecap_class", **KEPT)
    with columns[1]:
        colour = st.pills("Colour", OFFERED[label], default=OFFERED[label][0], required=True,
                          key=f"densecap_colour_{label}", **KEPT)  # fmt: skip
    with (
        columns[2],
        live_slider("Example", 1, 12, 1, key="densecap_example") as number,
        body,
    ):
        image, box, truth = painted(label, colour, number)
        picture, place = Picture(image, "painted"), torch.tensor(box)
        caption = plain(picture, place)
        told = pair(caption.text)
        never = (colour, label) in NEVER
        asked = f"No training picture had a {colour} {label}." if never else f"Training had many a {colour} {label}."
        with page.predict(
            "densecap-unseen", f"{asked} Does the network say “{colour}” and name a {label}?",
            ["Both", "Only the class", "Only the colour", "Neither"],
        ) as prediction:  # fmt: skip
            left, right = st.columns([2, 3], gap="large")
            with left:
                stage("densecap_unseen", zoom=False).show(
                    image, [Boxes([Box("thing", box, "", ORANGE, width=2.5)])], alt=f"A {colour} {label}",
                )  # fmt: skip
            with right:
                words(f"**It says:** {caption.text}\n\n**Truth:** {truth}", "densecap_unseen_said")
                at = named_at(truth, colour)
                names, p = likely(ask(picture, place).next_words(tokens(truth)[:at]), 6)
                matrices("densecap_colours").show(
                    [table(names, p, f"where the truth says “{WORDS[tokens(truth)[at]]}”")],
                    caption="After the true words before it.",
                )
            colour_said = told[0] == colour
            outcome = {(True, True): "Both", (True, False): "Only the class", (False, True): "Only the colour"}
            prediction.outcome(
                outcome.get((told[1] == label, colour_said), "Neither"),
                "It learned colours and classes apart, and puts them together."
                if colour_said and never
                else "A word that never followed such cells has to win over words that did."
                if never
                else "This pair was in its training.",
            )
    figures()


def named_at(truth: str, colour: str) -> int:
    """The place of the colour's first word in the true sentence."""
    said = [WORDS[word] for word in tokens(truth)]
    return said.index(colour.split()[0]) if colour.split()[0] in said else 1


def figures() -> None:
    """Both kinds of pairs on held-out scenes, from the card."""
    metrics = catalog.card(NETWORK)["metrics"]
    lines = ["| on held-out scenes | things | class right | colour right |", "|---|---:|---:|---:|"]
    for key, name in (("unseen_pairs", "pairs that no training had"), ("seen_pairs", "other colours, same classes")):
        found = metrics[key]
        lines.append(f"| {name} | {found['things']} | {found['class']:.3f} | {found['colour']:.3f} |")
    st.markdown("\n".join(lines))
