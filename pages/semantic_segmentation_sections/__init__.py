"""The sections of the Semantic Segmentation page, one file each."""
