"""What an embedded page brings along, and what an address cannot smuggle into it."""

import pytest

from ui import embed


@pytest.mark.parametrize("query", ["", "embed=false", "section=play", "embed=true&embed=true", "lecture=1", "embed=1"])
def test_a_page_that_is_not_embedded_is_as_ever(query):
    assert embed.head(query) == b""


@pytest.mark.parametrize("query", ["embed=true", "up_factor=3&embed=True", "embed=true&section=</style><script>"])
def test_an_embedded_page_comes_without_bars_and_leaves_the_history_alone(query):
    found = embed.head(query).decode()
    assert "stSidebar" in found and "history.pushState" in found
    assert found == embed.head("embed=true").decode()  # nothing of the address is written into the page
