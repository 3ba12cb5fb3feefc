"""Which boxes are worth a look? Regions that are alike are merged step by step, and each has a box."""

import streamlit as st

from labs import proposal_recall, region_proposals, region_similarity, region_tree, selective_search
from pages.selective_search import climbing, diversity, merging, recall, shared
from ui import page
from ui.components import following
from ui.pictures import Picture


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """Merges and tree in one fragment: another start is another tree."""
    tree = merging.merging(picture)
    if not following():
        climbing.climbing(picture, tree)


page.begin("Selective Search")
picture = shared.choose()
play(picture)
diversity.diversity(picture)
recall.recall()

page.section("Show the code", "The functions on this page; tests count every merge anew from the pixels.")
page.show_code(
    [selective_search.hierarchy, selective_search.merge],
    r"s(r_i, r_j) = a_1 s_{\text{colour}} + a_2 s_{\text{texture}} + a_3 s_{\text{size}} + a_4 s_{\text{fill}}, "
    r"\quad a \in \{0, 1\}",
    "search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()\nsearch.setBaseImage(picture)\n"
    "search.switchToSelectiveSearchFast()\nboxes = search.process()  # x, y, width, height",
)
page.show_code(
    [region_similarity.colour_histograms, region_similarity.texture_histograms, region_similarity.merged_histogram,
     region_similarity.intersection, region_similarity.size_similarity, region_similarity.fill_similarity],
    r"s_{\text{colour}} = \sum_k \min(c_i^k, c_j^k), \quad s_{\text{size}} = 1 - \frac{|r_i| + |r_j|}{|\text{im}|}, "
    r"\quad s_{\text{fill}} = 1 - \frac{|BB_{ij}| - |r_i| - |r_j|}{|\text{im}|}",
)  # fmt: skip
page.show_code(
    [selective_search.start_regions, selective_search.in_colour_space],
    library="skimage.segmentation.felzenszwalb(picture, scale=100, sigma=0.8, min_size=20)",
)
page.show_code([region_tree.owners, region_tree.path_up, region_tree.mask, region_tree.ranked])
page.show_code(
    [region_proposals.recall, proposal_recall.precision, proposal_recall.mean_average_best_overlap],
    r"\text{recall} = \frac{|\{t : \max_p \text{IoU}(p, t) \ge \theta\}|}{|\{t\}|}, \quad "
    r"\text{precision} = \frac{|\{p : \max_t \text{IoU}(p, t) \ge \theta\}|}{|\{p\}|}",
)
page.sources([
    ("Uijlings, van de Sande, Gevers, Smeulders 2013: Selective Search for Object Recognition", "paper",
     "https://doi.org/10.1007/s11263-013-0620-5"),
    ("Felzenszwalb, Huttenlocher 2004: Efficient Graph-Based Image Segmentation", "paper",
     "https://doi.org/10.1023/B:VISI.0000022288.19776.77"),
    ("Hosang et al. 2016: What makes for effective detection proposals?", "paper", "https://arxiv.org/abs/1502.05082"),
    ("Girshick et al. 2014: Rich feature hierarchies for accurate object detection (R-CNN)", "paper",
     "https://arxiv.org/abs/1311.2524"),
    ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
])  # fmt: skip
