"""One module per concept, named like its page: the mathematics, as pure functions on tensors."""
