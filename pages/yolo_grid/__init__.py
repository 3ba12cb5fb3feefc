"""The page `yolo_grid`: page.py tells the story, its sections lie beside it."""
