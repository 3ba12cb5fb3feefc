"""A line of text that follows the hand: short Markdown, drawn by the browser as the pictures are."""

from __future__ import annotations

from ui.components import wire

_COMPONENT = wire.declare("words", "1.5rem")


def words(text: str, key: str) -> None:
    """Show `text`: paragraphs with **bold**, *emphasis*, `code`, :gray[quiet] and :green-badge[badges].

    For numbers beside a picture that a live slider moves: plain `st.markdown` is redrawn only when the hand pauses. The
    colours are Streamlit's: gray, blue, green, orange, red, violet. Links, lists and mathematics are st.markdown's.
    """
    wire.mount(_COMPONENT, key, {"text": text}, speaks=False, followed=True)
