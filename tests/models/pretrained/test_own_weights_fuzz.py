"""Mutated files of weights in every format know two outcomes: loaded, or one sentence; and the reader stays small.

RECEPTIVE_FUZZ_SECONDS=600 python -m pytest tests/models/test_own_weights_fuzz.py    for as long as told
"""

import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile

import pytest
import torch
from safetensors.torch import save as save_safetensors
from torch import nn

from models.pretrained import own_weights

SECONDS = float(os.environ.get("RECEPTIVE_FUZZ_SECONDS", 15))
LIMIT = 300 << 20  # bytes that reading may take beyond the tensors
# A small process in between: the peak of a child that is started by this one would count this one's memory.
MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run([sys.executable, "-I", "-S", *sys.argv[1:]], stdout=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([code, peak * (1 if sys.platform == "darwin" else 1024), time.perf_counter() - start]))
"""


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


def files() -> dict[str, bytes]:
    """One good file of each format."""
    state, new, old = net().state_dict(), io.BytesIO(), io.BytesIO()
    torch.save({"state_dict": state, "epoch": 3}, new)
    torch.save(state, old, _use_new_zipfile_serialization=False)
    return {"zip": new.getvalue(), "legacy": old.getvalue(), "safetensors": save_safetensors(state)}


def mutated(kind: str, data: bytes, dice: random.Random) -> bytes:
    """The file with bytes changed, cut out, doubled or put in; in a zip half of the time inside its pickle, so that the
    sums are right and the pickle is reached."""
    if kind == "zip" and dice.random() < 0.5:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
            for entry in before.infolist():
                content = before.read(entry)
                inside = entry.filename.endswith("data.pkl")
                after.writestr(entry.filename, mutated("pickle", content, dice) if inside else content)
        return out.getvalue()
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        # Structure lies at the start, and at the end of a zip.
        near = dice.choice((64, 700, len(found)))
        at = dice.randrange(max(1, min(near, len(found))))
        at = len(found) - at - 1 if dice.random() < 0.2 and found else at
        length = dice.choice((1, 1, 4, 30))
        what = dice.randrange(5)
        if what == 0:
            found[at : at + 1] = bytes([dice.randrange(256)])
        elif what == 1:
            del found[at : at + length]
        elif what == 2:
            found[at:at] = found[at : at + length] * dice.choice((1, 2, 1000))
        elif what == 3:
            found[at : at + length] = dice.choice((b"\xff", b"\0", b"(", b"\x85", b"[", b"9")) * length
        else:
            found[at:at] = bytes(dice.randrange(256) for _ in range(length))
    return bytes(found) if dice.random() < 0.9 else bytes(found[: dice.randrange(len(found) + 1)])


def outcome(data: bytes) -> str:
    """ "loaded" or the sentence; anything else is raised."""
    try:
        module = net()
        own_weights.fill(module, own_weights.read(data, "x.pth", 1 << 20), "the network")
    except ValueError as refused:
        sentence = str(refused)
        assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 250, sentence
        return sentence
    with torch.inference_mode():
        module(torch.zeros(1, 3, 6, 6))
    return "loaded"


def test_a_mutated_file_is_loaded_or_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(own_weights, "SECONDS", 60.0)
    good, seed, seen = files(), int(time.time()) if SECONDS > 60 else 0, {}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and (seed < 400 or SECONDS > 60):
        kind = list(good)[seed % 3]
        data = mutated(kind, good[kind], random.Random(seed))
        try:
            seen[outcome(data)] = seed
        except Exception as error:
            raise AssertionError(f"the {kind} file of seed {seed}: {type(error).__name__}: {error}") from error
        seed += 1
    assert seen


def test_the_good_files_are_loaded():
    assert {kind: outcome(data) for kind, data in files().items()} == dict.fromkeys(files(), "loaded")


def zipped(pickled: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    return out.getvalue()


def many_entries() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"archive/data/{number}", b"")
    return out.getvalue()


HOSTILE = {
    "nested tuples": lambda: zipped(b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"K\x01u."),
    "nested lists": lambda: zipped(b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b"."),
    "bytearray": lambda: b"\x80\x02c__builtin__\nbytearray\nJ" + (2_000_000_000).to_bytes(4, "little") + b"\x85R.",
    "memo": lambda: b"\x80\x02}r" + (2**32 - 1).to_bytes(4, "little") + b".",
    "long bytes": lambda: b"\x80\x04\x8e" + (3 << 30).to_bytes(8, "little") + b"x.",
    "doubling": lambda: zipped(b"\x80\x02(" + b"K\x01" * 10 + b"tq\x01" + b"h\x01h\x01\x86q\x01" * 100_000 + b"."),
    "numbers": lambda: zipped(b"\x80\x02]" + b"(" + b"G" + bytes(8) + b"G12345678" * 300_000 + b"e."),
    "many entries": many_entries,
    "deep JSON": lambda: (2_000_000).to_bytes(8, "little") + b'{"a":' + b"[" * 2_000_000,
    "wide JSON": lambda: (2_000_000).to_bytes(8, "little") + b'{"a":[' + b"[]," * 700_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence(name, monkeypatch):
    monkeypatch.setattr(own_weights, "SECONDS", 60.0)
    assert outcome(HOSTILE[name]()).startswith("“x.pth” ")


@pytest.mark.skipif(sys.platform == "win32", reason="no figure of a child's memory there")
@pytest.mark.parametrize("name", HOSTILE)
def test_the_reader_stays_small(name, tmp_path):
    (tmp_path / "file").write_bytes(HOSTILE[name]())
    with (tmp_path / "file").open("rb") as file:
        command = [sys.executable, "-I", "-S", "-c", MEASURE, str(own_weights.READER), str(1 << 30)]
        code, peak, seconds = json.loads(subprocess.run(command, stdin=file, capture_output=True, check=True).stdout)
    print(f"{name}: ended with {code}, {peak / 1e6:.0f} MB, {seconds:.2f} s")
    assert peak < LIMIT
