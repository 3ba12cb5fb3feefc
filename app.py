"""The door: builds the app, warms it up, and serves it.

streamlit run app.py
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from ui import (
    bounded_log,
    course,
    departed,
    figures,
    lab_world,
    last_words,
    leaving,
    lighter_reruns,
    page,
    shared_runs,
    sleeping_loop,
    straight_out,
    streamlit_inside,
    value_locks,
    warmup,
    whole_requests,
)
from ui.admission import Admission
from ui.assets import Assets
from ui.components import live
from ui.components.player import reels
from ui.first_paint import FirstPaint
from ui.no_delay import NoDelay
from ui.preload import Preload
from ui.rooms import channel, collected

ROOT = Path(__file__).resolve().parent


def load_scenes():
    """Lab World, imported when the first scene is wanted."""
    import scenes

    return scenes


def load_agreement():
    """How a class's marks on a picture are compared, imported with torch when a class has drawn some."""
    from labs import class_agreement

    return class_agreement


def first_networks() -> None:
    """The networks without which a page stays out of the course: most pages show them first."""
    from models import catalog

    for name in sorted({lesson.network for lesson in course.LESSONS} & set(catalog.shipped())):
        catalog.load(name)


lab_world.register(load_scenes)
collected.register(load_agreement)
lighter_reruns.lighten()
straight_out.straighten()
whole_requests.complete()
shared_runs.share()
last_words.heed()
sleeping_loop.put_to_sleep()
value_locks.let_go()
streamlit_inside.report()


@asynccontextmanager
async def lifespan(_app):
    """Load Lab World for the first page's picture, and torch behind that page."""
    bounded_log.bound()
    leaving.listen()
    load_scenes()
    for library in warmup.WHOLE:
        importlib.import_module(library)
    warmup.start(first_networks)
    watching = asyncio.create_task(departed.watch())
    yield
    watching.cancel()


async def ready(_request) -> JSONResponse:
    """200 when torch is loaded, 503 before, 404 when the server is about to be stopped."""
    done = warmup.finished() and not leaving.announced()
    return JSONResponse({"ready": done}, status_code=200 if done else 404 if leaving.announced() else 503)


async def health(_request) -> JSONResponse:
    """200 as long as the process answers at all; who watches the lab asks this. With it, how many reruns of a fragment
    were shared with somebody who had the same, and how many were run."""
    kept = shared_runs.KEPT
    return JSONResponse({"healthy": True, "shared": kept.shared, "run": kept.run})


def routes(base: str) -> list:
    """What is served beside Streamlit's own, under a path that is empty or begins with a slash."""
    return [
        Route(f"{base}/api/ready", ready),
        Route(f"{base}/api/health", health),
        live.route(base),
        channel.route(base),
        reels.route(base),
        Mount(f"{base}/assets/plotly", Assets(directory=figures.PLOTLY_JS)),
        Mount(f"{base}/assets/figures", Assets(directory=ROOT / "ui" / "figures")),
        Mount(f"{base}/assets", Assets(directory=ROOT / "ui" / "components")),
    ]


# Behind a proxy that leaves a path in front of everything, browsers ask for these under that path as well.
BASE = (st.get_option("server.baseUrlPath") or "").strip("/")

# The script lives in ui/: beside pages/ Streamlit would take that folder for its old automatic navigation.
app = st.App(
    ROOT / "ui" / "main.py",
    lifespan=lifespan,
    routes=[*routes(""), *(routes(f"/{BASE}") if BASE else [])],
    middleware=[
        Middleware(Admission, messages={live.PATH: live.MESSAGE, channel.PATH: channel.MESSAGE}),
        Middleware(NoDelay),
        Middleware(FirstPaint),
        Middleware(Preload),
    ],
    on_script_error=page.show_unexpected,
)
