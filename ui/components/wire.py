"""What the three live components share: the files the browser loads, and the sequence numbers that pace them.

The browser numbers every message it sends. Python reads the newest message at the top of a run and mounts the component
at the end of it with that number in `data`, so a number coming back means "this one is drawn", and only then does the
next message leave. Values live in plain session state, so pages may read and write them at any time.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from ui import recording
from ui.components import live, script_runs

FOLDER = Path(__file__).parent
MIME = {".js": "text/javascript", ".css": "text/css"}

# Address to file. Only scripts and style sheets are listed, so that no Python source can be fetched.
ASSETS: dict[str, Path] = {
    f"/assets/{path.relative_to(FOLDER).as_posix()}": path for path in sorted(FOLDER.rglob("*")) if path.suffix in MIME
}
# In every address, so that a browser never mixes scripts of two versions.
_SCRIPTS = [*ASSETS.values(), *sorted((FOLDER.parent / "figures").glob("*.js"))]
VERSION = hashlib.blake2b(b"".join(path.read_bytes() for path in _SCRIPTS), digest_size=6).hexdigest()


def routes() -> list[Route]:
    """Starlette routes that serve `ASSETS`; app.py hands them to `st.App(routes=...)`.

    An address with the current version never changes its content, so browsers keep it for a year.
    """

    def serve(address: str, path: Path) -> Route:
        async def endpoint(request: Request) -> FileResponse:
            current = request.query_params.get("v") == VERSION
            keep = "public, max-age=31536000, immutable" if current else "no-cache"
            return FileResponse(path, media_type=MIME[path.suffix], headers={"Cache-Control": keep})

        return Route(address, endpoint)

    return [serve(address, path) for address, path in ASSETS.items()]


def declare(name: str, height: str) -> Callable[..., Any]:
    """Register the component in folder `name` and return its mount function.

    `height` (CSS length) is kept free until the script has loaded, so that nothing below it jumps. The inline script is
    a stub because Streamlit sends inline scripts again with every rerun; the module itself is fetched once, from
    `routes()`. Its address is relative to the page, so it holds behind a proxy that adds a path; the server's root is
    the second try.
    """
    source = f"assets/{name}/{name}.js?v={VERSION}"
    stub = f"""export default (component) => {{
const load = (base) => import(new URL('{source}', base).href);
load(document.baseURI).catch(() => load(location.origin)).then((m) => m.default(component), () => {{
component.parentElement.querySelector('[data-root]').textContent = 'This control could not be loaded. Reload the page.';
}});
}}
"""
    html = f'<div data-root style="min-height:{height}"></div>'
    return st.components.v2.component(f"receptive.{name}", html=html, js=stub)


_SERVER = secrets.token_hex(4)
_mounts = itertools.count()


def live_key(key: str) -> str:
    """Session-state key under which Streamlit keeps what the browser sent for component `key`."""
    return f"{key}.live"


def entering(key: str) -> bool:
    """True if component `key` was not on the page in the run before: first visit, or back from another page."""
    enters = live_key(key) not in st.session_state
    if enters:
        recording.spoil(f"{key} is new on the page")
    return enters


def message(key: str) -> dict[str, Any]:
    """The newest message of the browser for component `key`; empty before the first one."""
    run = live.current()
    if run is not None and run.key == live_key(key):
        return run.message
    state = st.session_state.get(live_key(key))
    found = state.get("message") if isinstance(state, dict) else None
    return found if isinstance(found, dict) else {}


def sequence(key: str) -> int:
    """Number of the last message taken in by `news`; 0 before the first one."""
    return st.session_state.get(f"{key}.sequence", 0)


def news(key: str, heard: dict[str, Any]) -> dict[str, Any] | None:
    """`heard`, the newest message of component `key`, if this session has not yet taken it in, else None.

    A run on the direct line takes in what its own control says; the rest waits for a run that may write the address.
    """
    run = live.current()
    if run is not None and run.key != live_key(key):
        return None
    number = heard.get("sequence")
    if isinstance(number, bool) or not isinstance(number, int) or number <= sequence(key):
        return None
    st.session_state[f"{key}.sequence"] = number
    return heard if counts(key, heard, st.session_state.get(SINCE)) else None


SINCE = "live.since"


def counts(key: str, heard: dict[str, Any], state: tuple[str, tuple[str, ...]] | None) -> bool:
    """Whether what component `key` says was said since the last `state` was put in place (as under SINCE, None without
    one), or is no part of a state."""
    return state is None or key.startswith(state[1]) or heard.get("since") == state[0]


def put(number: str, stays: tuple[str, ...]) -> None:
    """A state has been put in place under this `number`: what components have said before, perhaps to another server,
    is no news, unless their key begins with one of `stays`."""
    st.session_state[SINCE] = number, stays


def resting(*keys: str) -> bool:
    """True when no hand is on these live sliders: the moment for what is too slow to follow a drag."""
    return all(message(key).get("settled", True) for key in keys)


AUDIENCE = "live.audience"  # in the session: who is told what it draws
_watched = False  # somebody has ever had an audience; else nobody looks for one
_private: ContextVar[bool] = ContextVar("wire_private", default=False)


def perform_for(audience: Callable[[str, dict[str, Any], bool], None] | None) -> None:
    """From now on `audience` is told what this session draws: component, data, and whether its fragment is run alone,
    not the whole page. None: nobody is."""
    global _watched
    _watched = _watched or audience is not None
    if _watched:
        st.session_state[AUDIENCE] = audience


@contextmanager
def privately(private: bool = True) -> Iterator[None]:
    """What is drawn in this block is for this visitor alone."""
    before = _private.set(private or _private.get())
    try:
        yield
    finally:
        _private.reset(before)


def mount(
    component: Callable[..., Any],
    key: str,
    data: dict[str, Any],
    *,
    window: int = 1,
    speaks: bool = True,
    followed: bool = False,
) -> None:
    """Mount `component` under `key`; `data` travels with the acknowledged sequence number and the window. One that only
    shows and never `speaks` costs less. One that is `followed` has nothing of this session alone in its data: who
    follows this visitor is shown the same (`perform_for`).

    `mount` counts upwards, so that the browser never puts older data over newer; a page that goes on with another
    `server`, or with this one after a restart, begins anew. On the direct line (`live`) the data
    goes straight to the component that is on the page.
    """
    if followed and _watched and not _private.get() and (audience := st.session_state.get(AUDIENCE)):
        audience(live_key(key), data, script_runs.fragment_alone())
    with recording.aside() as noted:
        if noted is not None:
            if not followed or _private.get():
                noted.spoil(f"{key} is this session's alone")
            found = script_runs.here()
            noted.mounting(live_key(key), data, window, found and found[1])
        data = data | own_part(key, window)
        run = live.current()
        if run is not None:
            run.draw(live_key(key), data)
            return
        data["live"] = live.offer(live_key(key))
    # In a list, because Streamlit looks at every value of a dict for data frames: a tenth of a rerun.
    component(key=live_key(key), data=[data], **({"on_message_change": _heard} if speaks else {}))


def own_part(key: str, window: int) -> dict[str, Any]:
    """What every drawing of component `key` has beside its data and the secret of its line."""
    part = {"sequence": sequence(key), "window": window, "key": live_key(key)}
    if SINCE in st.session_state:
        part["since"] = st.session_state[SINCE][0]
    return part | {"server": _SERVER, "mount": next(_mounts)}


def _heard() -> None:
    """Streamlit wants a callback for every state that a component may set."""
