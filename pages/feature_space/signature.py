"""What a signature is: which numbers of which network, and how many."""

import streamlit as st

from models.inside.signatures import SIDE, UNTRAINED
from pages.feature_space.shared import LAB, PHOTOGRAPHIC, Gallery
from ui import page

# (network, numbers, which): the lecture's first, with what their authors' networks have.
SIZES = (
    ("LeNet-5", 120, "its last convolution, C5, whose maps have one cell each; 84 and 10 outputs follow"),
    ("AlexNet", 4096, "its last hidden layer, fully connected; the volume before is 256 × 6 × 6 = 9,216 numbers"),
    ("GoogLeNet (Inception v1)", 1024, "the mean of each of its last maps"),
    ("Inception v3", 2048, "the mean of each of its last maps"),
)
CELLS = {LAB: SIDE // 8, UNTRAINED: SIDE // 8, PHOTOGRAPHIC: 7}  # of a side of the last maps


def signature(found: Gallery) -> None:
    page.section(
        "What is a signature?",
        "The numbers just before the classes: as many as the network has last maps or last hidden units.",
    )
    name, side = found.network.name, CELLS[found.network.name]
    maps = found.signatures[found.layers[-1]].shape[1]
    rows = ["| network | numbers | what they are |", "|---|---:|---|"]
    rows += [f"| {network} | {count:,} | {what} |" for network, count, what in SIZES]
    rows.append(f"| **{name}**, here | **{maps:,}** | the mean of each of its last maps |")
    st.markdown("\n".join(rows))
    st.markdown(
        f"The lecture flattens the last volume. Here that would be {maps:,} × {side} × {side} = "
        f"{maps * side * side:,} numbers, and the same thing a few cells further right would be far away. The mean of "
        "each map forgets where it was found, and keeps that it was found."
    )
    page.erratum(
        "InceptionV3 and AlexNet give vectors of shape (1024,).",
        "Inception v3 ends in **2,048** means and AlexNet in **4,096** hidden units. 1,024 is what GoogLeNet, the "
        "first Inception, ends in. LeNet-5's 120 are right if its layer C5 is meant: its last hidden one has 84.",
    )
