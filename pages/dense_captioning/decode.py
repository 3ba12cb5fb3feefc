"""From probabilities to a sentence: by lot at a temperature, and the best of a beam."""

import numpy as np
import streamlit as st
import torch

from labs import caption_decoding
from models.networks.caption_words import END, LONGEST
from pages.dense_captioning.shared import ask, likely, named, plain, rested
from ui import page
from ui.components import Grid, live_slider, matrices, words
from ui.pictures import Picture

DRAWS = 5
SHOWN = 6  # beginnings of a beam that are written out


@st.fragment
@page.guard()
def temperature(picture: Picture) -> None:
    """Sentences by lot."""
    page.section(
        "Temperature",
        "A network gives probabilities, not a sentence. Draw the words by lot: the temperature says how bravely.",
    )
    box = rested(picture)
    asked, caption = ask(picture, box), plain(picture, box)
    columns, body = st.columns(2, gap="large"), st.container()
    with (
        columns[0],
        live_slider("Temperature", 0.0, 3.0, 2.0, step=0.1, key="densecap_temperature", format="%.1f") as degree,
        columns[1],
        live_slider("First lot", 0, 50, 0, key="densecap_lot") as lot,
        body,
    ):
        place = hesitant(caption)
        log_p = asked.next_words(caption.words[:place]).log()
        drawn = [caption_decoding.sampled(asked.step, END, LONGEST, degree, seed) for seed in range(lot, lot + DRAWS)]
        same = sum(each.words == caption.words for each in drawn)
        with page.predict(
            "densecap-temperature",
            f"Five sentences are drawn at temperature {degree:.1f}. How many are the greedy one?",
            list(range(DRAWS + 1)),
        ) as prediction:
            left, right = st.columns([2, 3], gap="large")
            with left:
                names, _ = likely(log_p.exp(), 6)
                both = torch.stack([log_p.exp(), caption_decoding.tempered(log_p, degree).exp()], 1)
                rows = both[log_p.topk(6).indices].numpy()
                matrices("densecap_tempered").show(
                    [Grid("tempered", rows, title=f"word {place + 1}, at temperature", rows=names,
                          columns=["1", f"{degree:.1f}"], vmin=0, vmax=1, format="%.2f", colour="sequential", cell=42)],
                )  # fmt: skip
            with right:
                words(
                    "\n\n".join(
                        f"{' '.join(named(each.words))} :gray[log p = {each.log_probability:.1f}]" for each in drawn
                    ),
                    "densecap_drawn",
                )
            prediction.outcome(
                same,
                "At 0 the lot always falls on the most probable word."
                if degree == 0
                else f"Greedy's log p is {sum(caption.log_probabilities):.1f}.",
            )


def hesitant(caption) -> int:
    """The place of the word that the network was least sure of."""
    return int(np.argmin(caption.log_probabilities))


@st.fragment
@page.guard()
def beam(picture: Picture) -> None:
    """Beam search: several beginnings at once."""
    page.section(
        "Beam search",
        "The best sentence need not begin with the best word, so keep several beginnings alive.",
    )
    box = rested(picture)
    asked, caption = ask(picture, box), plain(picture, box)
    total = sum(caption.log_probabilities)
    columns, body = st.columns(3, gap="large"), st.container()
    with (
        columns[0],
        live_slider("Beam width", 1, 8, 4, key="densecap_width") as width,
        columns[1],
        live_slider("Length power", 0.0, 1.0, 0.0, step=0.1, key="densecap_power", format="%.1f") as power,
    ):
        history = caption_decoding.beam_search(asked.step, END, LONGEST, width, power)
        won = history[-1][0]
        better = won.log_probability > total + 1e-4
        with (
            columns[2],
            live_slider("After how many words", 1, 20, 3, key="densecap_beam_step", window=2) as length,
            body,
            page.predict(
                "densecap-beam",
                f"Does a beam of width {width} find a sentence that is more probable than the greedy one?",
                ["Yes", "No"],
            ) as prediction,
        ):
            alive = history[min(length, len(history)) - 1]
            lines = [
                f"{number + 1}. {' '.join(named(each.words))} :gray[{each.score(power):.2f}"
                f"{', ended' if each.ended else ''}]"
                for number, each in enumerate(alive[:SHOWN])
            ]
            words("\n\n".join([f"**The beam after {min(length, len(history))} words**", *lines]), "densecap_alive")
            words(
                f"Greedy, log p = {total:.2f}: {' '.join(named(caption.words))}\n\n"
                f"Beam, log p = {won.log_probability:.2f}: {' '.join(named(won.words))}",
                "densecap_won",
            )
            prediction.outcome(
                "Yes" if better else "No",
                "The greedy sentence began better and ended worse."
                if better
                else "With width 1 it is greedy itself."
                if width == 1
                else "With a length power, the mean of a word counts, not the sum."
                if won.log_probability < total - 1e-4
                else "The network is sure enough that greed does no harm here.",
            )
    page.show_code(
        [caption_decoding.tempered, caption_decoding.beam_search],
        r"p_T(w) = \frac{p(w)^{1/T}}{\sum_v p(v)^{1/T}}, \qquad "
        r"\text{score}(y) = \frac{1}{|y|^{\alpha}} \sum_t \log p(y_t \mid y_{<t})",
        "transformers: model.generate(..., num_beams=4, length_penalty=0.0); do_sample=True, temperature=0.7",
    )
