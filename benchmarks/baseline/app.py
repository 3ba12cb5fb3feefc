"""One view with Streamlit's own slider and chart: ``streamlit run benchmarks/baseline/app.py``, then ``/?view=NAME``.

The slider and the numbers are those of the lab's view, and so are the server's settings; only hand and drawing differ.
"""

import streamlit as st

from benchmarks.baseline.charts import CHARTS

st.set_page_config(layout="wide")
name = st.query_params.get("view", "")
if name not in CHARTS:
    st.error(f"There is no view {name!r}. Choose one of {', '.join(CHARTS)} in the address, as in ?view=lab_world.")
    st.stop()
chart = CHARTS[name]
value = st.slider(chart.label, chart.low, chart.high, chart.start, chart.step, key="value")
figure = chart.draw(value)
figure.update_layout(meta={"drawn": True}, showlegend=False, margin={"t": 10, "b": 10, "l": 10, "r": 10})
st.plotly_chart(figure, key="chart", height=chart.height)
