"""The page `anchors`: page.py tells the story, its sections lie beside it."""
