"""What is known of the scene: its three maps, a row per thing, and the same as COCO's JSON."""

import json

import numpy as np
import streamlit as st

from pages.lab_world.layers import layers_of
from scenes import CLASSES
from scenes.coco import to_coco
from ui import page
from ui.components import stage

HIDDEN_BELOW = 0.98  # visible share under which a thing counts as partly hidden, here as in its caption
HIDDEN_MEANS = f"A thing counts when less than {HIDDEN_BELOW:.0%} of it is visible."
MAPS = {
    "Semantic": "Every pixel has a class, things and stuff alike. Two cars that touch become one region.",
    "Instance": "Every thing has a mask of its own, so things can be counted. Stuff has none.",
    "Panoptic": "Every pixel has a class, and things are kept apart as well: both in one map.",
}


def partly_hidden(thing) -> bool:
    return thing.visible < HIDDEN_BELOW


def three_maps(view) -> None:
    """Semantic, instance and panoptic map side by side, behind the question which class is the largest."""
    page.section(
        "Semantic, instance, panoptic",
        "A *thing* can be counted (a cat, a car); *stuff* cannot (sky, grass). The three maps treat them differently.",
    )
    shares = np.bincount(view.semantic.ravel(), minlength=len(CLASSES)) / view.semantic.size
    order = np.argsort(-shares, kind="stable")
    options = sorted(CLASSES[k] for k in order[:4] if shares[k] > 0)
    winner = CLASSES[order[0]]
    with page.predict("largest", "Which class covers the most pixels of this scene?", options) as prediction:
        for (name, sentence), column in zip(MAPS.items(), st.columns(3), strict=True):
            with column:
                st.markdown(f"**{name}.** {sentence}")
                stage(f"world_{name.lower()}", zoom=False).show(
                    view.image, layers_of(view, ["Masks" if name == "Instance" else name]),
                    alt=f"{name} map of scene {view.scene.seed}",
                )  # fmt: skip
        prediction.outcome(
            winner,
            f"A network that answered {winner} everywhere would have {shares[order[0]]:.0%} pixel accuracy and a mean "
            f"IoU of {shares[order[0]] / (shares > 0).sum():.2f}: that is why mean IoU is the figure to watch.",
        )


def around(answer: int, most: int) -> list[int]:
    """Four neighbouring counts from 0 to `most` with `answer` among them, not always in the same place."""
    first = max(0, min(answer - answer % 3, most - 3))
    return list(range(first, min(first + 3, max(most, 3)) + 1))


def instances(view) -> None:
    page.section(
        "Look inside",
        "One row per thing that can be seen, numbered as on its box, with every label that networks learn from.",
    )
    if not view.instances:
        st.info("No thing is in this scene: every pixel is sky, grass, road, water or tree. Raise Objects to add some.")
        return
    hidden = [i for i in view.instances if partly_hidden(i)]
    question = f"How many things are partly hidden by something nearer? {HIDDEN_MEANS}"
    with page.predict("hidden", question, around(len(hidden), len(view.instances))) as prediction:
        st.dataframe(
            [
                {
                    "no.": number,
                    "class": i.label,
                    "visible": i.visible,
                    "partly hidden": "yes" if partly_hidden(i) else "no",
                    "pixels": int(i.mask.sum()),
                    "box": " ".join(f"{v:.0f}" for v in i.box),
                    "full box": " ".join(f"{v:.0f}" for v in i.full_box),
                    "caption": i.caption,
                    "attributes": ", ".join(f"{k}: {v}" for k, v in i.attributes.items()),
                }
                for number, i in enumerate(view.instances, start=1)
            ],
            column_config={
                "visible": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent"),
                "partly hidden": st.column_config.TextColumn(help=HIDDEN_MEANS),
                "box": st.column_config.TextColumn(help="x1 y1 x2 y2 in pixels, around what is visible"),
                "full box": st.column_config.TextColumn(help="x1 y1 x2 y2 in pixels, around all of the thing: amodal"),
            },
            hide_index=True,
            row_height=38,
        )
        prediction.outcome(
            len(hidden),
            "Switch on *Boxes* and *Full extent*: a solid box goes around what is visible, a dashed one around all of "
            "the thing, hidden parts too. The dashed one is called *amodal*. "
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
