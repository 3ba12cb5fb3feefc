"""The page `roi_pooling`: page.py tells the story, its sections lie beside it."""
