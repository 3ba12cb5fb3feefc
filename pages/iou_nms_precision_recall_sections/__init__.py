"""The sections of the IoU, NMS and Precision-Recall page."""
