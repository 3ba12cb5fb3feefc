"""What others trained: which networks there are, fetching, and weights that somebody brings along."""
