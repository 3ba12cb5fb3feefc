"""What the lab promises about speed, as commands: ``python -m benchmarks latency`` and ``... class``."""
