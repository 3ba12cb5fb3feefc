"""What an embedded page brings along, and what an address cannot smuggle into it."""

import pytest

from ui import embed


@pytest.mark.parametrize("query", ["", "embed=false", "section=play", "embed=true&embed=true", "lecture=1", "embed=1"])
def test_a_page_that_is_not_embedded_is_as_ever(query):
    assert embed.head(query) == b""


@pytest.mark.parametrize("query", ["embed=true", "up_factor=3&embed=True", "embed=true&section="])
def test_a_page_comes_without_bars_and_leaves_the_history_alone(query):
    found = embed.head(query).decode()
    assert "stSidebar" in found and "history.pushState" in found and "embed-section" not in found.split("<script>")[0]
    assert '<style id="embed-section">' not in found


def test_a_section_is_named_in_every_rule():
    found = embed.head("embed=true&section=look-inside").decode().split('<style id="embed-section">')[1]
    assert found.count("#look-inside") == (embed.HERE / "embed_section.css").read_text().count("#ANCHOR") > 5
    assert "ANCHOR" not in found


@pytest.mark.parametrize("anchor", ["</style><script>", "Play", "a b", "a,body", "x" * 101, "%00", "é"])
def test_what_is_no_anchor_is_not_written_into_the_page(anchor):
    assert embed.head(f"embed=true&section={anchor}") == embed.head("embed=true")
