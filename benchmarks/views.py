"""What is measured: one view of every page, the control that moves it, and the bar that the lab sets itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).resolve().parents[1] / "models" / "weights"
SLIDER, BOX = "slider", "box"


@dataclass(frozen=True)
class View:
    """One live view of the lab.

    `path` is page and query under the site; `key` the key of the component that the hand holds, `drawing` the key of
    the one that shows the result, `part` the element inside it whose changes count as a redraw. `hand`: SLIDER, or BOX
    for a stage whose editable box is dragged. `rate` is the bar in redraws per second; `cheap` views also promise p95
    and twice the baseline's rate. `networks` must have weights, else the page is hidden or the
    view empty.
    """

    name: str
    path: str
    key: str
    drawing: str
    part: str
    rate: float
    cheap: bool = True
    hand: str = SLIDER
    networks: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Networks this view needs that have no weights yet."""
        return [name for name in self.networks if not (WEIGHTS / f"{name}.safetensors").exists()]


CANVASES, BOXES, CELLS, WORDS = ".rasters", ".vectors", ".items", ".words"
COMMON = '[data-id="common"]'  # the intersection comes from Python; the dragged box itself follows the hand at once
DETECTOR = ("detector",)
CLASSIFIER = ("classifier-gap-28",)
LOCALIZER = ("localizer-joint",)
WINDOWS = ("window-classifier", "window-classifier-wide", "window-localizer")
SEGMENTERS = tuple(f"segmenter-{name}" for name in ("nearest", "bed-of-nails", "bilinear", "max-unpool", "transposed"))

VIEWS = (
    View("lab_world", "lab_world", "light", "world", CANVASES, 25),
    View("receptive_field", "upsampling", "rf_layers", "rf_plain", CANVASES, 25),
    View("five_segmenters", "upsampling", "scene_more_fog", "segmenter-transposed", CANVASES, 4, False,
         networks=SEGMENTERS),
    View("stamping", "transposed_convolution?stamp_size=3", "stamp_step", "stamp_grids", CELLS, 25),
    View("matrix", "transposed_convolution", "line_kernel", "line_backward", CELLS, 25),
    View("inverse", "transposed_convolution", "back_length", "back_values", CELLS, 25),
    View("overlap", "transposed_convolution", "overlap_kernel", "overlap_map", CANVASES, 25),
    View("anchors", "anchors", "anchors_smallest", "anchors_grid", BOXES, 10, False,
         networks=DETECTOR),
    View("localization_box", "localization", "localization_stage", "localization_losses", WORDS, 25, hand=BOX,
         networks=LOCALIZER),
    View("loss_weight", "localization", "multitask_alpha", "multitask_hand", WORDS, 25, networks=LOCALIZER),
    View("window", "sliding_window", "window_hand", "window_hand_scores", CELLS, 25, hand=BOX, networks=WINDOWS),
    View("window_threshold", "sliding_window", "window_threshold", "window_above", BOXES, 25, networks=WINDOWS),
    View("pyramid", "sliding_window", "pyramid_score", "pyramid_kept", BOXES, 10, False, networks=WINDOWS),
    View("merges", "selective_search", "selective_merges", "selective_told", WORDS, 25, False),
    View("iou", "iou_nms_precision_recall", "iou_stage", "iou_stage", COMMON, 25, hand=BOX,
         networks=DETECTOR),
    View("nms", "iou_nms_precision_recall", "nms_threshold", "nms_stage", BOXES, 10, False, networks=DETECTOR),
    View("roi_box", "roi_pooling", "roi_scene", "roi_map", '[data-id="projected"]', 10, False, hand=BOX,
         networks=DETECTOR),
    View("roi_shift", "roi_pooling", "roi_shift", "roi_curve", BOXES, 10, False, networks=DETECTOR),
    View("saliency_patch", "saliency", "saliency_covered", "saliency_patch_words", ".words", 10, False, hand=BOX,
         networks=CLASSIFIER),
    View("parts", "position_sensitive", "rfcn_scene", "rfcn_vote", WORDS, 20, False, hand=BOX, networks=("r-fcn",)),
    View("mask_threshold", "mask_rcnn", "mask_threshold", "mask_said", WORDS, 25, False, networks=DETECTOR),
    View("panoptic", "panoptic", "panoptic_score", "panoptic_told", WORDS, 25, False,
         networks=("panoptic-fpn", *DETECTOR)),
    View("words_said", "dense_captioning?predict=off", "densecap_word", "densecap_sentence", WORDS, 25, False,
         networks=("densecap", *DETECTOR)),
    View("solid_layer", "mesh_rcnn?predict=off", "mesh_layer", "mesh_slice", CANVASES, 25, False,
         networks=("mesh", *DETECTOR)),
    View("assignment", "video?predict=off", "video_pairs", "video_costs", CELLS, 25, False, hand=BOX,
         networks=DETECTOR),
    View("tracker", "video?predict=off", "video_score", "video_scores", WORDS, 10, False, networks=DETECTOR),
    View("mining", "ssd?predict=off", "ssd_ratio", "ssd_loss", WORDS, 25, False, networks=("ssd",)),
    View("ssd_score", "ssd", "ssd_threshold", "ssd_found", BOXES, 25, False, networks=("ssd",)),
    View("gamma", "focal_loss", "focal_gamma", "focal_curves", BOXES, 25, False, networks=("retinanet",)),
    View("easy_negatives", "focal_loss?predict=off", "focal_count_gamma", "focal_count_words", WORDS, 25, False,
         networks=("retinanet",)),
    View("budget", "speed_accuracy", "trade_budget", "trade_said", WORDS, 25, False, networks=DETECTOR),
    View("yolo", "yolo_grid", "yolo_threshold", "yolo_found_words", ".words", 10, False,
         networks=("yolo-anchor", "yolo-cell")),
    View("neighbours", "feature_space", "space_k", "space_nearest", BOXES, 25, networks=CLASSIFIER),
    View("signature_layer", "feature_space", "space_layer", "space_nearest", BOXES, 25, networks=CLASSIFIER),
    View("score", "iou_nms_precision_recall", "score_threshold", "nms_stage", BOXES, 10, False, networks=DETECTOR),
)  # fmt: skip
NAMES = tuple(view.name for view in VIEWS)
P95 = 90.0  # ms, bar of the cheap views
FASTER = 2.0  # times the baseline's rate, bar of the cheap views
