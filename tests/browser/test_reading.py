"""`rest` waits for what a page still asks: a last value, which waits until Python has answered the one before."""

from tests.browser.conftest import visiting
from tests.browser.reading import arrive, rest
from ui.course import ready

# Every word on the direct line is late, for longer than a page is watched before it counts as at rest.
LATE = """(() => {
  const Native = window.WebSocket
  window.WebSocket = class extends Native {
    send(data) {
      if (this.url.endsWith('/api/live')) setTimeout(() => super.send(data), 2500)
      else super.send(data)
    }
  }
})()"""


def test_a_page_rests_only_when_its_last_value_is_in_the_address(server, chromium):
    lesson = next(each for each in ready() if each.file == "lab_world")
    with visiting(chromium, LATE) as tab:
        arrive(tab, f"{server}/{lesson.path}?predict=off", lesson)
        slider = tab.get_by_role("slider", name="Objects")
        before = int(slider.get_attribute("aria-valuenow"))
        slider.press("ArrowRight")
        slider.press("ArrowRight")
        rest(tab)
        assert slider.get_attribute("aria-valuenow") == str(before + 2)
        assert f"objects={before + 2}" in tab.url
