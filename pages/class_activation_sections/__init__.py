"""The sections of the class activation page."""
