"""Damaged files for the fuzz tests: cut, flipped, spliced, repeated, each a function of a seed."""

import itertools
import os
import time
from collections.abc import Iterator

import numpy as np


def mutated(files: list[bytes], seed: int) -> bytes:
    """One of the files, changed in one to four places."""
    rng = np.random.default_rng(seed)
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(1, 5)):
        start = int(rng.integers(len(data) + 1)) if rng.random() < 0.6 else int(rng.integers(min(len(data), 200) + 1))
        length = int(2 ** rng.uniform(0, 10))
        match rng.integers(6):
            case 0:
                del data[start:]
            case 1:
                data[start : start + length] = rng.bytes(length)
            case 2:
                data[start : start + 1] = bytes([int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))])
            case 3:
                data[start:start] = data[start : start + length] * int(rng.integers(1, 50))
            case 4:
                other = files[rng.integers(len(files))]
                data[start:] = other[int(rng.integers(len(other))) :]
            case 5:
                data[start : start + 4] = int(rng.integers(2**32)).to_bytes(4, "big")
    return bytes(data)


def seeds(few: int) -> Iterator[int]:
    """So many seeds; or, where RECEPTIVE_FUZZ_SECONDS is set, new ones until that time is over."""
    seconds = float(os.environ.get("RECEPTIVE_FUZZ_SECONDS", "0"))
    if not seconds:
        yield from range(few)
        return
    end = time.monotonic() + seconds
    yield from itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())
