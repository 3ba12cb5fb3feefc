"""The page `semantic_segmentation`: page.py tells the story, its sections lie beside it."""
