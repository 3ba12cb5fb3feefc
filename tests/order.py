"""In which order a run takes its tests, and which of them go to one worker together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xdist.scheduler import LoadScopeScheduling

# What visits every page takes longest. It is not kept together by file, but by page, and begins first.
FILES = "every_page|addresses|notebooks|sections_alone"
BY_PAGE = re.compile(rf"(?:.*/)?tests/(browser|pages)/test_(?:{FILES})\.py::\w+\[(\w+)")


def together(test: str) -> str:
    """Name of what a test belongs to: of the tests of every page, its page, of others their file.

    >>> together("tests/pages/test_notebooks.py::test_a[anchors-0]")
    'pages anchors'
    >>> together("tests/pages/test_addresses.py::test_b[anchors]")
    'pages anchors'
    >>> together("tests/labs/test_nms.py::test_c[0.5]")
    'tests/labs/test_nms.py'
    """
    found = BY_PAGE.match(test)
    return f"{found[1]} {found[2]}" if found else test.partition("::")[0]


def in_order(tests: Iterable[str]) -> dict[str, float]:
    """When to run what belongs together, by name: before the others, those by page; then the files with and without a
    browser mixed evenly, because a browser often waits and the others never do."""
    names = dict.fromkeys(map(together, tests))
    files = [name for name in names if name.endswith(".py")]
    kinds = [[name for name in files if ("browser/" in name) == browser] for browser in (True, False)]
    mixed = {name: (place + 0.5) / len(kind) for kind in kinds for place, name in enumerate(kind)}
    pages = sorted(names.keys() - set(files), key=lambda name: (name.partition(" ")[2], name))
    return {name: place - len(pages) for place, name in enumerate(pages)} | mixed


class Together(LoadScopeScheduling):
    """Hands whole groups of tests to the workers."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)
