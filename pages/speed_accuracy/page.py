"""What is worth running? Every detector of the lab at several settings, as points of time and accuracy."""

from labs import speed_accuracy
from pages.speed_accuracy import claims, compare, published, scatter
from ui import page

page.begin("Speed and Accuracy")
with page.guard():  # without weights there is one sentence
    scatter.scatter()
    compare.compare()
    claims.claims()
    claims.proposals()
    claims.deploy()
    published.published()

page.section("Show the code", "What decides between the points.")
page.show_code([speed_accuracy.pareto_front, speed_accuracy.best_within])
page.show_code(
    [speed_accuracy.found, speed_accuracy.slower_and_more_accurate, speed_accuracy.flat],
    library="torch.utils.flop_counter.FlopCounterMode()",
)
page.sources(
    [
        ("Huang et al. 2017: Speed/accuracy trade-offs for modern convolutional object detectors", "paper",
         "https://arxiv.org/abs/1611.10012"),
        ("Lin et al. 2017: Focal Loss for Dense Object Detection", "paper", "https://arxiv.org/abs/1708.02002"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ]
)  # fmt: skip
