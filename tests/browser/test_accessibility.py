"""axe-core on every page, light and dark: no serious violation."""

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from ui.course import ready

AXE = files("axe_playwright_python") / "axe.min.js"
GRAVE = ("serious", "critical")
# Streamlit's own chrome, which no page of ours can mend.
NOT_OURS = ["[data-testid=stHeader]", "[data-testid=stSidebarNav]", "[data-testid=stToolbar]"]
RUN = """async (exclude) => {
  const found = await axe.run({ exclude: exclude.map((each) => [each]) }, { resultTypes: ['violations'] })
  return found.violations.map(({ id, impact, nodes }) => (
    { id, impact, count: nodes.length, first: nodes.slice(0, 3).map((node) => node.html.slice(0, 200)) }))
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_no_serious_violation(server, chromium, lesson, scheme):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    try:
        tab = context.new_page()
        tab.goto(f"{server}/{lesson.path}")
        expect(tab.get_by_role("heading", level=1, name=lesson.title, exact=True)).to_be_visible()
        expect(tab.locator('[data-testid="stSkeleton"]')).to_have_count(0, timeout=90_000)
        expect(tab.locator('[data-testid="stStatusWidget"]')).to_have_count(0, timeout=90_000)
        tab.evaluate(AXE.read_text())
        grave = [each for each in tab.evaluate(RUN, NOT_OURS) if each["impact"] in GRAVE]
        assert not grave, "\n".join(f"{each['id']} ({each['count']}): {each['first']}" for each in grave)
    finally:
        context.close()
