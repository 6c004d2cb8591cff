"""A switch between a few things, of which one is always on."""

from collections.abc import Mapping

import streamlit as st


def switch(label: str, names: Mapping[str, str], key: str, labelled: bool = True) -> str:
    """Let the reader switch between what ``names`` lists, by name; return which it is now."""
    st.segmented_control(
        label,
        list(names),
        key=key,
        format_func=names.__getitem__,
        required=True,
        label_visibility="visible" if labelled else "collapsed",
    )
    return st.session_state[key]
