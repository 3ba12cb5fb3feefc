"""The direct line under real hands: what leaves while a pointer is down, what the page says then, and when it fails."""

from __future__ import annotations

import json
import re
import time

import pytest
from playwright.sync_api import expect

from benchmarks.servers import serve
from tests.browser.conftest import visiting

WATCH = """(() => {
  window.left = { live: 0, streamlit: 0 }
  window.lines = []
  const Native = window.WebSocket
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given)
      if (this.url.endsWith('/api/live')) window.lines.push(this)
    }
    send(data) {
      window.left[this.url.endsWith('/api/live') ? 'live' : 'streamlit'] += 1
      super.send(data)
    }
  }
})()"""


@pytest.fixture(scope="module")
def address():
    with serve("tests/browser/apps/live_app.py", "/_stcore/health") as found:
        yield found.address


@pytest.fixture
def tab(chromium, address):
    with visiting(chromium, WATCH) as tab:
        yield opened(tab, address)


def opened(page, address):
    page.goto(address)
    expect(page.get_by_text("Second part")).to_be_visible()
    expect(page.locator(".editable").first).to_be_visible()
    settle(page)
    return page


def settle(page):
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_function("!window.lines || window.lines.some((line) => line.readyState === 1)")
    page.wait_for_timeout(300)


def sent(page) -> dict[str, int]:
    """Messages sent so far, by line."""
    return page.evaluate("({ ...window.left })")


def place(page, name, share):
    """Screen point on the track of the slider, from 0 (its start) to 1."""
    slider = page.get_by_role("slider", name=name)
    slider.evaluate("node => node.scrollIntoView({ block: 'center' })")
    box = slider.bounding_box()
    return box["x"] + 11 + (box["width"] - 22) * share, box["y"] + box["height"] / 2


def hold(page, name, *shares, pause=20):
    """Press on the slider at the first share, move to the others in small steps, and stay down."""
    x, y = place(page, name, shares[0])
    page.mouse.move(x, y)
    page.mouse.down()
    for share in shares[1:]:
        there = place(page, name, share)[0]
        for step in range(1, 11):
            page.mouse.move(x + (there - x) * step / 10, y)
            page.wait_for_timeout(pause)
        x = there


def says(page, text):
    expect(page.get_by_text(text, exact=True)).to_be_visible()


class TestDrag:
    def test_no_rerun_leaves_before_the_hand_lets_go(self, tab):
        before = sent(tab)
        hold(tab, "Level", 0.2, 0.8)
        says(tab, "Level is 80")
        says(tab, "caption=80")
        tab.wait_for_timeout(900)  # a hand that rests brings nothing but components up to date, and they are
        during = sent(tab)
        assert during["streamlit"] == before["streamlit"]
        assert during["live"] - before["live"] >= 2
        assert "level=" not in tab.url and tab.locator("html[data-asking]").count()
        tab.mouse.up()
        tab.wait_for_url(re.compile("level=80"))
        expect(tab.locator("html[data-asking]")).to_have_count(0)
        assert sent(tab)["streamlit"] > before["streamlit"]
        says(tab, "Level is 80")

    def test_text_beside_is_right_after_release(self, tab):
        hold(tab, "Mixed", 0.2, 0.55, 0.4)
        tab.mouse.up()
        says(tab, "words=40")
        says(tab, "text=40")

    def test_a_hand_that_pauses_brings_the_text_up_to_date(self, tab):
        hold(tab, "Mixed", 0.2, 0.6)
        says(tab, "words=60")
        expect(tab.get_by_text("text=60", exact=True)).to_be_visible()
        settle(tab)
        x, y = place(tab, "Mixed", 0.61)  # one step more, the first on the direct line since Streamlit's last run
        tab.mouse.move(x, y)
        expect(tab.get_by_text("text=61", exact=True)).to_be_visible()
        before = sent(tab)
        tab.wait_for_timeout(1200)
        assert sent(tab) == before  # and then there is nothing more to ask
        tab.mouse.up()
        says(tab, "text=61")

    def test_away_and_back_shows_the_start(self, tab):
        hold(tab, "Mixed", 0.2, 0.6, 0.2)
        tab.mouse.up()
        settle(tab)
        for text in ("words=20", "text=20"):
            says(tab, text)
        hold(tab, "Level", 0.2, 0.7, 0.2)
        tab.mouse.up()
        settle(tab)
        says(tab, "Level is 20")
        assert "level=" not in tab.url and "mixed=" not in tab.url

    def test_a_component_that_appears_comes_with_the_pause(self, tab):
        hold(tab, "Growing", 1 / 9, 7 / 9)
        says(tab, "growing=7")
        says(tab, "more=7")
        tab.mouse.up()
        hold(tab, "Growing", 7 / 9, 1 / 9)
        tab.mouse.up()
        expect(tab.get_by_text("more=7")).to_have_count(0)

    def test_a_choice_made_before_holds_while_the_hand_moves(self, tab):
        tab.get_by_text("cells", exact=True).click()
        expect(tab.get_by_text(re.compile("^kept=3 cells"))).to_be_visible()
        hold(tab, "Kept", 3 / 9, 8 / 9)
        expect(tab.get_by_text(re.compile("^kept=8 cells"))).to_be_visible()
        tab.mouse.up()
        tab.wait_for_url(re.compile("kept=8"))
        settle(tab)
        assert "unit=cells" in tab.url
        expect(tab.get_by_text(re.compile("^kept=8 cells"))).to_be_visible()
        expect(tab.get_by_role("radio", name="cells")).to_be_checked()

    def test_a_box_takes_the_line_too(self, tab):
        frame = tab.get_by_label("A box", exact=True)
        frame.scroll_into_view_if_needed()
        bounds = frame.bounding_box()
        scale = bounds["width"] / 200
        before = sent(tab)
        tab.mouse.move(bounds["x"] + 40 * scale, bounds["y"] + 40 * scale)
        tab.mouse.down()
        for step in range(1, 21):
            tab.mouse.move(bounds["x"] + (40 + 2 * step) * scale, bounds["y"] + 40 * scale)
            tab.wait_for_timeout(15)
        says(tab, "box=60,20,100,60")
        assert sent(tab)["live"] - before["live"] >= 2
        expect(tab.get_by_text("boxtext=60", exact=True)).to_be_visible()
        tab.mouse.up()
        settle(tab)
        says(tab, "box=60,20,100,60")

    def test_a_new_theme_does_not_bring_old_data_back(self, tab):
        hold(tab, "Level", 0.2, 0.8)
        says(tab, "Level is 80")
        for scheme in ("dark", "light"):  # with the hand still down: Streamlit has never sent these data
            tab.emulate_media(color_scheme=scheme)
            tab.wait_for_timeout(400)
            says(tab, "Level is 80")
            says(tab, "caption=80")
        tab.mouse.up()
        settle(tab)
        tab.emulate_media(color_scheme="dark")
        tab.wait_for_timeout(400)
        says(tab, "Level is 80")
        assert tab.get_by_role("slider", name="Level").get_attribute("aria-valuenow") == "80"

    def test_play_moves_the_picture_without_reruns(self, tab):
        before = sent(tab)
        tab.get_by_role("button", name="Play Level").click()
        expect(tab.get_by_text("Level is 20", exact=True)).to_have_count(0)
        tab.wait_for_timeout(800)
        during = sent(tab)
        assert during["streamlit"] == before["streamlit"] and during["live"] - before["live"] >= 2
        tab.get_by_role("button", name="Pause Level").click()
        settle(tab)
        value = tab.get_by_role("slider", name="Level").get_attribute("aria-valuenow")
        says(tab, f"Level is {value}")

    def test_pictures_that_come_back_are_still_there(self, tab):
        frame = tab.get_by_label(re.compile("on stage 7"))
        frame.scroll_into_view_if_needed()
        hold(tab, "Shade", 0, 0.5)
        before = sent(tab)
        hold_on = [place(tab, "Shade", share) for share in (0.25, 0.6, 0.3, 0.7, 0.4, 0.2, 0.6, 0.1)]
        for x, y in hold_on:
            tab.mouse.move(x, y, steps=12)
            tab.wait_for_timeout(100)
        expect(tab.get_by_label("Shade 2 on stage 7")).to_be_visible()
        assert sent(tab)["streamlit"] == before["streamlit"], "a stage has asked for what it was sent before"
        tab.mouse.up()

    def test_keyboard_only(self, tab):
        slider = tab.get_by_role("slider", name="Level")
        slider.focus()
        before = sent(tab)
        for _ in range(5):
            tab.keyboard.press("ArrowRight")
        says(tab, "Level is 25")
        assert sent(tab)["live"] > before["live"]
        tab.wait_for_url(re.compile("level=25"))
        tab.keyboard.press("Home")
        says(tab, "Level is 0")
        tab.keyboard.press("Tab")  # away before the value has settled
        tab.wait_for_url(re.compile("level=0"))
        says(tab, "caption=0")


class TestHaste:
    def press(self, tab, key, *names):
        """The key on all these sliders within one task of the browser."""
        handles = [tab.get_by_role("slider", name=name).element_handle() for name in names]
        tab.evaluate(
            """([key, nodes]) => nodes.forEach((node) => node.dispatchEvent(new KeyboardEvent('keydown', { key })))""",
            [key, handles],
        )

    def test_controls_of_two_fragments_that_settle_together_both_count(self, tab):
        self.press(tab, "End", "Level", "Mixed", "Kept")
        tab.wait_for_url(re.compile("(?=.*level=100)(?=.*mixed=100)(?=.*kept=9)"))
        for text in ("Level is 100", "words=100", "text=100"):
            says(tab, text)

    def test_a_refusal_that_comes_late_does_not_bring_the_older_value_back(self, tab):
        self.press(tab, "End", "Slow")
        tab.wait_for_url(re.compile("slow=9"))
        self.press(tab, "Home", "Slow")
        tab.wait_for_url(re.compile("slow=0"))  # this run now sleeps, and the direct line is refused
        self.press(tab, "End", "Mixed")
        self.press(tab, "Backspace", "Mixed")
        settle(tab)
        tab.wait_for_timeout(1500)
        says(tab, "words=20")
        says(tab, "text=20")
        assert tab.get_by_role("slider", name="Mixed").get_attribute("aria-valuenow") == "20"

    def test_back_leads_to_the_page_before(self, tab, address):
        for key in ("End", "Home", "End"):
            self.press(tab, key, "Level")
            tab.wait_for_url(re.compile("level=0" if key == "Home" else "level=100"))
        tab.go_back()
        assert tab.url == "about:blank"


class TestTouch:
    @pytest.fixture
    def phone(self, chromium, address):
        options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
        with visiting(chromium, WATCH, **options) as phone:
            yield opened(phone, address)

    def swipe(self, page, start, end):
        touch = page.context.new_cdp_session(page)

        def point(share):
            return {"x": start[0] + (end[0] - start[0]) * share, "y": start[1] + (end[1] - start[1]) * share}

        for kind, share in [("touchStart", 0), *(("touchMove", i / 20) for i in range(1, 21))]:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point(share)]})
            page.wait_for_timeout(20)
        return lambda: touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def test_a_finger_drags_a_slider(self, phone):
        before = sent(phone)
        lift = self.swipe(phone, place(phone, "Level", 0.2), place(phone, "Level", 0.8))
        says(phone, "Level is 80")
        during = sent(phone)
        assert during["live"] - before["live"] >= 2 and during["streamlit"] == before["streamlit"]
        lift()
        phone.wait_for_url(re.compile("level=80"))

    def test_a_finger_drags_a_box(self, phone):
        frame = phone.get_by_label("A box", exact=True)
        frame.evaluate("node => node.scrollIntoView({ block: 'center' })")
        bounds = frame.bounding_box()
        scale = bounds["width"] / 200
        before = sent(phone)
        there = [(bounds["x"] + x * scale, bounds["y"] + 40 * scale) for x in (40, 90)]
        lift = self.swipe(phone, *there)
        says(phone, "box=70,20,110,60")
        assert sent(phone)["live"] - before["live"] >= 2
        lift()
        says(phone, "boxtext=70")


def test_two_visitors_dragging_at_once_never_see_each_other(chromium, address):
    contexts = [chromium.new_context(viewport={"width": 1000, "height": 700}) for _ in range(2)]
    try:
        one, other = (opened(context.new_page(), address) for context in contexts)
        for page in (one, other):
            page.evaluate("""() => {
              const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot)
                .find((root) => root?.textContent.startsWith('Level is'))
              window.seen = []
              new MutationObserver(() => window.seen.push(Number(/\\d+/.exec(root.textContent)[0])))
                .observe(root, { subtree: true, childList: true, characterData: true })
            }""")
        points = [place(page, "Level", 0.2) for page in (one, other)]
        ends = [place(one, "Level", 0.0), place(other, "Level", 1.0)]
        for page, point in zip((one, other), points, strict=True):
            page.mouse.move(*point)
            page.mouse.down()
        for step in range(1, 31):
            for page, start, end in zip((one, other), points, ends, strict=True):
                page.mouse.move(start[0] + (end[0] - start[0]) * step / 30, start[1])
        says(one, "Level is 0")
        says(other, "Level is 100")
        for page in (one, other):
            page.mouse.up()
            settle(page)
        low, high = (page.evaluate("window.seen") for page in (one, other))
        assert len(low) >= 1 and max(low) <= 20 and len(high) >= 1 and min(high) >= 20
        says(one, "Level is 0")
        says(other, "Level is 100")
    finally:
        for context in contexts:
            context.close()


class TestFailure:
    """Without the direct line everything goes on through Streamlit."""

    @pytest.fixture
    def visitor(self, chromium):
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.add_init_script(WATCH)
        yield page
        context.close()

    def works(self, page, share):
        before = sent(page)
        hold(page, "Mixed", 0.2, share)
        value = round(100 * share)
        says(page, f"words={value}")
        says(page, f"text={value}")
        assert sent(page)["streamlit"] > before["streamlit"]
        page.mouse.up()
        page.wait_for_url(re.compile(f"mixed={value}"))
        says(page, f"text={value}")

    def test_no_line_at_all(self, visitor, address):
        visitor.route_web_socket(re.compile("/api/live$"), lambda socket: socket.close(code=1011))
        visitor.goto(address)
        expect(visitor.get_by_text("Second part")).to_be_visible()
        visitor.wait_for_timeout(500)
        self.works(visitor, 0.7)

    def test_a_line_that_is_cut_in_the_drag_and_comes_back(self, visitor, address):
        opened(visitor, address)
        hold(visitor, "Mixed", 0.2, 0.5)
        visitor.evaluate("window.lines.forEach((line) => line.close())")
        x, y = place(visitor, "Mixed", 0.9)
        visitor.mouse.move(x, y)
        says(visitor, "words=90")
        visitor.mouse.up()
        says(visitor, "text=90")
        visitor.wait_for_timeout(3200)
        visitor.get_by_role("slider", name="Level").press("End")  # a run through Streamlit opens it again
        settle(visitor)
        before = sent(visitor)
        hold(visitor, "Level", 1.0, 0.4)
        says(visitor, "Level is 40")
        assert sent(visitor)["live"] > before["live"]
        visitor.mouse.up()

    def test_a_line_that_never_answers(self, visitor, address):
        visitor.route_web_socket(re.compile("/api/live$"), lambda socket: socket.on_message(lambda _message: None))
        visitor.goto(address)
        expect(visitor.get_by_text("Second part")).to_be_visible()
        visitor.wait_for_timeout(500)
        began = time.monotonic()
        hold(visitor, "Mixed", 0.2, 0.7)
        says(visitor, "words=70")
        visitor.mouse.up()
        says(visitor, "text=70")
        assert time.monotonic() - began < 14

    def test_a_message_that_gets_lost_is_said_once_more(self, visitor, address):
        lost = []

        def loses(socket):
            server = socket.connect_to_server()

            def pass_on(message):
                if not lost and b'"settled":true' in bytes(message if isinstance(message, bytes) else message.encode()):
                    lost.append(message)
                else:
                    server.send(message)

            socket.on_message(pass_on)

        visitor.route_web_socket(re.compile("/_stcore/stream"), loses)
        opened(visitor, address)
        visitor.get_by_role("slider", name="Mixed").press("Home")
        visitor.wait_for_url(re.compile(r"mixed=0\b"))
        assert len(lost) == 1

    def test_a_line_that_always_refuses(self, visitor, address):
        def refuse(socket):
            def answer(message):
                asked = json.loads(message)
                number = asked["message"]["sequence"]
                socket.send(json.dumps({"key": asked["key"], "sequence": number, "drawings": None}))

            socket.on_message(answer)

        visitor.route_web_socket(re.compile("/api/live$"), refuse)
        visitor.goto(address)
        expect(visitor.get_by_text("Second part")).to_be_visible()
        visitor.wait_for_timeout(500)
        self.works(visitor, 0.6)


def test_words_are_drawn_as_markdown_and_never_as_html(tab):
    said = tab.locator(".st-key-marks-live .words")
    parts = said.locator("p")
    expect(parts).to_have_count(2)
    assert parts.first.inner_text() == "bold leaning code **plain** quiet loud good <b>markup</b> &amp; 2*3*4 **"
    assert parts.last.inner_text() == "Second part"
    for tag, texts in {"p > strong": ["bold"], "em": ["leaning"], "code": ["code **plain**"], "b": []}.items():
        assert said.locator(tag).all_inner_texts() == texts, tag
    assert said.locator("span.gray strong").inner_text() == "loud"
    badge = said.locator("span.green.badge")
    assert badge.inner_text() == "good"
    assert badge.evaluate("node => getComputedStyle(node).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert float(said.locator("strong").first.evaluate("node => getComputedStyle(node).fontWeight")) >= 600
