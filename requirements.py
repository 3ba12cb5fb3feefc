"""python requirements.py platform | packages: whether torch comes for this machine, and whether all packages are here.

One sentence and exit status 1 if not. Any Python 3 runs it; nothing is imported but the standard library.
"""

import importlib.metadata
import platform
import sys
from pathlib import Path

FILE = Path(__file__).with_name("requirements.txt")
OLDEST, NEWEST = (3, 11), (3, 14)  # Pythons for which all packages come
GLIBC = (2, 28)


def unfit() -> str:
    """Why torch's packages do not come for this machine; empty if they do."""
    system, machine, version = platform.system(), platform.machine().lower(), sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        return f"Receptive needs Python 3.11 to 3.14, and this is {version[0]}.{version[1]}: install another beside it."
    if sys.maxsize < 2**32:
        return "Receptive needs a 64-bit Python, and this is one of 32 bits: install another beside it."
    if system == "Darwin" and machine == "x86_64":
        return "torch no longer comes for Macs with Intel processors: use a newer Mac, Linux or Windows."
    if system == "Linux":
        library, number = platform.libc_ver()
        if library != "glibc":
            return "torch needs a Linux with glibc (Debian, Ubuntu, Fedora, …), and this one has another C library."
        if tuple(int(part) for part in number.split(".")[:2]) < GLIBC:
            return f"torch needs a Linux with glibc 2.28 or newer (of 2018), and this one has {number}: update it."
    return ""


def missing() -> str:
    """Which packages of requirements.txt are not installed, as a sentence; empty if all are."""
    wanted = [line.split("==")[0] for line in FILE.read_text().splitlines() if line and line[0] not in "#-"]
    lost = [name for name in wanted if not _installed(name)]
    if not lost:
        return ""
    return f"Not installed: {', '.join(lost)}. Run: {sys.executable} -m pip install -r requirements.txt"


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    sys.exit({"platform": unfit, "packages": missing}[sys.argv[1]]() or 0)
