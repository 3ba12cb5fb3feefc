"""A student's own words on a page, shown as they are: Streamlit's texts are Markdown."""

from __future__ import annotations

import re

# Marks that mean something inside a line; an underscore within a word, a colon before a space and a full stop do not.
_MARKS = re.compile(r"[*`~\[\]<>#$|!\\&@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?! |$)|(?<=www)\.", re.IGNORECASE)


def plain(text: object) -> str:
    """`text` in one line, for use inside a Markdown sentence: nothing in it is formatted, linked, or fetched.

    Marks become character references, so that pictures, links, HTML, formulas, icons, and colours stay text.
    """
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", " ".join(str(text).split()))
