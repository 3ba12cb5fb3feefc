"""The truth of an own picture, drawn by hand: what the regions are worth, each as the class that its sentence names."""

import streamlit as st

from models.recipes.caption_facts import class_of
from pages.dense_captioning.everywhere import OVERLAP, WEIGHT, every, ranked
from pages.dense_captioning.shared import NETWORK
from pages.shared import own_truth
from pages.shared.drawn_scores import Said
from ui.pictures import Picture


def drawn(picture: Picture) -> None:
    """The section; nothing on Lab World, whose truth is known."""
    if not own_truth.opened("densecap", picture):
        return
    st.caption("Here a region counts as the class that its sentence names, whatever else is said of it.")
    boxes, scores, captions = every(picture.image)
    kept, joint = ranked(boxes, scores, captions, OVERLAP, WEIGHT)
    names = [class_of(captions[row].text) for row in kept.tolist()]
    own_truth.draw("densecap_truth", picture, [Said(NETWORK, boxes[kept].numpy(), names, joint[kept].numpy())])
