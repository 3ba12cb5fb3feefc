"""The page `upsampling`: page.py tells the story, its sections lie beside it."""
