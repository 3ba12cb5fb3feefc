"""The detectors of the lab that say boxes of all classes, with the names that are read. Needs no torch."""

NAMES = {
    "detector": "Faster R-CNN", "detector-narrow": "Faster R-CNN, narrow", "r-fcn": "R-FCN", "ssd": "SSD",
    "retinanet": "RetinaNet", "yolo-anchor": "YOLO, anchors", "yolo-cell": "YOLO, cells",
}  # fmt: skip
