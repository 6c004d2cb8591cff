"""Streamlit's upload fields in the reader's language: their own words can only be covered by a style."""

import json

import streamlit as st

from pages.ui.shell.i18n import t

STYLE = """<style>
[data-testid="stFileUploaderDropzoneInstructions"] {{ display: none; }}
[data-testid="stFileUploaderDropzone"] button[kind="secondary"] p {{ font-size: 0; }}
[data-testid="stFileUploaderDropzone"] button[kind="secondary"] p::after {{ content: {choose}; font-size: 0.875rem; }}
[data-testid="stFileUploaderDropzone"] > input + div > span {{ font-size: 0; }}
[data-testid="stFileUploaderDropzone"] > input + div > span::after {{ content: {drop}; font-size: 1rem; }}
</style>"""
"""The limit of size, which stands in the label too; the button; and what shows while a file is dragged over it."""


def reword() -> None:
    """Have the upload fields of a page speak its language."""
    words = {name: json.dumps(t(f"upload.{name}"), ensure_ascii=False) for name in ("choose", "drop")}
    st.html(STYLE.format(**words))
