"""The door: what is served, what is not, and the settings that speed and calm depend on."""

import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def fetch(address: str):
    with urllib.request.urlopen(address, timeout=10) as response:
        return response.headers, response.read()


def test_ready_answers_once_the_libraries_are_loaded(server):
    headers, body = fetch(f"{server}/api/ready")
    assert headers["content-type"] == "application/json" and body == b'{"ready":true}'


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("components/stage/stage.js", "text/javascript"),
        ("components/stage/stage.css", "text/css"),
        ("figures/figure.js", "text/javascript"),
    ],
)
def test_assets_have_their_media_type(server, path, media_type):
    address = f"{server}/assets/{path.removeprefix('components/')}"
    headers, body = fetch(f"{address}?v=1")
    assert headers["content-type"].startswith(media_type)
    assert "immutable" in headers["cache-control"]
    assert body == (ROOT / "ui" / path).read_bytes()
    assert fetch(address)[0]["cache-control"] == "no-cache"


def test_plotly_is_served_from_here_not_from_another_host(server):
    headers, body = fetch(f"{server}/assets/plotly/plotly.min.js")
    assert headers["content-type"] == "text/javascript" and len(body) > 1_000_000


@pytest.mark.parametrize(
    "path",
    ["stage/__init__.py", "wire.py", "figures/__init__.py", "../page.py", "%2e%2e/page.py", "stage", "none.js"],
)
def test_no_source_is_served(server, path):
    try:
        headers, body = fetch(f"{server}/assets/{path}")
    except urllib.error.HTTPError as refused:
        assert refused.code in (400, 404)
    else:  # the address left /assets: Streamlit's own page answers
        assert headers["content-type"].startswith("text/html") and b"import streamlit" not in body


def test_settings():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["runner"]["postScriptGC"] is False
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["server"]["showEmailPrompt"] is False  # else the first start waits for an answer
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False


def test_requirements_are_pinned_and_complete():
    """Every library that the house imports is pinned, in plain lines."""
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(line.count("==") == 1 and " " not in line for line in lines)
    assert {"torch==2.14.1", "torchvision==0.29.2"} <= set(lines)
    modules = {"pillow": "PIL", "scikit-image": "skimage", "opencv-contrib-python-headless": "cv2",
               "scikit-learn": "sklearn"}  # fmt: skip
    pinned = {modules.get(name, name).lower().replace("-", "_") for name in (line.split("==")[0] for line in lines)}
    pinned |= {"starlette", "uvicorn"}  # come with streamlit
    assert imported() <= pinned


def imported() -> set[str]:
    """Top-level names of all third-party modules that the lab imports."""
    import ast
    import sys

    rooms = {"app", "pages", "labs", "scenes", "models", "ui"}
    found = set()
    for path in [ROOT / "app.py", *(file for room in rooms - {"app"} for file in (ROOT / room).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return {name.lower() if name != "PIL" else "pil" for name in found - rooms - sys.stdlib_module_names}
