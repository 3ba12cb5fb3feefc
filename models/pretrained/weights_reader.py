"""Which tensors a file of weights holds and where in it they lie: the process that looks into a stranger's file.

    python -I -S weights_reader.py LIMIT < FILE

prints one JSON object. It imports the standard library alone, so that it starts in a moment and needs little memory. A
file that makes it crash, run for long or grow ends this process and nothing else (`own_weights` starts it).
"""

import json
import os
import pickle
import sys
import zipfile
from collections import Counter, OrderedDict

MEMORY = 200 << 20  # bytes of address space; an honest file needs a tenth
CPU_SECONDS = 10  # should nobody be left who waits for the end
HEADER = 2 << 20  # bytes of names and shapes
ENTRIES, NAME, DIMENSIONS = 5_000, 200, 16  # more tensors, longer names, more axes than any network has
INTEGER = 1 << 40
WRAPPERS = ("state_dict", "model_state_dict", "model")  # under which training scripts like to file it
NESTED = 8  # wrappers in each other
MAGIC = 0x1950A86A20F9469CFC6C  # first number of a file by torch before 1.6
SIZES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1,
    "bool": 1, "complex64": 8, "complex128": 16,
}  # fmt: skip
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip
SAFETENSORS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool", "C64": "complex64",
}  # fmt: skip


class Refused(Exception):
    """With the key of the sentence, and what it names."""


class Name:
    """A class, type or device that a pickle names; never called."""

    def __init__(self, name: str):
        self.name = name


class Other:
    """Something of torch that is no plain tensor; whatever is done to it leaves it so."""

    def __init__(self, *_):
        pass

    def __setstate__(self, _):
        pass


class Storage:
    """The numbers of one or several tensors, by the file's key for them."""

    def __init__(self, dtype: str, key: str, count: int):
        self.dtype, self.key, self.count = dtype, key, count


class View:
    """A plain tensor: which elements of a storage, in torch's terms."""

    def __init__(self, storage: Storage, dtype: str, offset: int, shape: tuple, stride: tuple):
        self.storage, self.dtype, self.offset, self.shape, self.stride = storage, dtype, offset, shape, stride


def rebuild(storage, offset, shape, stride, _requires_grad=False, _hooks=None, metadata=None):
    """torch._utils._rebuild_tensor_v2."""
    if metadata:  # conjugated or negative: not the numbers that lie in the file
        return Other()
    return rebuild_as(storage, offset, shape, stride, False, None, Name(storage.dtype))


def rebuild_as(storage, offset, shape, stride, _requires_grad, _hooks, dtype, metadata=None):
    """torch._utils._rebuild_tensor_v3, whose storage is bytes."""
    if metadata or len(shape) != len(stride) or len(shape) > DIMENSIONS:
        return Other()
    if not all(type(each) is int and 0 <= each < INTEGER for each in (offset, *shape, *stride)):
        raise Refused("damaged")
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) if all(shape) else -1
    if dtype.name in SIZES and (last + 1) * SIZES[dtype.name] > storage.count * SIZES[storage.dtype]:
        raise Refused("damaged")
    return View(storage, dtype.name, offset, tuple(shape), tuple(stride))


def parameter(data, *_):
    """torch._utils._rebuild_parameter."""
    return data


def latin(text: str, _encoding: str) -> bytes:
    """How a pickle of protocol 2 holds bytes."""
    return text.encode("latin1")


KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("_codecs", "encode"): latin,
    ("torch", "Size"): tuple,
    ("torch", "device"): Other,
    ("torch.serialization", "_get_layout"): Other,
    ("torch._utils", "_rebuild_tensor"): rebuild,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_as,
    ("torch._utils", "_rebuild_parameter"): parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): parameter,
}


class Reader(pickle.Unpickler):
    """Knows the few names that a state_dict by torch.save needs; every other class or function is refused."""

    def find_class(self, module, name):
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if module in ("torch", "torch.storage") and name in STORAGES:
            return Name(STORAGES[name])
        if module == "torch._utils" and name.startswith("_rebuild_"):
            return Other
        if module == "torch" and name.startswith(("float", "int", "uint", "bfloat", "complex", "bool", "q")):
            return Name(name)
        raise Refused("code")

    def persistent_load(self, pid):
        kind, storage_type, key, _location, count, *view = pid
        if kind != "storage":
            raise Refused("code")
        if any(view) or not isinstance(key, str) or type(count) is not int or not 0 <= count < INTEGER:
            raise Refused("damaged")
        return Storage(storage_type.name, key, count)


def read_zip(file, limit: int) -> tuple[object, dict[str, tuple[int, int]]]:
    """What torch.save writes since 1.6: the content, and where each storage begins and ends in the file."""
    archive = zipfile.ZipFile(file)
    if sum(entry.file_size for entry in archive.infolist()) > limit:
        raise Refused("large")
    entries = {entry.filename: entry for entry in archive.infolist()}
    main = next((name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")), None)
    if main is None or entries[main].file_size > HEADER:
        raise Refused("damaged")
    root = main.removesuffix("data.pkl")
    if f"{root}byteorder" in entries and archive.read(f"{root}byteorder") != b"little":
        raise Refused("damaged")
    with archive.open(main) as stream:
        content = Reader(stream).load()
    places = {}
    for view in views(content):
        key = view.storage.key
        if key in places:
            continue
        entry = entries[f"{root}data/{key}"]
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise Refused("damaged")
        with archive.open(entry) as stream:  # to the end, where zipfile compares the sum
            while stream.read(1 << 20):
                pass
        file.seek(entry.header_offset + 26)
        before = 30 + int.from_bytes(file.read(2), "little") + int.from_bytes(file.read(2), "little")
        places[key] = (entry.header_offset + before, entry.header_offset + before + entry.file_size)
    return content, places


def read_legacy(file) -> tuple[object, dict[str, tuple[int, int]]]:
    """What torch.save wrote before 1.6: five pickles, then the storages, each behind its count."""
    if Reader(file).load() != MAGIC:
        raise Refused("damaged")
    Reader(file).load()
    if not Reader(file).load()["little_endian"]:
        raise Refused("damaged")
    content, keys = Reader(file).load(), Reader(file).load()
    sizes = {view.storage.key: SIZES[view.storage.dtype] for view in views(content, all_of_it=True)}
    places = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        begin = file.tell()
        if key not in sizes:
            raise Refused("damaged")
        places[key] = (begin, begin + count * sizes[key])
        file.seek(places[key][1])
    return content, places


def read_safetensors(file, size: int) -> dict:
    """The answer for a file of safetensors, whose header is JSON."""
    length = int.from_bytes(file.read(8), "little")
    if length > HEADER:
        raise Refused("cut")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    entries, end = {}, 0
    for key, value in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = value["data_offsets"]
        shape, dtype = value["shape"], value["dtype"]
        if len(shape) > DIMENSIONS or not all(type(each) is int and 0 <= each < INTEGER for each in (*shape, stop)):
            raise Refused("cut")
        if dtype not in SAFETENSORS:
            raise Refused("type", str(dtype)[:NAME])
        strides, step = [], 1
        for each in reversed(shape):
            strides.insert(0, step)
            step *= each
        if begin != end or stop - begin != step * SIZES[SAFETENSORS[dtype]]:
            raise Refused("cut")
        end = stop
        entries[key] = [len(entries), SAFETENSORS[dtype], 0, shape, strides]
    if 8 + length + end != size:
        raise Refused("cut")
    check_names(entries)
    return {
        "storages": [[8 + length + place for place in header[key]["data_offsets"]] for key in entries],
        "entries": entries,
    }


def views(content, all_of_it: bool = False) -> list[View]:
    """The tensors of the state_dict, or of all that the file holds."""
    if not all_of_it:
        return [value for value in unwrapped(content).values() if isinstance(value, View)]
    found, left, seen = [], [content], set()
    while left:
        each = left.pop()
        if isinstance(each, View):
            found.append(each)
        elif isinstance(each, (dict, list, tuple)) and id(each) not in seen:
            seen.add(id(each))
            left += each.values() if isinstance(each, dict) else each
    return found


def unwrapped(content) -> dict:
    """The state_dict in what a training script has saved."""
    for _ in range(NESTED):
        inner = [content[key] for key in WRAPPERS if isinstance(content, dict) and isinstance(content.get(key), dict)]
        if not inner:
            break
        content = inner[0]
    if not isinstance(content, dict):
        raise Refused("other")
    check_names(content)
    return content


def check_names(entries: dict) -> None:
    """As many names as a network may have, and each a short text."""
    if not 0 < len(entries) <= ENTRIES or not all(isinstance(key, str) and len(key) <= NAME for key in entries):
        raise Refused("other")


def look(file, limit: int) -> dict:
    """The answer: storages as [begin, end] in bytes of the file, entries by name as [index of the storage, dtype,
    offset in elements, shape, strides], or null for what is no plain tensor."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(9)
    file.seek(0)
    if start[8:] == b"{":
        try:
            return read_safetensors(file, size)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Refused("cut") from error
    content, places = read_zip(file, limit) if start.startswith(b"PK\3\4") else read_legacy(file)
    entries, used = {}, {}
    for key, value in unwrapped(content).items():
        if not isinstance(value, View):
            entries[key] = None
            continue
        begin, end = places[value.storage.key]
        if end > size or end - begin < value.storage.count * SIZES[value.storage.dtype]:
            raise Refused("damaged")
        if value.dtype not in SIZES:
            raise Refused("type", value.dtype[:NAME])
        index = used.setdefault((begin, end), len(used))
        entries[key] = [index, value.dtype, value.offset, value.shape, value.stride]
    if sum(end - begin for begin, end in used) > limit:  # storages that lie in each other
        raise Refused("large")
    return {"storages": list(used), "entries": entries}


def confine() -> None:
    """Limits of memory and time; where the system has none (Windows; macOS takes some and does not hold them), the time
    that `models.pretrained.own_weights` gives this process is the only one."""
    try:
        import resource
    except ImportError:
        return
    wanted = (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_CORE, 0)
    for which, most in wanted:
        try:
            resource.setrlimit(which, (most, most))
        except (ValueError, OSError):
            pass


def main() -> None:
    confine()
    try:
        with open(0, "rb", closefd=False) as file:
            answer = look(file, int(sys.argv[1]))
    except Refused as refused:
        answer = {"refused": refused.args}
    except MemoryError:
        answer = {"refused": ["memory"]}
    except Exception:  # what is no file of weights fails in a dozen ways
        answer = {"refused": ["damaged"]}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # without taking apart what the file has built


if __name__ == "__main__":
    main()
