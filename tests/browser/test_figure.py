"""The Plotly figure: drawn once, updated in place, coloured by the theme; and errors beside it in plain words."""

import pytest
from playwright.sync_api import expect

from benchmarks.servers import serve

PLOT = "[data-figure]"


@pytest.fixture(scope="module")
def figure_app():
    with serve("tests/browser/apps/figure_app.py", "/_stcore/health") as found:
        yield found.address


def heights(page):
    return page.evaluate(f"document.querySelector('{PLOT}').data[0].y.join()")


def choose(page, factor):
    page.get_by_label("Factor", exact=True).fill(str(factor))
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('{PLOT}').data[0].y[1] === {factor}")


def test_updates_keep_the_node_and_the_zoom(figure_app, page):
    page.goto(figure_app)
    expect(page.locator(f"{PLOT} .main-svg").first).to_be_visible()
    assert heights(page) == "0,1,0"
    page.evaluate(f"document.querySelector('{PLOT}').mark = 'same'")
    page.evaluate(f"window.Plotly.relayout(document.querySelector('{PLOT}'), {{'xaxis.range': [0.5, 1.5]}})")
    choose(page, 5)
    assert page.evaluate(f"document.querySelector('{PLOT}').mark") == "same"
    assert page.evaluate(f"document.querySelector('{PLOT}').layout.xaxis.range.join()") == "0.5,1.5"
    expect(page.get_by_role("figure", name="A wave")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_theme(figure_app, page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(figure_app)
    tick = page.locator(f"{PLOT} .xtick text").first
    expect(tick).to_be_visible()
    text = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stMarkdownContainer] p')).color")
    assert tick.evaluate("node => getComputedStyle(node).fill") == text


def test_fills_its_column_after_a_resize(figure_app, page):
    page.goto(figure_app)
    expect(page.locator(f"{PLOT} .main-svg").first).to_be_visible()
    page.set_viewport_size({"width": 700, "height": 800})
    page.wait_for_function(
        f"(n => n.clientWidth < 700 && n.querySelector('.main-svg').clientWidth === n.clientWidth)"
        f"(document.querySelector('{PLOT}'))"
    )


def test_errors_are_one_plain_sentence(figure_app, page):
    page.goto(figure_app)
    expect(page.locator(f"{PLOT} .main-svg").first).to_be_visible()
    choose(page, 8)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Eight is too many: choose a smaller factor.")
    page.get_by_role("button", name="Break").click()
    expect(alert.last).to_contain_text("Something went wrong on this page.")
    assert "secret detail" not in page.inner_text("body") and "Traceback" not in page.inner_text("body")
