"""The house figure: what the browser is given."""

import json

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from ui import figures


def shown(script) -> list[dict]:
    test = AppTest.from_function(script, default_timeout=20).run()
    assert not test.exception
    return [json.loads(each.proto.json)[0] for each in test.get("bidi_component")]


def test_figure_keeps_its_data_and_takes_the_house_template():
    def script():
        import plotly.graph_objects as go

        from ui import page

        page.figure(go.Figure(go.Scatter(x=[1, 2], y=[3, 4]), layout={"title": "Loss"}), key="loss")
        page.figure(go.Figure(layout={"height": 200}), key="small", alt="Nothing yet")
        page.figure(go.Figure(), key="tall", height=600)

    loss, small, tall = shown(script)
    figure = json.loads(loss["figure"])
    assert figure["data"][0]["y"] == [3, 4]
    assert figure["layout"]["template"]["layout"]["font"]["size"] == 15
    assert figure["layout"]["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert (loss["alt"], small["alt"]) == ("Loss", "Nothing yet")
    assert (loss["height"], small["height"], tall["height"]) == (380, 200, 600)


def test_a_template_of_its_own_is_kept():
    def script():
        import plotly.graph_objects as go

        from ui import page

        page.figure(go.Figure(layout={"template": {"layout": {"font": {"size": 33}}}}), key="own")

    assert json.loads(shown(script)[0]["figure"])["layout"]["template"]["layout"]["font"]["size"] == 33


@pytest.mark.parametrize("at", ["top right", "top left", "bottom right", "bottom left"])
@pytest.mark.parametrize("text", ["", "now"])
@pytest.mark.parametrize("line", [{}, {"color": "#D55E00", "dash": None, "width": 1}])
def test_a_line_across_is_plotlys(at, text, line):
    of_plotly = {"line": {"dash": "dot", "color": "#888888"} | line}
    if text:
        of_plotly |= {"annotation_text": text, "annotation_position": at}
    for place in ({"x": 0.5}, {"y": -3}, {"x": 0}):
        ours, theirs = go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
        figures.across(ours, **place, text=text, at=at, **line)
        add = theirs.add_vline if "x" in place else theirs.add_hline
        add(**place, **of_plotly)
        figures.across(ours, y=4)  # the second does not take the first away
        theirs.add_hline(y=4, line=dict(dash="dot", color="#888888"))
        assert ours.to_plotly_json() == theirs.to_plotly_json()
