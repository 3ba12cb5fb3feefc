"""Home in a real browser: every control changes the picture; the state is in the address."""

from playwright.sync_api import expect


def settled(page):
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    page.wait_for_timeout(300)  # the component draws after the run


def test_every_control_changes_the_scene(server, page):
    page.goto(server)
    stage = page.locator('[data-testid="stBidiComponentRegular"], [data-testid="stBidiComponentIsolated"]').first
    expect(stage.locator("svg").first).to_be_visible()
    settled(page)
    seen = [stage.screenshot()]
    for control in ("Picture", "Every pixel", "Next scene"):
        page.get_by_role("button", name=control).or_(page.get_by_role("radio", name=control)).first.click()
        settled(page)
        seen.append(stage.screenshot())
        assert seen[-1] not in seen[:-1], control
    page.keyboard.press("n")
    settled(page)
    assert stage.screenshot() not in seen
    assert "home_look=Every+pixel" in page.url or "home_look=Every%20pixel" in page.url

    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(
        page.get_by_role("radio", name="Every pixel").or_(page.get_by_role("button", name="Every pixel")).first
    ).to_be_visible()
    settled(page)
    assert stage.screenshot() != seen[0]


def test_map_leads_to_a_lesson_and_keeps_lecture_mode(server, page):
    page.goto(f"{server}/?lecture=1")
    page.get_by_role("link", name="Lab World").click()
    expect(page.get_by_role("heading", level=1, name="Lab World", exact=True)).to_be_visible()
    assert "/lab_world" in page.url and "lecture=1" in page.url
    expect(page.locator('[data-testid="stSidebarNav"]')).to_have_count(0)
