"""A tab goes from visitor to visitor, and what one has done to it for good ends with her."""

from tests.browser.conftest import visiting


def test_a_tab_is_handed_on_unless_it_was_changed_for_good(chromium):
    heard = []
    with visiting(chromium) as first:
        pass
    with visiting(chromium) as second:
        assert second is first
        second.route_web_socket("**", lambda _line: None)
    with visiting(chromium) as third:
        assert third is not second and second.is_closed()
        third.add_init_script("window.mine = 1")
        third.goto("data:text/html,<p>own</p>")
        assert third.evaluate("window.mine") == 1
    with visiting(chromium) as fourth:
        assert fourth is not third
        fourth.goto("data:text/html,<p>another's</p>")
        assert fourth.evaluate("window.mine") is None
        fourth.on("console", lambda message: heard.append(message.text))
    with visiting(chromium) as fifth:
        fifth.evaluate("console.log('hers')")
        assert fifth is not fourth and heard == []
