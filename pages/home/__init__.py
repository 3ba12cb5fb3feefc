"""The page `home`: page.py tells the story, its sections lie beside it."""
