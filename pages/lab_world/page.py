"""Lab World: the procedural scenes that every network of the lab is trained and judged on, with their exact truth."""

import streamlit as st

import scenes
from pages.lab_world import marking, truth
from pages.lab_world.links import not_understood
from pages.lab_world.play import SHOWN, play
from pages.lab_world.play import truth as known
from scenes.coco import run_lengths
from ui import page


@page.guard()
def below() -> None:
    """Maps, table, questions, marking and JSON of the scene that the knobs left."""
    view = known(*st.session_state[SHOWN])
    truth.three_maps(view)
    truth.instances(view)
    marking.marking(view)
    truth.downloads(view)


page.begin("Lab World")
page.section("Play", "A world whose every pixel is known, because we drew it. Move a slider and see.")
st.session_state["whole_run"] = True
wrong = not_understood()  # asked before the controls put the address right
play()
if wrong:
    st.info(f"The link asks for what this page cannot show, so the default is here instead: {'; '.join(wrong)}.")
below()
page.show_code(
    [scenes.render, run_lengths],
    formula=r"\text{semantic}(x, y) = \text{class}\big(\text{panoptic}(x, y)\big)",
    library="from pycocotools.coco import COCO\ncoco = COCO('annotations.json')\nmask = coco.annToMask(annotation)",
)
page.sources(
    [
        ("Lin et al. 2014, Microsoft COCO: Common Objects in Context", "paper", "https://arxiv.org/abs/1405.0312"),
        ("Kirillov et al. 2019, Panoptic Segmentation", "paper", "https://arxiv.org/abs/1801.00868"),
        ("Johnson et al. 2017, CLEVR: scenes drawn by a program", "paper", "https://arxiv.org/abs/1612.06890"),
        ("Polimi, CNNs for detection: pose as the regression of 14 joints", "lecture"),
    ]
)
