"""A region and its sentence, word by word: the probability of every next word, and where the network looks for it."""

import streamlit as st

from pages.dense_captioning.shared import (
    MOST_DRAWN,
    NETWORK,
    STAGE,
    ask,
    begin_anew,
    held,
    likely,
    look_at,
    named,
    plain,
    seen,
    spoken,
    start_box,
    table,
    tell_the_page,
)
from ui import page
from ui.components import Boxes, Heat, following, live_slider, matrices, stage, words
from ui.pictures import Picture

TAIL = 30  # the slider's end: as many words as the longest sentences have


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """The region of the hand; everything that says something about it is drawn with it."""
    page.section("Say it word by word", "Drag the box, draw another one or click a thing, and let the network speak.",
                 always=True)  # fmt: skip
    begin_anew(picture)
    left, right = st.columns([1, 1], gap="large")
    with left:
        view = stage(STAGE, [start_box(picture)], drawable=True, most=MOST_DRAWN, window=2, zoom=False)
    box = held(picture, view)
    with (
        right,
        live_slider("Words said", 0, TAIL, 2, key="densecap_word", window=2, play="once", play_seconds=8.0) as said,
    ):
        asked, caption = ask(picture, box), plain(picture, box)
        at = min(said, len(caption.words))
        begun = caption.words[:at]
        over = at == len(caption.words)
        words(f"{spoken(caption, at)}", "densecap_sentence")
        follow, looks = asked.next_words(begun[:-1] if over else begun), caption.looks[max(0, at - over)]
        names, p = likely(follow)
        last = named(begun[-2:])
        after = f"after “{' '.join(last)}”" if last and not over else "as the first word"
        title = "the full stop ends it" if over else after
        matrices("densecap_next", window=2).show([table(names, p, title)])
        with left:
            heat = Heat(looks.numpy(), "inferno", 0, float(looks.max()), opacity=0.55, smooth=False, xyxy=look_at(box))
            view.show(
                picture.image, [heat, Boxes(view.boxes)], alt=f"The picture, its region, and where word {at + 1} looks",
                caption="Bright cells: where the network looks for the next word.", pick=(4.0, 8.0),
            )  # fmt: skip
    tell_the_page(box)
    if not following():
        st.caption("Orange words had a probability below one half. Grey words are still to be said.")
        found = seen(picture.image).detection
        page.footer(NETWORK, found.device, found.seconds * 1000)
