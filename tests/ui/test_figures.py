"""The house figure: what the browser is given."""

import json

from streamlit.testing.v1 import AppTest


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
