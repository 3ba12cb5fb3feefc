"""What does a film add to pictures? Detection while it plays, tracks that carry boxes on, and a line that counts."""

from labs import between_looks, kalman_box, line_counting, tracking, tracking_metrics
from pages.video import assignment, between, choose, counting, own_video, play, scores
from ui import page

page.begin("Video")
choice, network = choose.choose()
with page.guard():
    play.play(choice, network)
    assignment.assign(choice, network)
    scores.scores(choice, network)
    counting.count(choice, network)
    between.between(choice)
    own_video.own()

page.section("Show the code", "The functions on this page; tests hold them to examples worked by hand.")
page.show_code(
    [tracking.costs, tracking.assign, tracking.step, tracking.between],
    r"\min_{\pi} \sum_i \big(1 - \mathrm{IoU}(\hat b_i, d_{\pi(i)})\big)",
    "scipy.optimize.linear_sum_assignment(costs)",
)
page.show_code(
    [kalman_box.predict, kalman_box.update],
    r"\hat x = F x, \quad \hat P = F P F^\top + Q, \qquad x = \hat x + K (z - H \hat x), \quad "
    r"K = \hat P H^\top (H \hat P H^\top + R)^{-1}",
)
page.show_code([tracking_metrics.matches, tracking_metrics.mota, tracking_metrics.idf1, tracking_metrics.hota])
page.show_code(between_looks.overlap_by_age)
page.show_code([line_counting.side, line_counting.crosses, line_counting.crossings])
page.sources(
    [
        ("Bewley, Ge, Ott, Ramos, Upcroft 2016: Simple Online and Realtime Tracking (SORT)", "paper",
         "https://arxiv.org/abs/1602.00763"),
        ("Bernardin, Stiefelhagen 2008: Evaluating Multiple Object Tracking Performance, The CLEAR MOT Metrics",
         "paper", "https://doi.org/10.1155/2008/246309"),
        ("Ristani, Solera, Zou, Cucchiara, Tomasi 2016: Performance Measures and a Data Set for Multi-Target, "
         "Multi-Camera Tracking (IDF1)", "paper", "https://arxiv.org/abs/1609.01775"),
        ("Luiten et al. 2021: HOTA, A Higher Order Metric for Evaluating Multi-Object Tracking", "paper",
         "https://arxiv.org/abs/2009.07736"),
        ("Kuhn 1955: The Hungarian Method for the Assignment Problem", "paper",
         "https://doi.org/10.1002/nav.3800020109"),
        ("University of Sydney: object detection, its applications", "lecture"),
    ]
)  # fmt: skip
