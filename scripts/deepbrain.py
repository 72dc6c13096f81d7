#!/usr/bin/env python3
"""The trained brain-extraction network that the demo runs: deepbrain's frozen TensorFlow graphs (MIT), made readable
for voxc. Standard library only.

    deepbrain.py fetch DIRECTORY             writes a graph into DIRECTORY and prints its path
    deepbrain.py convert GRAPH OUT           writes GRAPH's weights as OUT (.safetensors) and prints "v1" or "v2"

Version 2 is in the project's repository only; PyPI's package holds version 1, the same network with half the channels.
fetch takes the first it can get. Both files are known by their sha256, and nothing else is accepted.
"""
import array
import hashlib
import http.client
import json
import os
import struct
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

KNOWN = {
    "f2cd9e692faf585559bb047c3c94c9463c7984f53f33d425d164ebdd4e5cb5c0": "v2",
    "6be50752ff151808dc7f8059fef39852759de8502d831949b40e991502225a2a": "v1",
}
V2_URL = ("https://raw.githubusercontent.com/iitzco/deepbrain/382b449de784957ec3961b542318b321fb457789/"
          "deepbrain/models/graph_v2.pb")
V1_PACKAGE = "deepbrain==0.1"
TIMEOUT = 20  # seconds

# TensorFlow's layer names, and those of models/deepbrain*.yaml.
LAYERS = {
    "conv3d": "e1a", "conv3d_1": "e1b", "conv3d_2": "e2a", "conv3d_3": "e2b", "conv3d_4": "e3a", "conv3d_5": "e3b",
    "conv3d_transpose": "u3", "conv3d_6": "d3", "conv3d_transpose_1": "u2", "conv3d_7": "d2",
    "conv3d_transpose_2": "u1", "conv3d_8": "d1", "conv3d_9": "logit",
}


class BadGraph(Exception):
    pass


class CommandFailed(Exception):
    """Holds the last line that the command said."""


# ---- protobuf ---------------------------------------------------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
    raise BadGraph("bad variable-length number")


def fields(data):
    """Yields (field number, int or bytes) of one message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            if key & 7 == 2:
                size, at = varint(data, at)
            else:
                size = {1: 8, 5: 4}.get(key & 7)
            if size is None or size > len(data) - at:
                raise BadGraph("bad field %d" % (key >> 3))
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def first(data, number, kind=bytes):
    """The first value of a field that must be there."""
    for field, value in fields(data):
        if field == number and isinstance(value, kind):
            return value
    raise BadGraph("field %d is missing" % number)


# GraphDef: 1 node. NodeDef: 1 name, 2 op, 5 attr {1 key, 2 value}. AttrValue: 8 tensor.
# TensorProto: 1 dtype, 2 shape {2 dim {1 size}}, 4 content, 5 floats.
def constants(graph):
    """Yields (name, shape, bytes) of the float constants called .../kernel or .../bias."""
    for field, node in fields(graph):
        if field != 1 or first(node, 2) != b"Const":
            continue
        name = first(node, 1).decode("utf-8", "replace")
        if not name.endswith(("/kernel", "/bias")):
            continue
        values = [first(attr, 2) for number, attr in fields(node) if number == 5 and first(attr, 1) == b"value"]
        if len(values) != 1:
            raise BadGraph(name + " has no value")
        tensor = first(values[0], 8)
        if first(tensor, 1, int) != 1:
            raise BadGraph(name + " is not float32")
        shape = [first(dim, 1, int) for number, dim in fields(first(tensor, 2)) if number == 2]
        raw = b"".join(value for number, value in fields(tensor) if number in (4, 5))
        count = 1
        for size in shape:
            count *= size
        if len(raw) == 4:  # one number stands for all
            raw = raw * count
        if len(raw) != 4 * count:
            raise BadGraph("%s: %d bytes for shape %s" % (name, len(raw), shape))
        yield name, shape, raw


def channels_first(shape, raw):
    """Spatial axes, then A, B -> B, A, then the spatial axes: DHWIO to OIDHW, and a transposed kernel's DHWOI to
    IODHW."""
    depth, height, width, a, b = shape
    source = array.array("I")
    source.frombytes(raw)
    target = array.array("I")
    for j in range(b):
        for i in range(a):
            target.extend(source[i * b + j::a * b])
    return [b, a, depth, height, width], target.tobytes()


# ---- files ------------------------------------------------------------------------------------------------------

def write(path, *parts):
    """All or nothing."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def version(data):
    return KNOWN.get(hashlib.sha256(data).hexdigest())


def convert(source, target):
    with open(source, "rb") as file:
        graph = file.read()
    known = version(graph)
    if not known:
        raise BadGraph("%s is neither deepbrain's graph_v1.pb nor its graph_v2.pb (sha256)" % source)
    header, body, offset = {}, [], 0
    for name, shape, raw in constants(graph):
        layer, part = name.rsplit("/", 1)
        if layer not in LAYERS:
            raise BadGraph("unexpected layer " + layer)
        if part == "kernel":
            shape, raw = channels_first(shape, raw)
        header[LAYERS[layer] + {"kernel": ".weight", "bias": ".bias"}[part]] = {
            "dtype": "F32", "shape": shape, "data_offsets": [offset, offset + len(raw)]}
        body.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write(target, struct.pack("<Q", len(text)), text, *body)
    print(known)


def fetch_v2():
    with urllib.request.urlopen(V2_URL, timeout=TIMEOUT) as answer:
        return answer.read(1 << 24)


def fetch_v1():
    with tempfile.TemporaryDirectory() as scratch:
        def run(*command):
            ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            if ended.returncode:
                raise CommandFailed((ended.stdout.strip() or "exit status %d" % ended.returncode).splitlines()[-1])
        run(sys.executable, "-m", "venv", scratch + "/venv")  # for its pip; Debian's python3 has none
        run(scratch + "/venv/bin/pip", "download", "--no-deps", "--only-binary", ":all:", "--retries", "1",
            "--timeout", str(TIMEOUT), "-d", scratch, V1_PACKAGE)
        wheel = [name for name in os.listdir(scratch) if name.endswith(".whl")][0]
        with zipfile.ZipFile(os.path.join(scratch, wheel)) as archive:
            return archive.read("deepbrain/models/graph.pb")


def fetch(directory):
    os.makedirs(directory, exist_ok=True)
    why = ""
    for wanted, get, where in (("v2", fetch_v2, "github.com"), ("v1", fetch_v1, "PyPI")):
        path = os.path.join(directory, "deepbrain_graph_%s.pb" % wanted)
        try:
            if os.path.exists(path):
                with open(path, "rb") as file:
                    data = file.read()
            else:
                data = get()
        except (OSError, http.client.HTTPException, CommandFailed, IndexError, KeyError, zipfile.BadZipFile) as error:
            why = str(error) or type(error).__name__
            print("deepbrain: %s cannot be had from %s here: %s" % (wanted, where, why), file=sys.stderr)
            continue
        if version(data) == wanted:
            write(path, data)
            print(path)
            return
        why = "%s's file is not the %s that is known" % (where, wanted)
        print("deepbrain:", why, file=sys.stderr)
    raise BadGraph("no trained weights can be had on this machine: " + why)


def main():
    try:
        if len(sys.argv) == 3 and sys.argv[1] == "fetch":
            fetch(sys.argv[2])
        elif len(sys.argv) == 4 and sys.argv[1] == "convert":
            convert(sys.argv[2], sys.argv[3])
        else:
            sys.exit(__doc__)
    except (BadGraph, OSError) as error:
        print("deepbrain:", error, file=sys.stderr)
        sys.exit(2)


main()
