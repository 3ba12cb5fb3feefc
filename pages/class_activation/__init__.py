"""The page `class_activation`: page.py tells the story, its sections lie beside it."""
