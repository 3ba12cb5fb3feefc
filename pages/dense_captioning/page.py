"""Can a network say what it sees? A sentence for every region of a picture, word by word (DenseCap)."""

import streamlit as st

from pages.dense_captioning import (
    change,
    decode,
    drawn_truth,
    everywhere,
    forced,
    looked,
    scores,
    shared,
    speak,
    unseen,
)
from ui import outside_lab_world, page, pictures

page.begin("Dense Captioning")
picture = pictures.choose("densecap", seed=shared.SEED)
outside_lab_world.warn(picture, [shared.NETWORK])
with page.guard():  # without weights there is one sentence
    shared.whole_page()
    speak.play(picture)
    change.change(picture)
    forced.forced(picture)
    decode.temperature(picture)
    decode.beam(picture)
    looked.looked(picture)
    everywhere.everywhere(picture)
    drawn_truth.drawn(picture)
    unseen.unseen()
    scores.scores()
    scores.figures()
st.caption(
    "DenseCap has no attention: its recurrent layer hears the region once, before the first word. Here the network "
    "looks again before every word, as Lu et al. do, and its regions come from a detector that was trained before."
)
page.sources(
    [
        ("Johnson, Karpathy, Fei-Fei 2016: DenseCap, Fully Convolutional Localization Networks for Dense Captioning",
         "paper", "https://arxiv.org/abs/1511.07571"),
        ("Lu, Xiong, Parikh, Socher 2017: Knowing When to Look, Adaptive Attention for Image Captioning", "paper",
         "https://arxiv.org/abs/1612.01887"),
        ("Cho et al. 2014: Learning Phrase Representations using RNN Encoder-Decoder", "paper",
         "https://arxiv.org/abs/1406.1078"),
        ("Banerjee, Lavie 2005: METEOR, An Automatic Metric for MT Evaluation", "paper",
         "https://aclanthology.org/W05-0909/"),
        ("Porter 1980: An algorithm for suffix stripping", "paper", "https://doi.org/10.1108/eb046814"),
        ("Ain Shams University CSE463: CNN applications", "lecture"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ]
)  # fmt: skip
