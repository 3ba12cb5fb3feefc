"""The sections of the Upsampling page, one file each."""
