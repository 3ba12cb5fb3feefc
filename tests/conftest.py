"""The running lab. Pages under test run without the door, so it is opened here: ui/ gets Lab World from it."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable

import hypothesis
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import app  # noqa: F401
from benchmarks.servers import serve
from tests.one_server import shared
from tests.order import Together, in_order, together
from ui import page

# Each visit under test looks anew for components in all installed packages, which takes longer than many a page.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
page.FIRST = 0.0  # seconds that a visit waits for its browser; one under test in this process has none
hypothesis.settings.register_profile("lab", deadline=None)  # no test depends on speed
hypothesis.settings.load_profile("lab")


def pytest_collection_modifyitems(config, items):
    if "sweep" not in config.option.markexpr:
        swept = [bool(item.get_closest_marker("sweep")) for item in items]
        config.hook.pytest_deselected(items=[item for item, left in zip(items, swept) if left])
        items[:] = [item for item, left in zip(items, swept) if not left]
    places = in_order(item.nodeid for item in items)
    items.sort(key=lambda item: places[together(item.nodeid)])


def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return Together(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a running lab whose libraries are loaded: one for all workers, so each page computes its own once."""
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place  # of this worker's folder: the run's
    with shared(place / "server", lambda: serve("app.py", "/api/ready")) as address:
        yield address


@pytest.fixture
def cold_server():
    """Address of a lab that has just started and has had no visitor; torch is still loading."""
    with serve("app.py", "/_stcore/health") as found:
        yield found.address


@pytest.fixture(scope="session")
def prose() -> Callable[[AppTest], str]:
    """Function: what a page says in Markdown and in `words`, joined by newlines."""

    def read(at: AppTest) -> str:
        mounted = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
        lines = [data["text"] for data in mounted if isinstance(data, dict) and isinstance(data.get("text"), str)]
        return "\n".join([element.value for element in at.markdown] + lines)

    return read
