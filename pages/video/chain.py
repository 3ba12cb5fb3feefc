"""The tracks of a film while a network is still looking at it: part after part, each from where the last one ended."""

import threading

import streamlit as st

from labs import tracking
from labs.tracking import FOUND, PREDICTED, TENTATIVE, Settings, Tracked, Tracks
from pages.video import shared, stored
from pages.video.shared import Choice
from scenes import THINGS
from ui.components import Mark, Marked
from ui.components.player.reels import CHUNK

KINDS = {FOUND: "detected", PREDICTED: "predicted", TENTATIVE: "predicted"}  # as the player draws them; lost: not shown
AHEAD = 2 * CHUNK  # frames that the network looks at before the player asks for them


class Chain:
    """The tracks of one film, network, k and settings. It remembers the tracks that were alive where a part began."""

    def __init__(self, choice: Choice, network: str, every: int, settings: Settings):
        self.looks = stored.looks(choice, network)
        self.every, self.settings = every, settings
        self.alive: dict[int, Tracks] = {0: tracking.nobody()}
        self._turn = threading.Lock()

    def ready(self, first: int, last: int) -> bool:
        """Whether the network has seen these frames; if not, it goes on, and beyond them."""
        there = self.looks.there(first, last, self.every)
        asked = self.looks.want(first, min(last + AHEAD, len(self.looks.found)), self.every)
        return there or asked

    def frames(self, first: int, last: int) -> list[list[Tracked]]:
        """The tracks in frames first to last - 1, which have been looked at. They begin anew where something before is
        missing: after a leap into the middle of the film."""
        with self._turn:
            at = first
            while at > 0 and at not in self.alive and self.looks.there(max(at - CHUNK, 0), at, self.every):
                at = max(at - CHUNK, 0)
            alive, frames = self.alive.get(at, tracking.nobody()), []
            for index in range(at, last):
                if index % CHUNK == 0:
                    self.alive[index] = alive
                found = self.looks.found[index] if index % self.every == 0 else None
                looked = found is not None
                if looked:
                    alive = tracking.step(alive, found, self.settings).after
                else:
                    alive = tracking.between(alive, self.settings)
                if index >= first:
                    frames.append(tracking.tracked(alive, self.settings, looked))
            return frames

    def marks(self, first: int, last: int) -> Marked:
        """The same for the player, with the speed of the network."""
        frames = [
            [mark_of(each, index % self.every == 0) for each in frame if each.state in KINDS]
            for index, frame in enumerate(self.frames(first, last), first)
        ]
        return Marked(frames, self.looks.rate, self.looks.typical)


def chain(choice: Choice, network: str, every: int, settings: Settings) -> Chain:
    """The tracks of these; visitors share them."""
    return _chain(f"{choice.name} {network} {every} {settings}", choice, network, every, settings)


@st.cache_resource(max_entries=32, show_spinner=False)
def _chain(name: str, _choice: Choice, _network: str, _every: int, _settings: Settings) -> Chain:
    return Chain(_choice, _network, _every, _settings)


def mark_of(each: Tracked, looked: bool = True) -> Mark:
    """A track as a box of the player. One that was seen too seldom to count is shown, too, but has no number yet."""
    new = each.state == TENTATIVE
    kind = "detected" if new and looked else KINDS[each.state]
    score = each.score if kind == "detected" else None
    return Mark(tuple(each.box.tolist()), THINGS[each.label - 1], score, None if new else each.track, kind)


def true_marks(choice: Choice, index: int) -> list[Mark]:
    """What is in a frame."""
    return [Mark(tuple(map(float, each.box)), each.label, kind="truth")
            for each in shared.truth_at(choice, index)]  # fmt: skip
