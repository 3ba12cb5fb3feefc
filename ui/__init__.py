"""What pages share: the frame of a page, the picture source, figures and live components."""
