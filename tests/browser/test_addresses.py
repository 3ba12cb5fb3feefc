"""An address that means nothing, in a real Chromium: the page shows its defaults, and the address says so."""

from playwright.sync_api import expect


def test_the_address_is_put_right_and_stays_so(server, page):
    digits = "7" * 500
    page.goto(
        f"{server}/upsampling?up_factor=&up_method=word&up_rows=inf&scene_seed={digits}&rf_layers=nan&up_input=1,x"
        "&scene_at=nan,inf&up_at=word&unpool_overlap=&lecture=word"
    )
    expect(page.locator(".matrix .cell").first).to_be_visible(timeout=90_000)
    page.wait_for_function("!location.search", timeout=90_000)
    expect(page.locator(".matrix").first.locator("figure").nth(1).locator(".cell")).to_have_count(16)  # 2×2, factor 2
    page.reload()
    expect(page.locator(".matrix .cell").first).to_be_visible(timeout=90_000)
    expect(page.get_by_text("The link does not hold")).to_have_count(0)  # said once, where the link was opened
    assert "?" not in page.url
