"""Where a word comes from: the attention before it, and the gradient of its probability."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from models import catalog
from pages.dense_captioning.shared import ORANGE, ask, look_at, named, plain, rested, xyxy
from pages.shared.heat_maps import greyed
from ui import page
from ui.components import Box, Boxes, Heat, live_slider, stage, words
from ui.pictures import Picture


@st.cache_data(max_entries=400, show_spinner=False)
def slope(image: np.ndarray, box: tuple[float, float, float, float], said: tuple[int, ...], at: int) -> np.ndarray:
    """How much each of 14x14 places counted for a word: what was read there times the gradient, (14, 14)."""
    asked = ask(Picture(image, ""), torch.tensor(box))
    return catalog.load("densecap").gradient(asked.seen, asked.box, said, at).numpy()


@st.fragment
@page.guard()
def looked(picture: Picture) -> None:
    """Attention and gradient of one word, side by side."""
    page.section(
        "Where each word looked",
        "The attention says where the network read before a word; the gradient says what moved the word's probability.",
    )
    box = rested(picture)
    caption = plain(picture, box)
    with live_slider("Word of the sentence", 1, 30, 3, key="densecap_looked", window=1) as number:
        at = min(number, len(caption.words)) - 1
        word = named(caption.words)[at]
        words(" ".join(f"**{each}**" if n == at else each for n, each in enumerate(named(caption.words))),
              "densecap_looked_at")  # fmt: skip
        counted = slope(picture.image, xyxy(box), caption.words, at)
        attention = caption.looks[at].numpy()
        with page.predict(
            "densecap-looked",
            f"Which half of the region moved the probability of “{word}” (word {at + 1}) more?",
            ["Upper", "Lower"],
        ) as prediction:
            for place, key, values, title in zip(
                st.columns(2, gap="medium"), ("densecap_attention", "densecap_slope"), (attention, counted),
                ("Attention: where it read", "Gradient: what counted"), strict=True,
            ):  # fmt: skip
                with place:
                    words(f"**{title}**", f"{key}_title")
                    shown(picture, key, box, values)
            upper = float(counted[:7].sum() / max(counted.sum(), 1e-12))
            words(
                f"The upper half holds {upper:.0%} of the gradient and {float(attention_above(attention)):.0%} of the "
                "attention.", "densecap_halves",
            )  # fmt: skip
            prediction.outcome(
                "Upper" if upper >= 0.5 else "Lower",
                "Words on the ground look at the foot of the box; names and colours look at the thing.",
            )


def attention_above(attention: np.ndarray) -> float:
    """The share of 7x7 cells' attention in the upper half; the middle row counts half."""
    return float((attention[:3].sum() + attention[3].sum() / 2) / attention.sum())


def shown(picture: Picture, key: str, box: Tensor, values: np.ndarray) -> None:
    """A map over the region, on the picture in grey."""
    stage(key, zoom=False).show(
        greyed(picture.image),
        [Heat(values, "inferno", 0, float(values.max()) or 1.0, opacity=0.7, smooth=False, xyxy=look_at(box)),
         Boxes([Box("region", xyxy(box), "", ORANGE, width=2)])],
        alt="The picture in grey, and a map over its region",
    )  # fmt: skip
