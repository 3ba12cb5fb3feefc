"""A page to take home: what is on the screen as a Jupyter notebook that runs from the folder of the lab.

A page's `notebook.py` has one function, `cells(state)`: from what the session holds to the cells that compute the same
again with the lab's own functions. It writes Python as text and computes nothing, so that asking costs no time. Nothing
in a notebook knows Streamlit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Literal

import numpy as np

from ui import lab_world, pictures

State = Mapping[str, Any]
OWN = "an own picture"

WHERE = """\
from pathlib import Path

assert Path("labs").is_dir(), "Start Jupyter in the folder of the lab, where app.py lies."
"""


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook: Markdown to read or Python to run."""

    kind: Literal["markdown", "code"]
    source: str


def text(markdown: str) -> Cell:
    """A cell to read."""
    return Cell("markdown", dedent(markdown).strip())


def code(source: str) -> Cell:
    """A cell to run; indented source is moved to the left edge."""
    return Cell("code", dedent(source).strip())


def questions(first: str, second: str) -> Cell:
    """The last cell: two questions to go on with."""
    return text(f"## Go on\n\n1. {first}\n2. {second}")


def parameters(**values: Any) -> Cell:
    """One line ``name = value`` for each, as Python reads it."""
    lines = "\n".join(f"{name} = {written(value)}" for name, value in values.items())
    return code(f"import numpy as np\n\n{lines}" if "np.array(" in lines else lines)


def written(value: Any) -> str:
    """A value as Python source: numbers, texts, lists and tuples of them, None, and arrays as ``np.array(...)``.

    >>> written(np.array([[1.0, 2.5]])), written((np.float64(0.5), "bilinear"))
    ('np.array([[1.0, 2.5]])', "(0.5, 'bilinear')")
    """
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(written, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    return repr(value)


def get(state: State, key: str, default: Any) -> Any:
    """What the session holds under `key`; the default where that control has not been drawn yet."""
    value = state[key] if key in state else default  # noqa: SIM401 (the state of a page under test has no `get`)
    return default if value is None else value


def source_of(state: State, key: str) -> str:
    """Which of `pictures.SOURCES` the page's picture row `key` shows."""
    return get(state, f"{key}_source", "Lab World")


def is_scene(state: State, key: str) -> bool:
    """True when the page's picture is a Lab World scene, so that `picture` also gives ``scene`` and ``view``."""
    return source_of(state, key) == "Lab World"


def picture(state: State, key: str, seed: int, size: int = 224) -> Cell:
    """The picture of the row `pictures.choose(key, ...)`: defines ``image`` uint8 (size, size, 3), and for Lab World
    ``scene`` and ``view``. A visitor's own picture stays with the visitor: its place is left open, with a photograph
    until a path stands there."""
    if is_scene(state, key):
        knobs = "".join(f", {name}={written(value)}" for name, value in _knobs(state, key).items())
        knobs = f", scenes.Knobs({knobs.removeprefix(', ')})" if knobs else ""
        return code(
            f"""
            import scenes

            scene = scenes.sample({get(state, f"{key}_seed", seed)}{knobs})
            view = scenes.render(scene, {size})
            image = view.image
            """
        )
    if source_of(state, key) == "Photograph":
        label = get(state, f"{key}_photo", next(iter(pictures.PHOTOGRAPHS)))
        taken = f"photograph = PHOTOGRAPHS[{label!r}].pixels()"
        return code(_square("from ui.photographs import PHOTOGRAPHS", taken, size))
    return code(
        "mine = None  # the path of the picture you showed the page; without one this is a photograph of a cat\n"
        + _square(
            "from skimage import data",
            "photograph = np.array(Image.open(mine).convert('RGB')) if mine else data.chelsea()",
            size,
        )
    )


def network(state: State, key: str, default: str) -> Cell:
    """The network of the row `model_choice.choose(key, ...)`: defines ``network``; own weights stay behind."""
    name = get(state, f"{key}_model", default)
    own = get(state, f"{key}_weights_{name}", None) is not None
    lines = ["# The page had your own weights in this network; here it has those it came with."] if own else []
    return code("\n".join(["from models import catalog", "", *lines, f"network = catalog.load({name!r})"]))


def boxes_drawn() -> Cell:
    """Defines ``draw(axis, boxes, colour, **style)`` for boxes (N, 4) xyxy in pixels."""
    return code(
        """
        import matplotlib.pyplot as plt


        def draw(axis, boxes, colour, **style):
            for x1, y1, x2, y2 in boxes:
                axis.add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, **style))
        """
    )


def _square(imports: str, taken: str, size: int) -> str:
    """Source that takes a photograph and cuts and scales it as the page does."""
    lines = [
        "import numpy as np",
        "from PIL import Image, ImageOps",
        imports,
        "",
        taken,
        f"image = np.array(ImageOps.fit(Image.fromarray(photograph), ({size}, {size})))",
    ]
    return "\n".join(lines)


def _knobs(state: State, key: str) -> dict[str, Any]:
    """What has been turned away from where it stood first, as arguments of `scenes.Knobs`."""
    found: dict[str, Any] = {}
    objects = tuple(get(state, f"{key}_objects", (2, 6)))
    if objects != (2, 6):
        found["objects"] = objects
    every = tuple(lab_world.scenes().THINGS)
    chosen = get(state, f"{key}_classes", every)
    if set(chosen) != set(every):
        found["classes"] = tuple(name for name in every if name in chosen)
    occlusion = get(state, f"{key}_occlusion", 0.35)
    if occlusion != 0.35:
        found["occlusion"] = occlusion
    for knob, levels in pictures.LEVELS.items():
        level = levels.get(get(state, f"{key}_{knob}", pictures.AS_DRAWN))
        if level is not None:
            found[knob] = level
    return found


def file(cells: Iterable[Cell], title: str, address: str = "") -> str:
    """The notebook as the JSON of an .ipynb file (nbformat 4.5), with a heading and, where it is known, the address of
    the page in the state that it shows."""
    link = f"\n\nThe page itself, as it was: <{address}>" if address else ""
    head = [
        text(f"# {title}\n\nFrom the lab *Receptive*. Run the cells from top to bottom.{link}"),
        code(WHERE),
    ]
    written_cells = []
    for number, cell in enumerate([*head, *cells]):
        lines = {"id": f"cell-{number}", "cell_type": cell.kind, "metadata": {}, "source": cell.source}
        if cell.kind == "code":
            lines |= {"execution_count": None, "outputs": []}
        written_cells.append(lines)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {
            "cells": written_cells,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
        ensure_ascii=False,
    )
