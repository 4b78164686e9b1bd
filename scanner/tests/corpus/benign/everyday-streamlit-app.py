# expect: LOW
import streamlit as st
import pandas as pd

st.title("Explorer")
f = st.file_uploader("CSV", type="csv")
if f:
    df = pd.read_csv(f)
    col = st.selectbox("column", df.columns)
    st.bar_chart(df[col].value_counts())
    q = st.text_input("query")
    if q:
        st.dataframe(df.query(q))
    st.download_button("download", df.to_csv(index=False), "out.csv")
