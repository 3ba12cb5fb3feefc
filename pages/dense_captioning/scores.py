"""How good is a sentence? METEOR opened word by word, and the figures of the network."""

import plotly.graph_objects as go
import streamlit as st

from labs import caption_scores, porter_stemmer
from models import catalog
from pages.dense_captioning.shared import NETWORK
from ui import page
from ui.components import words
from ui.pictures import KEPT

TRUTHS = (
    "a black ball with white stripes on the road",
    "a spotted dalmatian dog, sitting on the grass",
    "a yellow and black sports car, seen from the front on the road",
)
SAID = (
    "a striped black ball on the grass",
    "a black ball with white stripes on the road",
    "on the road with white stripes a black ball",
    "a sitting dog with spots on the grass",
    "a black and yellow car, seen from behind on the road",
    "the sky",
)


@st.fragment
@page.guard()
def scores() -> None:
    """Two sentences, aligned."""
    page.section(
        "How good is a sentence?",
        "METEOR pairs the words of two sentences, first equal ones, then those with the same stem.",
    )
    left, right = st.columns(2, gap="large")
    with left:
        truth = st.selectbox("True sentence", TRUTHS, key="densecap_true", **KEPT)
    with right:
        said = st.selectbox("What was said", SAID, key="densecap_said", **KEPT)
    told, heard = split(truth), split(said)
    found = caption_scores.align(heard, told)
    reversed_score = caption_scores.meteor(heard[::-1], told)
    with page.predict(
        "densecap-meteor", "What happens to the score if what was said is said backwards?",
        ["It falls", "It stays", "It rises"],
    ) as prediction:  # fmt: skip
        partner = {place: (other, kind) for place, other, kind in found.pairs}
        shown = [
            word if place not in partner
            else f"**{word}**" if partner[place][1] == "exact"
            else f":blue[**{word}**] (stem {porter_stemmer.stem(word)})"
            for place, word in enumerate(heard)
        ]  # fmt: skip
        words(f"{' '.join(shown)}", "densecap_aligned")
        words(
            f"{len(found.pairs)} pairs: precision {len(found.pairs)} / {found.words}, recall {len(found.pairs)} / "
            f"{found.true_words}, mean 10 P R / (R + 9 P) = {found.mean:.3f}\n\n"
            f"{found.chunks} chunks: penalty 0.5 · ({found.chunks} / {max(len(found.pairs), 1)})³ = "
            f"{found.penalty:.3f}\n\n"
            f"**METEOR = {found.score:.3f}**; backwards {reversed_score:.3f}",
            "densecap_meteor",
        )
        change = reversed_score - found.score
        prediction.outcome(
            "It falls" if change < -1e-9 else "It rises" if change > 1e-9 else "It stays",
            "Words alone count in precision and recall; their order counts in the chunks.",
        )
    st.caption("Bold: a pair of equal words. Blue: a pair by stem. METEOR's pairs by synonym need a dictionary and "
               "are left out here.")  # fmt: skip
    page.show_code(
        [caption_scores.align, caption_scores.Alignment, porter_stemmer.stem],
        r"\text{METEOR} = \frac{10\,P R}{R + 9 P} "
        r"\left(1 - \tfrac{1}{2} \Big(\frac{\text{chunks}}{\text{pairs}}\Big)^3\right)",
        "nltk.translate.meteor_score.single_meteor_score(reference, hypothesis)",
    )


def split(sentence: str) -> list[str]:
    """Words without punctuation, in small letters."""
    return [word for word in (each.strip(".,;:!?()").lower() for each in sentence.split()) if word]


@st.fragment
@page.guard()
def figures() -> None:
    """The card, attribute by attribute."""
    card = catalog.card(NETWORK)
    metrics, recipe = card["metrics"], card["recipe"]
    page.section(
        "On held-out scenes",
        f"{metrics['things']} things of {metrics['scenes']} scenes that it has never seen, each with its true box.",
    )
    attributes = metrics["attributes"]
    classes = list(dict.fromkeys(name.split(": ")[0] for name in attributes))
    label = st.segmented_control("Class", classes, default=classes[0], required=True, key="densecap_figures", **KEPT)
    own = {name.split(": ")[1]: value for name, value in attributes.items() if name.startswith(f"{label}: ")}
    worst = min(own, key=lambda name: own[name])
    with page.predict(
        "densecap-worst", f"Which attribute of a {label} does it get wrong most often?", sorted(own)
    ) as prediction:
        order = sorted(own, key=lambda name: own[name])
        figure = go.Figure(
            go.Bar(x=[own[name] for name in order], y=order, orientation="h", marker_color="#0072B2",
                   text=[f"{own[name]:.2f}" for name in order], textposition="auto")
        )  # fmt: skip
        figure.update_layout(xaxis={"range": [0, 1], "title": "share that is right"})
        page.figure(figure, "densecap_attributes", height=60 + 45 * len(order), alt=f"Attributes of a {label}")
        prediction.outcome(worst, f"{own[worst]:.2f} of its sentences are right about it.")
    rows = {
        "class word": "class_accuracy", "attributes": "attribute_accuracy", "whole sentences": "exact",
        "dense captioning mAP": "dense_map", "the same, ranked by box alone": "dense_map_box_score",
    }  # fmt: skip
    lines = ["| what | figure |", "|---|---:|", *(f"| {name} | {metrics[key]:.3f} |" for name, key in rows.items())]
    lines += [f"| {name} | {value:.3f} |" for name, value in metrics["place"].items()]
    st.markdown("\n".join(lines))
    st.caption(
        f"`{NETWORK}` stands on the frozen `{card['trunk']['of']}`, which finds the regions: its speaker alone was "
        f"trained, {recipe['steps']} steps of {recipe['batch']} scenes. An attribute that is not told counts as one "
        "too: it is right if the true sentence does not tell it either."
    )
    st.caption(
        "The mAP is high although many sentences have a wrong word: Lab World's sentences share most of their words, "
        "and the paper's thresholds of METEOR end at 0.25. The attributes say more here."
    )
