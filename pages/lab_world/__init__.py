"""The page `lab_world`: page.py tells the story, its sections lie beside it."""
