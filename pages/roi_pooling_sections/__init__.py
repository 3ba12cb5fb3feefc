"""The sections of the RoI Pool versus RoI Align page, one file each."""
