"""`python -m tests.kept renew`: keep the drawings of today. Look at what `git diff` says of them before you commit."""

import argparse
import logging
import tempfile
from pathlib import Path

logging.disable(logging.WARNING)  # Streamlit misses its server

from tests.kept.comparison import DRAWINGS, difference, write  # noqa: E402


def renew() -> None:
    """Write every drawing that differs from the kept one, and say which."""
    for kept, draw in DRAWINGS.items():
        drawing = draw()
        with tempfile.TemporaryDirectory() as folder:
            found = difference(kept, drawing, Path(folder))
        if found:
            write(drawing, kept)
            print(found.split("\nkept:")[0])


parser = argparse.ArgumentParser(prog="python -m tests.kept", description=__doc__)
parser.add_argument("command", choices=["renew"])
parser.parse_args()
renew()
