"""When is a detection right, and how good is a detector? IoU, NMS, matching, precision-recall, AP and mAP."""

from labs import average_precision, boxes, confusion_matrix, detection_errors, matching, nms
from pages.iou_nms_precision_recall import by_hand, drawn, failures, photographs, ranking, suppression, two_boxes
from ui import page

page.begin("IoU, NMS and Precision-Recall")
two_boxes.two_boxes()
drawn.drawn()
suppression.suppression()
page.erratum(
    slide="True detection: high IoU.",
    truth="For a true detection a high IoU is not enough. The class must be right as well, and the truth must not have "
    "been found before by a surer detection: each truth counts once, and a second box on it is a false positive.",
)
with page.guard():
    photographs.published()
by_hand.by_hand()
ranking.ranking()
page.erratum(
    slide="Average precision is the area under the precision-recall curve.",
    truth="Average precision is not read off the raw precision-recall curve, which zigzags: every benchmark replaces "
    "it by the best precision at this recall or a higher one. Then VOC 2007 takes 11 samples, VOC 2010 the exact "
    "area, COCO 101 samples and the mean over ten IoU thresholds. Compare numbers only if the rule is the same.",
)
failures.where_it_fails()

page.section("Show the code", "The functions on this page; tests hold them equal to torchvision and pycocotools.")
page.show_code(
    [boxes.overlap, boxes.iou, boxes.giou],
    r"\text{IoU} = \frac{|A \cap B|}{|A \cup B|}, \quad \text{GIoU} = \text{IoU} - \frac{|C| - |A \cup B|}{|C|}",
    "torchvision.ops.box_iou(boxes1, boxes2)",
)
page.show_code(
    [boxes.encode, boxes.decode],
    r"b_x = p_x + p_w t_x, \quad b_y = p_y + p_h t_y, \quad b_w = p_w e^{t_w}, \quad b_h = p_h e^{t_h}",
    "torchvision.models.detection._utils.BoxCoder((1, 1, 1, 1))",
)
page.show_code(
    [nms.greedy, nms.soft],
    r"s_i \leftarrow s_i\,(1 - \text{IoU}) \quad \text{or} \quad s_i \leftarrow s_i\, e^{-\text{IoU}^2/\sigma}",
    "torchvision.ops.batched_nms(boxes, scores, labels, iou_threshold)",
)
page.show_code(
    [matching.match_coco, matching.match_voc], library="pycocotools.cocoeval.COCOeval(truth, results, 'bbox')"
)
page.show_code(
    [average_precision.Confusion, average_precision.precision_recall, average_precision.envelope,
     average_precision.voc_all_point, average_precision.sampled],
    r"\text{AP} = \int_0^1 \max_{r' \ge r} p(r')\, dr",
    "torchmetrics.detection.MeanAveragePrecision()",
)  # fmt: skip
page.show_code(
    [confusion_matrix.pair, confusion_matrix.entries, confusion_matrix.matrix, confusion_matrix.shares],
    library="torchmetrics.functional.confusion_matrix(said, truth, task='multiclass', num_classes=9)  # of the pairs",
)
page.show_code(
    [matching.judge, detection_errors.sort_out, detection_errors.average_precisions, detection_errors.lost],
    r"\Delta\text{AP}_o = \text{AP}_o - \text{AP}",
    "tidecv.TIDE().evaluate(truth, detections, mode=tidecv.TIDE.BOX)",
)
page.sources(
    [
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
        ("Everingham et al. 2010: The PASCAL Visual Object Classes Challenge", "paper"),
        ("Lin et al. 2014: Microsoft COCO", "paper", "https://arxiv.org/abs/1405.0312"),
        ("Rezatofighi et al. 2019: Generalized Intersection over Union", "paper", "https://arxiv.org/abs/1902.09630"),
        ("Zheng et al. 2020: Distance-IoU Loss", "paper", "https://arxiv.org/abs/1911.08287"),
        ("Bodla et al. 2017: Soft-NMS", "paper", "https://arxiv.org/abs/1704.04503"),
        (
            "Bolya et al. 2020: TIDE, the kinds of error and the AP that each costs",
            "paper",
            "https://arxiv.org/abs/2008.08115",
        ),
    ]
)
