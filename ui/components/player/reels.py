"""What a player shows, and the route that brings it to the browser: some frames at a time, ahead of the playing.

A page hands a `Reel` to the player of a session; the browser gets a secret for it and asks for pictures and marks in
parts of CHUNK frames. Who has no secret gets nothing, and a part that was made once is kept for all visitors, within
KEPT bytes. No more than THREADS parts are made at a time; those who come while WAITING others wait try again.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.video_coding import as_jpeg

PATH = "/api/reel"
CHUNK = 8  # frames in an answer: a third of a second of film
KEPT = 48 * 1024 * 1024  # bytes of encoded pictures kept for all visitors: about 5,000 frames of Lab World
THREADS = 2  # parts made at a time
WAITING = 64  # parts asked for and not yet made, of all visitors together
EACH = 3  # requests of one player under way
PATIENCE = 4.0  # s that a request waits for marks; the browser then asks again
GLANCE = 0.02  # s between two looks whether they are there
LATER, GONE = 202, 204  # status: not yet, ask again; no longer what is shown. Errors would stand in the console


@dataclass(frozen=True)
class Mark:
    """A box on a frame.

    Attributes:
        box: xyxy in pixels of the frame.
        label: its class; score: 0 to 1, or None; track: its number, or None.
        kind: "detected", "predicted" (dashed: no network looked at this frame), or "truth" (thin and grey).
    """

    box: tuple[float, float, float, float]
    label: str
    score: float | None = None
    track: int | None = None
    kind: str = "detected"


@dataclass(frozen=True)
class Marked:
    """The marks of some frames, one list a frame, and how fast they came.

    Attributes:
        rate: frames per second at which a network looks, or None where none is at work.
        milliseconds: that one look takes, or None.
    """

    frames: Sequence[Sequence[Mark]]
    rate: float | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, eq=False)
class Reel:
    """A film for the player.

    Attributes:
        name: of the pictures; another name means other pictures.
        frames: how many there are, 1 at least. rate: frames per second.
        size: (width, height) of a frame in pixels.
        picture: frame number to uint8 (height, width, 3) RGB; called in a thread.
        marks: (first, last) to the marks of frames first to last - 1; called in a thread, once `ready` says so. None
            shows the film without.
        ready: (first, last) to whether those marks are there. It returns at once; it is also the sign that somebody
            waits for them.
        marked: name of the marks; another name means other marks.
    """

    name: str
    frames: int
    rate: float
    size: tuple[int, int]
    picture: Callable[[int], np.ndarray]
    marks: Callable[[int, int], Marked] | None = None
    ready: Callable[[int, int], bool] = lambda first, last: True
    marked: str = ""


@dataclass(eq=False)
class Held:
    """The reel that one player of one session shows, and its secret."""

    reel: Reel
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    busy: int = 0  # requests under way; counted on the event loop


# By token; a session's own state holds the only other reference.
_held: WeakValueDictionary[str, Held] = WeakValueDictionary()
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reel")
_waiting = 0  # counted on the event loop


def short(name: str) -> str:
    """A name as it stands in addresses; the empty one stays empty."""
    return name and hashlib.blake2b(name.encode(), digest_size=9).hexdigest()


def hold(key: str, reel: Reel) -> str:
    """From now on the player `key` of this session shows `reel`; returns the secret for its browser."""
    held = st.session_state.get(f"{key}.reel")
    if held is None:
        held = st.session_state[f"{key}.reel"] = Held(reel)
    held.reel = reel
    _held[held.token] = held
    return held.token


class Encoded:
    """Parts of films as bytes, by film and first frame: the ones used last, up to `most` bytes."""

    def __init__(self, most: int = KEPT):
        self.most, self.bytes = most, 0
        self._parts: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, reel: Reel, first: int) -> bytes:
        """The pictures from `first` on: of each, its length (four bytes, little endian) and a JPEG."""
        name = (reel.name, first)
        with self._lock:
            if name in self._parts:
                self._parts.move_to_end(name)
                return self._parts[name]
        files = [as_jpeg(reel.picture(at)) for at in range(first, min(first + CHUNK, reel.frames))]
        found = b"".join(struct.pack("<I", len(file)) + file for file in files)
        with self._lock:
            self.bytes += len(found) - len(self._parts.pop(name, b""))
            self._parts[name] = found
            while self.bytes > self.most:
                self.bytes -= len(self._parts.popitem(last=False)[1])
        return found


_pictures = Encoded()


def _described(marked: Marked) -> dict[str, Any]:
    """As JSON: of each mark its box, label, score, track and kind."""
    frames = [
        [[*(round(float(side), 2) for side in each.box), each.label,
          None if each.score is None else round(float(each.score), 3), each.track, each.kind] for each in frame]
        for frame in marked.frames
    ]  # fmt: skip
    return {"frames": frames, "rate": marked.rate, "milliseconds": marked.milliseconds}


async def _serve(request: Request) -> Response:
    """A part of what is on one player: pictures or marks."""
    held = _held.get(request.path_params["token"])
    what, first = request.path_params["what"], request.path_params["first"]
    if held is None or what not in ("pictures", "marks"):
        return Response(status_code=404)
    reel = held.reel
    wanted = request.query_params.get("name")
    if wanted != short(reel.name if what == "pictures" else reel.marked or "marks"):
        return Response(status_code=GONE)  # the page shows something else by now
    if first % CHUNK or not first < reel.frames or (what == "marks" and reel.marks is None):
        return Response(status_code=404)
    if held.busy >= EACH or _waiting >= WAITING:
        return Response(status_code=LATER)
    held.busy += 1
    try:
        return await (_pictures_of(reel, first) if what == "pictures" else _marks_of(held, reel, first))
    finally:
        held.busy -= 1


async def _pictures_of(reel: Reel, first: int) -> Response:
    part = await _made(_pictures.get, reel, first)
    return Response(part, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


async def _marks_of(held: Held, reel: Reel, first: int) -> Response:
    last = min(first + CHUNK, reel.frames)
    until = asyncio.get_running_loop().time() + PATIENCE
    while not reel.ready(first, last):
        if held.reel is not reel:
            return Response(status_code=GONE)
        if asyncio.get_running_loop().time() > until:
            return Response(status_code=LATER)
        await asyncio.sleep(GLANCE)
    marked = await _made(reel.marks, first, last)
    return JSONResponse(_described(marked), headers={"Cache-Control": "no-store"})


async def _made(make: Callable[..., Any], *given: Any) -> Any:
    global _waiting
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, make, *given)
    finally:
        _waiting -= 1


def route(base: str = "") -> Route:
    """The Starlette route of films under the path `base`; app.py hands it to `st.App(routes=...)`."""
    return Route(f"{base}{PATH}/{{token}}/{{what}}/{{first:int}}", _serve)
