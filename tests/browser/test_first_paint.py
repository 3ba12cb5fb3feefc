"""A page never stands without the lab's styles, however late the rest of Streamlit's scripts come."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import visiting


def test_a_page_has_its_styles_before_the_scripts_behind_it_have_come(server, chromium):
    """Streamlit fetches the script of `st.html` when the first one is there to be shown."""
    with visiting(chromium) as tab:
        late = []
        tab.route(re.compile(r"/static/js/Html\."), lambda route: late.append(route))
        tab.goto(f"{server}/lab_world?lecture=1")
        expect(tab.get_by_role("slider").first).to_be_visible(timeout=90_000)
        heading, root = tab.locator(".st-key-page-heading"), tab.locator("html")
        expect(heading).to_have_css("flex-flow", "row wrap")
        size = root.evaluate("node => getComputedStyle(node).fontSize")
        for route in late:
            route.continue_()
        expect(root).to_have_css("font-size", "20px")
        assert late and size == "20px"
