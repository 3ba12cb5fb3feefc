"""The page `transposed_convolution`: page.py tells the story, its sections lie beside it."""
