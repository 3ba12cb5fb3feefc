"""The door: builds the app, warms it up, and serves it.

streamlit run app.py
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from ui import figures, lab_world, lighter_reruns, page, warmup, whole_requests
from ui.assets import Assets
from ui.components import live
from ui.no_delay import NoDelay

ROOT = Path(__file__).resolve().parent


def load_scenes():
    """Lab World, imported when the first scene is wanted."""
    import scenes

    return scenes


lab_world.register(load_scenes)
lighter_reruns.lighten()
whole_requests.complete()


@asynccontextmanager
async def lifespan(_app):
    """Load Lab World for the first page's picture, and torch behind that page."""
    load_scenes()
    warmup.start()
    yield


async def ready(_request) -> JSONResponse:
    """200 when torch is loaded, 503 before."""
    done = warmup.finished()
    return JSONResponse({"ready": done}, status_code=200 if done else 503)


ROUTES = [
    Route("/api/ready", ready),
    live.route(),
    Mount("/assets/plotly", Assets(directory=figures.PLOTLY_JS)),
    Mount("/assets/figures", Assets(directory=ROOT / "ui" / "figures")),
    Mount("/assets", Assets(directory=ROOT / "ui" / "components")),
]

# The script lives in ui/: beside pages/ Streamlit would take that folder for its old automatic navigation.
app = st.App(
    ROOT / "ui" / "main.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=[Middleware(NoDelay)],
    on_script_error=page.show_unexpected,
)
