"""The sections of the home page."""
