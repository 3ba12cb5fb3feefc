"""Pages under test: a visit to them, what they draw, and a published detector that is there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.arriving import arrived
from tests.published import empty_cache, knowing, publish, random_state
from ui import components

PAGES = Path(__file__).resolve().parents[2] / "pages"


@dataclass
class Drawn:
    """What the pages drew last, by key of the stage or of the row of grids."""

    pictures: dict[str, np.ndarray | None] = field(default_factory=dict)
    layers: dict[str, list] = field(default_factory=dict)
    grids: dict[str, dict[str, components.Grid]] = field(default_factory=dict)
    solids: dict[str, dict[str, components.Solid]] = field(default_factory=dict)  # of a view, by id
    between: dict[str, list[str]] = field(default_factory=dict)  # the operators of a row of grids
    options: dict[str, dict] = field(default_factory=dict)

    def every(self, key: str, kind: type) -> list:
        """All layers of a kind on a stage."""
        return [layer for layer in self.layers[key] if isinstance(layer, kind)]

    def layer(self, key: str, kind: type):
        """The first layer of a kind on a stage; None if it has none."""
        return next(iter(self.every(key, kind)), None)

    def boxes(self, key: str) -> list[components.Box]:
        """The boxes of all layers of a stage."""
        return [box for layer in self.every(key, components.Boxes) for box in layer.boxes]


@pytest.fixture(autouse=True, scope="module")
def nothing_seen_before(request):
    """What the networks of one file have said, some of them stand-ins, is not remembered in the next; but what a page
    says as it is, in a file with AS_IT_IS, may be remembered in another such file."""
    caches = () if getattr(request.module, "AS_IT_IS", False) else (st.cache_data, st.cache_resource)
    for cache in caches:
        cache.clear()
    yield
    for cache in caches:
        cache.clear()


@pytest.fixture
def drawn(monkeypatch) -> Drawn:
    """What the pages of this test draw; it fills as they run."""
    found = Drawn()
    show, show_grids = components.Stage.show, components.Matrices.show
    show_solids = components.Solids.show

    def watch(self, picture=None, layers=(), **options):
        found.pictures[self.key], found.layers[self.key], found.options[self.key] = picture, list(layers), options
        return show(self, picture, layers, **options)

    def watch_grids(self, items, **options):
        found.grids[self.key] = {item.name: item for item in items if isinstance(item, components.Grid)}
        found.between[self.key] = [item for item in items if isinstance(item, str)]
        found.options[self.key] = options
        return show_grids(self, items, **options)

    def watch_solids(self, shown, **options):
        found.solids[self.key], found.options[self.key] = {each.id: each for each in shown}, options
        return show_solids(self, shown, **options)

    monkeypatch.setattr(components.Stage, "show", watch)
    monkeypatch.setattr(components.Solids, "show", watch_solids)
    monkeypatch.setattr(components.Matrices, "show", watch_grids)
    return found


@pytest.fixture(scope="session")
def visit() -> Callable[..., AppTest]:
    """Function: a visit to the page of this name, with this query in its address and this session state."""

    def opened(page: str, query: dict | None = None, /, **state) -> AppTest:
        at = AppTest.from_file(str(PAGES / page / "page.py"), default_timeout=600)
        return arrived(at, query, state)

    return opened


@pytest.fixture(scope="session")
def sound() -> Callable[[AppTest], AppTest]:
    """Function: the visit itself, which has raised nothing and shows no error."""

    def checked(at: AppTest) -> AppTest:
        assert not at.exception
        assert not [error.value for error in at.error]
        return at

    return checked


@pytest.fixture(scope="session")
def said(prose) -> Callable[[AppTest], str]:
    """Function: what a page says, captions included."""
    return lambda at: "\n".join([prose(at), *(each.value for each in at.caption)])


@pytest.fixture
def unpublished(monkeypatch, tmp_path) -> None:
    """No published weights on this machine."""
    empty_cache(monkeypatch, tmp_path)


@pytest.fixture
def small(monkeypatch, unpublished) -> str:
    """Name of a published detector whose weights are there; it sees dogs everywhere."""
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    publish(monkeypatch, {name: knowing(random_state(name), 18)})
    return name
