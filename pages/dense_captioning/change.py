"""Change one word: the network has said something else, hears it, and goes on from there."""

import streamlit as st

from labs import caption_decoding
from models.networks.caption_words import WORDS
from pages.dense_captioning.shared import ask, likely, named, plain, rested, spoken
from ui import page
from ui.components import live_slider, words
from ui.pictures import KEPT, Picture

OFFERED = 6  # words to put in the place of another


@st.fragment
@page.guard()
def change(picture: Picture) -> None:
    """One word is replaced, and the rest is spoken anew."""
    page.section(
        "Change a word",
        "Every word is chosen after all words before it, so put another one in its place and see what follows.",
    )
    box = rested(picture)
    asked, caption = ask(picture, box), plain(picture, box)
    with live_slider("Which word", 1, 12, 2, key="densecap_changed", window=2) as number:
        at = min(number, len(caption.words) - 1) - 1
        begun, old = caption.words[:at], caption.words[at]
        words(f"{spoken(caption, at)}", "densecap_before")
    names, p = likely(asked.next_words(begun), OFFERED + 1)
    others = [(word, share) for word, share in zip(names, p, strict=True) if word != WORDS[old]][:OFFERED]
    new = st.pills(
        f"Instead of “{WORDS[old]}”", [word for word, _ in others], default=others[0][0], required=True,
        key="densecap_instead", **KEPT,
    )  # fmt: skip
    chosen = dict(others)
    if new not in chosen:
        new = others[0][0]
    other = asked.greedy((*begun, WORDS.index(new)))
    before, after = named(caption.words[at + 1 :]), named(other.words[at + 1 :])
    changed = before != after
    with page.predict(
        "densecap-change",
        f"The network says “{WORDS[old]}” as word {at + 1}; let it have said “{new}”. Does anything after it change?",
        ["Nothing", "Something"],
    ) as prediction:
        words(
            f"It said: {' '.join(named(caption.words))}\n\nAfter your change: {' '.join(named(begun))} **{new}** "
            f"{' '.join(after)}", "densecap_after",
        )  # fmt: skip
        words(
            f"“{new}” had a probability of {chosen[new]:.3f} here, “{WORDS[old]}” {p[0]:.3f}. All words together: "
            f"log p = {sum(caption.log_probabilities):.2f} before, {sum(other.log_probabilities):.2f} after.",
            "densecap_change_cost",
        )
        prediction.outcome(
            "Something" if changed else "Nothing",
            "The words after it were chosen with the new word in memory."
            if changed
            else "What the cells show is stronger here than the word in memory.",
        )
    page.show_code(
        [caption_decoding.greedy],
        r"\hat y_t = \arg\max_w\; p(w \mid y_1, \dots, y_{t-1}, \text{region})",
        "transformers: model.generate(..., do_sample=False, num_beams=1)",
    )
