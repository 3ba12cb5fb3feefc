"""What a link to this page may ask for, and a word where it asks for something else."""

import streamlit as st

from ui.plain import plain

SIZES = [64, 128, 224, 448]
RANGES = {
    "seed": (0, 999_999), "objects": (0, 12), "occlusion": (0, 1), "light": (0, 1), "fog": (0, 1), "noise": (0, 1),
}  # fmt: skip


def not_understood() -> list[str]:
    """What the address asks for that this page cannot show, before it is put right: a phrase for each."""
    told = []
    for name, (low, high) in RANGES.items():
        text = st.query_params.get(name)
        if text is None:
            continue
        try:
            fine = low <= float(text) <= high
        except ValueError:
            fine = False
        if not fine:
            told.append(f"{name}={plain(text[:20])} ({low:g} to {high:g})")
    size = st.query_params.get("size")
    if size is not None and size not in map(str, SIZES):
        told.append(f"size={plain(size[:20])} ({', '.join(map(str, SIZES))})")
    return told
