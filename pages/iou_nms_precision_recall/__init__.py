"""The page `iou_nms_precision_recall`: page.py tells the story, its sections lie beside it."""
