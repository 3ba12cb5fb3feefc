"""What a network says of the frames of a film: looked at in the background, and kept for all visitors.

The network looks only at what somebody waits for: once nobody has asked for PATIENCE seconds it stops, and what it has
seen by then stays.
"""

import atexit
import threading
import time
from collections import deque
from weakref import WeakSet

import streamlit as st

from labs.matching import Detections
from models import catalog
from models.background import Background
from pages.video import shared
from pages.video.looks import MEASURED, NONE, Looks, looked_at
from pages.video.shared import Choice
from scenes.film import FilmKnobs
from ui import page

AT_ONCE = 2  # networks that look at films at a time in this process
PATIENCE = 4.0  # s that a network goes on while nobody asks
REFRESH = 0.4  # s between two looks at the progress
PAUSE = 0.01  # s between two looks whether there is something to do
LATELY = 5.0  # s after its last look in which a network counts as at work

_places = threading.BoundedSemaphore(AT_ONCE)
_alive: WeakSet["StoredLooks"] = WeakSet()


class StoredLooks(Looks, Background):
    """One network and one film of Lab World, looked at in the background. Labels count from 1, as in `scenes.THINGS`.

    Attributes:
        ended: when each of the last looks was over, time.monotonic().
    """

    def __init__(self, choice: Choice, network: str):
        Looks.__init__(self, len(choice.film))
        Background.__init__(self, "looks", _places, PATIENCE, working="running")
        self.choice, self.network = choice, network
        self.ended: deque[float] = deque(maxlen=MEASURED)
        self._wanted = (0, 0, 1)
        _alive.add(self)
        self._turn, self._looking = threading.Lock(), threading.Lock()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to look at."""
        return None not in self.found

    def want(self, first: int, last: int, every: int = 1) -> bool:
        """Somebody waits for frames first to last - 1, of which every `every`-th is looked at, counted from frame 0.
        True if all of them are there; else the network looks at them now."""
        self._looked()
        if self.there(first, last, every):
            return True
        with self._turn:
            self._wanted = (first, last, every)
            if self.state != "failed":  # else it would fail again, many times a second
                self.start()
        return False

    def there(self, first: int, last: int, every: int = 1) -> bool:
        """Whether all frames of `want` have been looked at."""
        return all(self.found[index] is not None for index in looked_at(first, last, every))

    def at(self, index: int) -> Detections:
        """What is found in one frame, at once: whoever asks waits for the network if it has not looked there."""
        found = self.found[index]
        if found is None:
            with self._looking:
                found = self.found[index] or self._look(index)
        return found

    @property
    def rate(self) -> float | None:
        """Looks per second of late; None while it rests."""
        ended = list(self.ended)
        if not self.running or len(ended) < 2 or time.monotonic() - ended[-1] > LATELY:
            return None
        return (len(ended) - 1) / max(ended[-1] - ended[0], 1e-6)

    def _look(self, index: int) -> Detections:
        said = self._boxes(catalog.load(self.network), self.choice.frame(index))
        self.ended.append(time.monotonic())
        found = self.found[index] = Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy())
        return found

    def _work(self) -> bool:
        self.ended = deque(maxlen=MEASURED)
        while not self._left():
            index = self._next()
            if index is None:
                if self.finished:
                    return True
                time.sleep(PAUSE)
                continue
            with self._looking:
                if self.found[index] is None:
                    self._look(index)
        return False

    def _next(self) -> int | None:
        with self._turn:
            wanted = looked_at(*self._wanted)
        return next((index for index in wanted if self.found[index] is None), None)


def looks(choice: Choice, network: str) -> StoredLooks:
    """What a network has seen of a film; visitors share it."""
    return _looks(choice.name, network, choice)


@st.cache_resource(max_entries=24, show_spinner=False)
def _looks(name: str, network: str, _choice: Choice) -> StoredLooks:
    return StoredLooks(_choice, network)


def detections(
    seed: int, knobs: FilmKnobs, seconds: float, network: str, every: int = 1
) -> list[Detections] | None:  # fmt: skip
    """What a network found in each frame of a film, of which it looks at every `every`-th; nothing in the others.

    While that is on its way there is a progress bar here, and None is returned; the page runs again when all is there.
    The work stops when the visitor leaves. Call it inside `st.fragment`.

    Raises ValueError with one sentence if the network broke off.
    """
    watched = looks(Choice(seed, knobs, seconds), network)
    if watched.state == "failed" and not watched.running:
        watched.state = "new"  # the next visit begins anew
        raise ValueError(f"{network} broke off while it looked at the film; reload the page, and it begins anew.")
    if watched.want(0, len(watched.found), every):
        return [
            found if found is not None and index % every == 0 else NONE for index, found in enumerate(watched.found)
        ]
    _progress(watched, every)
    return None


@st.fragment(run_every=REFRESH)
@page.guard()
def _progress(watched: StoredLooks, every: int) -> None:
    """Only this fragment runs again while the network looks; that is also the sign that somebody waits."""
    if watched.want(0, len(watched.found), every) or watched.state == "failed":
        st.rerun()
    done, every_one = watched.done(every)
    name = shared.NAMES.get(watched.network, watched.network)
    st.progress(done / every_one, f"{name} looks at the film in the background: {done} of {every_one} frames.")


def _stop_all() -> None:
    """Before the interpreter ends: a thread that computes then would bring the process down."""
    for each in list(_alive):
        each.stop()
    for each in list(_alive):
        each.stop(wait=5.0)


atexit.register(_stop_all)
