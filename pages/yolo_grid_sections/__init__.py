"""The sections of the YOLO Grid page, one file each."""
