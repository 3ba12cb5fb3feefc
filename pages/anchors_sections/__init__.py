"""The sections of the Anchors page, one file each."""
