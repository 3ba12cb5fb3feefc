"""Teacher forcing against free running: how a network is taught, and how it speaks."""

from contextlib import nullcontext

import numpy as np
import streamlit as st
import torch

from labs import caption_decoding
from models.networks.caption_words import tokens
from pages.dense_captioning.shared import ask, named, plain
from ui import page
from ui.components import Grid, live_slider, matrices, words
from ui.pictures import Picture

RIGHT, WRONG = "#009E73", "#D55E00"
SHOWN = 12  # words side by side


@st.fragment
@page.guard()
def forced(picture: Picture) -> None:
    """The true sentence, word by word, and the network's own."""
    page.section(
        "Teacher forcing",
        "In training, the network hears the true words and is asked for the next one. Alone, it hears itself.",
    )
    things = picture.view.instances if picture.view else ()
    if not things:
        st.caption("There is no true sentence here: choose a Lab World scene with a thing in it.")
        return
    largest = int(np.argmax([float(np.prod(thing.box[2:] - thing.box[:2])) for thing in things]))
    with live_slider(
        "Thing", options=[f"{n + 1} {each.label}" for n, each in enumerate(things)],
        value=f"{largest + 1} {things[largest].label}", key="densecap_thing", window=2,
    ) if len(things) > 1 else nullcontext(f"1 {things[0].label}") as chosen:  # fmt: skip
        thing = things[int(chosen.split()[0]) - 1]
        box = torch.tensor(thing.box, dtype=torch.float32)
        asked, free = ask(picture, box), plain(picture, box)
        truth = tokens(thing.caption)
        costs, would = caption_decoding.teacher_forced(asked.step, truth)
        words(f"**Truth.** {thing.caption}", "densecap_truth")
        hardest = int(costs.argmin())
        options = sorted({*costs.topk(min(3, len(truth)), largest=False).indices.tolist(), 1, hardest})
        offered = {f"{named([truth[place]])[0]} (word {place + 1})": place for place in options}
        with page.predict(
            "densecap-hardest", "Which true word does the network expect least?", list(offered)
        ) as prediction:
            said = would.tolist()
            marks = [RIGHT if a == b else WRONG for a, b in zip(said, truth, strict=True)]
            rows = [
                named(truth)[:SHOWN], named(said)[:SHOWN], [f"{p:.2f}" for p in costs.exp().tolist()][:SHOWN]
            ]  # fmt: skip
            width = len(rows[0])
            matrices("densecap_forced", window=2).show(
                [Grid("forced", np.stack([np.ones(width), np.ones(width), costs.exp()[:SHOWN].numpy()]),
                      title="word by word", text=rows, rows=["true word", "network's", "p of the true"], cell=60,
                      colour=[[None] * width, marks[:SHOWN], [None] * width])],
                caption="Green: right, after the true words before it. Vermilion: wrong."
                + (f" The first {SHOWN} of {len(truth)} words." if len(truth) > SHOWN else ""),
            )  # fmt: skip
            words(
                f"Loss, the mean of −log p over {len(truth)} words: **{-float(costs.mean()):.3f}** nats",
                "densecap_loss",
            )
            words(f"**Free running.** {free.text} {verdict(named(truth), named(free.words))}", "densecap_free")
            prediction.outcome(
                next(text for text, place in offered.items() if place == hardest),
                f"Its probability was {float(costs.exp().min()):.3f}.",
            )
    page.show_code(
        [caption_decoding.teacher_forced],
        r"L = -\frac{1}{T} \sum_{t=1}^{T} \log p(y_t \mid y_1, \dots, y_{t-1}, \text{region})",
        "torch.nn.functional.cross_entropy(logits, words)",
    )


def verdict(truth: list[str], said: list[str]) -> str:
    """Where a sentence leaves the truth."""
    if truth == said:
        return ":green-badge[✓ every word is right]"
    place = next((n for n, (a, b) in enumerate(zip(truth, said, strict=False)) if a != b), min(len(truth), len(said)))
    return f":orange-badge[✗ it leaves the truth at word {place + 1}]"
