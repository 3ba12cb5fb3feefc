"""The sections of the transposed convolution page, top to bottom in the order the page calls them."""
