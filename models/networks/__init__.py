"""The architectures, one a file, each with the typed result of a call."""
