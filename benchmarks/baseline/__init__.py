"""The views of the lab as plain Streamlit would have them: ``st.slider`` above ``st.plotly_chart``."""
