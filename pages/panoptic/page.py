"""Things and stuff in one map: every pixel has a class, and every thing a segment of its own."""

import streamlit as st

from labs import panoptic, panoptic_quality
from models.networks import panoptic_fpn
from pages.panoptic import merging, one_network, paint, quality, shared, uniqueness
from ui import outside_lab_world, page, pictures

page.begin("Panoptic Segmentation")
with st.container(key="choices-panoptic", horizontal=True):
    picture = pictures.choose("panoptic", seed=shared.SEED)
    source = st.segmented_control(
        "Networks",
        list(shared.NETWORKS),
        default=shared.ONE,
        required=True,
        key="panoptic_networks",
        label_visibility="collapsed",
        bind="query-params",
    )
outside_lab_world.warn(picture, [shared.NETWORK, shared.SEGMENTER, shared.DETECTOR])
with page.guard():  # without weights there is one sentence
    merging.play(picture, source)
    one_network.branch(picture)
    one_network.beside(picture)
    uniqueness.unique()
    said = quality.map_of(shared.seen(picture.image, source))
    quality.scored(picture, said)
    paint.paint(picture, said)

page.section("Show the code", "The functions on this page are those that the networks are judged with.")
page.show_code(
    [panoptic.take_turns, panoptic.merge],
    r"\text{keep } i \iff s_i \ge s_{\min} \;\text{ and }\; \frac{|M_i \cap \bigcup_{j < i} M_j|}{|M_i|} \le t, "
    r"\qquad \text{segment}_i = M_i \setminus \bigcup_{j < i} \text{segment}_j",
)
page.show_code([panoptic.claims, panoptic_fpn.StuffBranch, panoptic_fpn.merged])
st.caption(
    "In practice: `combine_semantic_and_instance_outputs` of Detectron2 merges by this rule and these thresholds."
)
page.show_code(
    [panoptic_quality.judge, panoptic_quality.tally, panoptic_quality.quality],
    r"\mathrm{PQ} = \underbrace{\frac{\sum_{(p, g) \in TP} \mathrm{IoU}(p, g)}{|TP|}}_{\mathrm{SQ}} \times "
    r"\underbrace{\frac{|TP|}{|TP| + \frac12 |FP| + \frac12 |FN|}}_{\mathrm{RQ}}",
    "torchmetrics.detection.PanopticQuality(things, stuffs, return_sq_and_rq=True)",
)
page.sources(
    [
        ("Kirillov, He, Girshick, Rother, Dollár 2019: Panoptic Segmentation", "paper",
         "https://arxiv.org/abs/1801.00868"),
        ("Kirillov, Girshick, He, Dollár 2019: Panoptic Feature Pyramid Networks", "paper",
         "https://arxiv.org/abs/1901.02446"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ]
)  # fmt: skip
