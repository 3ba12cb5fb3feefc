"""The video page: how fast a film plays with and without a detector, and how well things are followed.

The rates are of a real Chromium on a real server, both on this machine: frames that the player paints in the first
SECONDS of a film that nobody has seen, so that the network looks while it plays. The scores are of the page's default
detector and tracker over films that no setting was chosen on.
"""

from __future__ import annotations

from typing import Any

from benchmarks.hands import browser, css
from benchmarks.servers import serve

HELD_OUT = range(90_001, 90_011)  # seeds of films
SHOWN = 80_001  # seed of the first film that is played; each play has one of its own
SECONDS = 7.0  # a film has eight: it does not begin anew meanwhile
PATIENCE = 120_000  # ms until a player must be there
BARS = {"fps_with_detection": 10, "fps_playing": 24, "idf1": 0.85}
# Counts the frames that the player has painted since now.
COUNT = """player => {
  player.counted = 0
  new MutationObserver((news) => {
    const { drawn } = player.dataset
    for (const each of news) if (drawn !== '' && drawn !== each.oldValue) player.counted += 1
  }).observe(player, { attributes: true, attributeFilter: ['data-drawn'], attributeOldValue: true })
}"""


def run(films: int = len(HELD_OUT), plays: int = 3) -> dict[str, Any]:
    """Play each way so many times and score so many films (1 to 10). Raises RuntimeError where there is no browser."""
    return rates(plays) | scores(films)


def rates(plays: int) -> dict[str, Any]:
    """`fps_playing` and `fps_with_detection`: the medians of so many plays, and every one of them."""
    found: dict[str, list[float]] = {"fps_playing": [], "fps_with_detection": []}
    with serve("app.py", "/api/ready") as server, browser() as chromium:
        for number in range(plays):
            for name, query in (("fps_playing", "&video_shown=Film+alone"), ("fps_with_detection", "")):
                address = f"{server.address}/video?predict=off&video_seed={SHOWN + number}{query}"
                found[name].append(played(chromium, address, rested=name == "fps_playing"))
    medians = {name: sorted(each)[len(each) // 2] for name, each in found.items()}
    return medians | {f"{name}_each": each for name, each in found.items()}


def played(chromium: Any, address: str, rested: bool, seconds: float = SECONDS) -> float:
    """Frames per second that a fresh visitor sees after having pressed play: at once, while the network still looks at
    the film, or once it has `rested`, for the sections further down ask it, too."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    try:
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        player = page.locator(f"{css('video_play-live')} .player")
        player.and_(page.locator("[data-drawn='0']")).wait_for()
        page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
        if rested:
            page.wait_for_function("!document.querySelector('[data-testid=stProgress]')")
            page.wait_for_timeout(3000)
        player.evaluate(COUNT)
        player.get_by_role("button", name="Play").first.click()
        before = page.evaluate("performance.now()")
        page.wait_for_timeout(1000 * seconds)
        painted, after = player.evaluate("player => [player.counted, performance.now()]")
        return round(1000 * painted / (after - before), 1)
    finally:
        page.close()


def scores(films: int) -> dict[str, Any]:
    """`idf1`, `mota` and `hota_mean` of the page's defaults over held-out films, with the counts behind them."""
    from models import catalog
    from models.recipes import film_scores
    from pages.video import shared

    found = film_scores.evaluate(
        catalog.load(shared.NETWORK), lambda _done, _count: None, HELD_OUT[:films], shared.EVERY, shared.SECONDS
    )
    return found | {"network": shared.NETWORK}
