"""What the sections have in common: what the network saw, the region of the hand, and how its sentence goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import caption_decoding
from models import catalog
from models.networks.caption_words import END, LONGEST, WORDS
from models.networks.densecap import Caption, Regions, Seen, widened
from pages.shared.held_box import MIDDLE, grown, linked_box, xyxy
from ui.components import Box, Grid, address, resting
from ui.pictures import Picture

NETWORK = "densecap"
SEED = 42  # a scene with a large dog
STAGE, LINK = "densecap_scene", "densecap_box"
ORANGE, SKY, WHITE, GREY = "#E69F00", "#56B4E9", "#FFFFFF", "#8A9099"
WHOLE, LEFT = "_densecap_whole", "_densecap_left"
MOST_DRAWN = 2  # the region, and one that is being drawn in its place


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def seen(image: np.ndarray) -> Seen:
    """One look of the network at a picture."""
    return catalog.load(NETWORK)(image)


@dataclass(frozen=True, eq=False)
class Asked:
    """A region of a picture, ready to be asked for words: `box` (4,) xyxy in pixels, and what the speaker has of it."""

    seen: Seen
    box: Tensor
    regions: Regions

    @cached_property
    def step(self) -> caption_decoding.Step:
        """How `labs.caption_decoding` asks for the next word; all sections share what was asked."""
        return catalog.load(NETWORK).step(self.regions)

    def caption(self, said: Sequence[int]) -> Caption:
        """Words with the probability of each, and where each looked."""
        return catalog.load(NETWORK).caption(self.regions, tuple(said))

    def greedy(self, begin: Sequence[int] = ()) -> Caption:
        """The sentence that begins with these words, and goes on with the most probable ones."""
        begin = tuple(begin)
        rest = caption_decoding.greedy(lambda said: self.step(begin + said), END, LONGEST - len(begin))
        return self.caption(begin + rest.words)

    def next_words(self, said: Sequence[int]) -> Tensor:
        """Probability of every word after those `said`, (words,)."""
        return self.step(tuple(said)).exp()


@st.cache_resource(max_entries=60, show_spinner=False)  # shared; it remembers what it was asked, about 1 MB
def _asked(image: np.ndarray, box: tuple[float, float, float, float]) -> Asked:
    looked, place = seen(image), torch.tensor(box)
    return Asked(looked, place, catalog.load(NETWORK).regions(looked, place[None]))


def ask(picture: Picture, box: Tensor) -> Asked:
    """The region of a picture."""
    return _asked(picture.image, xyxy(box))


@st.cache_resource(max_entries=400, show_spinner=False)
def _plain(image: np.ndarray, box: tuple[float, float, float, float]) -> Caption:
    return _asked(image, box).greedy()


def plain(picture: Picture, box: Tensor) -> Caption:
    """What the network says of a region, word by word the most probable one."""
    return _plain(picture.image, xyxy(box))


def named(words: Sequence[int]) -> list[str]:
    """Numbers to words."""
    return [WORDS[word] for word in words]


def likely(probabilities: Tensor, count: int = 8) -> tuple[list[str], list[float]]:
    """The most probable words, best first, and their probabilities."""
    p, words = probabilities.topk(count)
    return named(words.tolist()), p.tolist()


def spoken(caption: Caption, upto: int | None = None) -> str:
    """The sentence in Markdown; words below one half are marked, and those from `upto` on are quiet."""
    said = []
    for place, (word, log_p) in enumerate(zip(named(caption.words), caption.log_probabilities, strict=True)):
        text = f":orange[{word}]" if log_p < np.log(0.5) else word
        said.append(f":gray[{word}]" if upto is not None and place >= upto else text)
    return " ".join(said)


def table(words: Sequence[str], p: Sequence[float], title: str) -> Grid:
    """Words and their probabilities, one below the other."""
    values = np.array(p, dtype=np.float64)[:, None]
    return Grid("next", values, title=title, rows=list(words), columns=["p"], vmin=0, vmax=1, format="%.2f",
                colour="sequential", cell=38)  # fmt: skip


def look_at(box: Tensor) -> tuple[float, float, float, float]:
    """Where the 7x7 cells of a region lie on the picture: wider than its box."""
    return xyxy(widened(box[None])[0])


# --- the region of the hand


def start_box(picture: Picture) -> Box:
    """The box of the address; else the largest thing that is seen whole, else the middle."""
    found = linked_box(LINK)
    if found is None and picture.view is not None and len(picture.view.instances):
        best = max(picture.view.instances, key=lambda thing: (thing.visible >= 0.9) * float(area(thing.box)))
        found = grown(np.round(best.box))
    return editable(found or MIDDLE)


def area(box) -> float:
    """Width times height."""
    x1, y1, x2, y2 = (float(value) for value in box)
    return (x2 - x1) * (y2 - y1)


def editable(place: tuple[float, float, float, float]) -> Box:
    """The region as it lies on the stage."""
    return Box("region", place, "", ORANGE, editable=True, width=3)


def begin_anew(picture: Picture) -> None:
    """On another picture the region stands on a thing of it."""
    if st.session_state.setdefault("_densecap_on", picture.name) != picture.name:
        st.session_state["_densecap_on"] = picture.name
        address.keep(LINK, None)
        st.session_state[STAGE] = [start_box(picture)]


def held(picture: Picture, view) -> Tensor:
    """The region of this moment, (4,): the newest box, or the found region that was clicked. Kept in the address once
    the hand rests."""
    newest = view.boxes[-1] if view.boxes else start_box(picture)
    box = grown(newest.xyxy)
    if view.clicked and view.click is not None and (found := region_at(picture, view.click.x, view.click.y)):
        box = found
    if resting(STAGE):
        if len(view.boxes) != 1 or box != view.boxes[0].xyxy:
            view.boxes = st.session_state[STAGE] = [replace(editable(box), xyxy=box)]
        first = st.session_state.setdefault(f"_densecap_first_{picture.name}", box)
        if box != first or address.linked(LINK) is not None:
            address.keep(LINK, ",".join(f"{value:g}" for value in box))
    return torch.tensor(box)


def rested(picture: Picture) -> Tensor:
    """The region where the hand has left it, (4,): what the sections further down speak of."""
    boxes = st.session_state.get(STAGE) or [start_box(picture)]
    return torch.tensor(grown(boxes[-1].xyxy))


def whole_page() -> None:
    """The whole page is being drawn: all its sections will speak of the region."""
    st.session_state[WHOLE] = True


def tell_the_page(box: Tensor) -> None:
    """Draw the whole page again once a hand has left the region elsewhere: the sections further down speak of it."""
    whole = st.session_state.pop(WHOLE, False)
    if not resting(STAGE):
        return
    before, st.session_state[LEFT] = st.session_state.get(LEFT), xyxy(box)
    if not whole and before != xyxy(box):
        st.rerun()


def region_at(picture: Picture, x: float, y: float) -> tuple[float, float, float, float] | None:
    """The smallest of the regions found at a place, in whole pixels; None where there is none."""
    boxes, scores = catalog.load(NETWORK).proposed(seen(picture.image))
    inside = [
        box for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)
        if box[0] <= x <= box[2] and box[1] <= y <= box[3] and score >= 0.5
    ]  # fmt: skip
    return grown(np.round(min(inside, key=area))) if inside else None
