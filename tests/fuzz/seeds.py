"""Makes the inputs that the fuzz targets start from: seeds.py VOXC FOLDER writes FOLDER/TARGET/NAME.

They come from the models, their graphs after each pass, the small ONNX models of the tests (where the test programs are
built: BUILD/tests beside VOXC) and of Debian's libonnx-testdata (where it is installed), and from the formats' tables
below."""
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

MODELS = "unet3d_small nnunet_small torchio".split()
ONNX_TESTS = "test_onnx_import test_onnx_refused test_onnx_networks".split()
LARGEST_ONNX = 1 << 16


def run(*command, **variables):
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=os.environ | variables, check=False)


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Seeds:
    def __init__(self, folder):
        self.folder = folder

    def put(self, targets, name, data):
        for target in targets.split():
            os.makedirs(os.path.join(self.folder, target), exist_ok=True)
            with open(os.path.join(self.folder, target, name), "wb") as f:
                f.write(data if isinstance(data, bytes) else data.encode())


# ---- models and graphs


def models(seeds, voxc, scratch):
    for name in MODELS:
        seeds.put("yaml_whole", name, read(f"models/{name}.yaml"))
    for path in "models/resunet_small.yaml", "tests/cuda/tiny.yaml", "tests/cuda/operators.ir":
        name, kind = os.path.basename(path).split(".")
        seeds.put("ir ir_whole" if kind == "ir" else "yaml yaml_whole", name, read(path))
        for target in "c", "cuda":
            dumps = os.path.join(scratch, f"{name}-{target}")
            run(voxc, "inspect", path, "--target", target, "-D", dumps)
            for dump in sorted(os.listdir(dumps)):
                text = read(os.path.join(dumps, dump)).decode()
                imported = dump.startswith("00")
                if name == "tiny" and text != "(unchanged)\n":
                    seeds.put("ir ir_whole" if imported else "ir", f"{name}-{target}-{dump}", text)
                if imported and target == "c":
                    single_nodes(seeds, name, text)


def single_nodes(seeds, name, text):
    """A graph of its own for each node of a printed graph: what is small is tried fast."""
    lines = {re.search(r"%([\w.]+)", line)[1]: line for line in text.splitlines() if "%" in line and not line.startswith("output")}
    kinds = set()
    for result, node in lines.items():
        parts = re.match(r"%\S+ = (\w+)\((.*?)\)", node)
        if not parts or name != "operators" and parts[1] in kinds:
            continue
        kinds.add(parts[1])
        graph = ["graph one"]
        for operand in dict.fromkeys(re.findall(r"%([\w.]+)", parts[2])):
            line = lines[operand]
            graph.append(f"input %{operand} " + line.split(" -> ")[1].split()[0] if " = " in line else line)
        seeds.put("ir ir_whole", f"{name}-{result}", "\n".join(graph + [node, f"output %{result}", ""]))


# One layer each, of x with 2 channels.
LAYERS = """relu|elu|{elu: {alpha: 0.5}}|{leaky_relu: {slope: 0.1}}|{prelu: {slopes: per_channel}}|sigmoid|{softmax: {axis: 1}}
{clip: {low: 0, high: 6}}|{conv: {channels: 3, kernel: [1, 3, 3], stride: 2, padding: same, groups: 1, bias: false, dilation: 1}}
{conv_transpose: {channels: 4, kernel: 2, stride: 2, padding: 0, output_padding: 1, groups: 2}}|batch_norm|{instance_norm: {affine: false}}
{group_norm: {groups: 2, epsilon: 1e-3}}|layer_norm|{dropout: {rate: 0.3}}|{max_pool: {kernel: 2, stride: 2, rounding: ceil, padding: 1}}
{average_pool: {kernel: [2, 2, 1], include_padding: true, rounding: floor}}|{concat: {from: [x, x], crop: centre}}|{add: {from: [x, x]}}
{mul: {from: [x, x], crop: none}}|{crop: {margin: [1, 1, 1, 0, 2, 0]}}|{crop: {size: 4}}|{pad: {margin: 2, mode: reflect}}
tanh|{arg_max: {axis: 1}}|{resize: {scale: 2, mode: linear}}|{resize: {like: x, mode: nearest}}"""
VOLUME = """volume:
  axes: xyz
  prepare: [{resample_to_spacing: [1, 1, 1]}, {clip: [0, 100]}, {smooth: 0.5}, z_score, {crop_or_pad: [6, 6, 6]}, {scale: [2, -1]}, min_max]
  border: mirror
  output: argmax
"""


def descriptions(seeds):
    head = "name: one\nstatistics: running\ninputs:\n  x: {type: f32, shape: [1, 2, 6, 6, 6]}\n"
    for i, layer in enumerate(LAYERS.replace("\n", "|").split("|")):
        seeds.put("yaml yaml_whole", f"layer-{i}", f"{head}layers:\n  - a: {layer}\n")
    seeds.put("yaml yaml_whole", "volume", f"{head}labels: [none, some]\nlayers:\n  - a: {{conv: {{channels: 2, kernel: 1}}}}\n{VOLUME}")


def onnx(seeds, voxc, scratch):
    files = []
    folder = os.path.join(scratch, "onnx")
    os.mkdir(folder)
    for model in "tests/cuda/tiny.yaml", "tests/cuda/operators.ir":
        files.append(os.path.join(folder, os.path.basename(model) + ".onnx"))
        run(voxc, "export", model, "--init", "1", "-o", files[-1])
    for program in ONNX_TESTS:
        made = os.path.join(folder, program)
        os.mkdir(made)
        run(os.path.join(os.path.dirname(voxc), "tests", program), ONNX_SEEDS=made)
        files += [os.path.join(made, name) for name in sorted(os.listdir(made))]
    data = "/usr/share/libonnx-testdata/data"
    for line in read("tests/onnx_testdata.txt").decode().splitlines():
        name, verdict = line.split(" ", 1)
        if verdict == "pass":
            files.append(f"{data}/{name}/model.onnx")
    for path in files:
        if os.path.exists(path) and 0 < os.path.getsize(path) <= LARGEST_ONNX:
            seeds.put("onnx onnx_whole", "-".join(path.split("/")[-3:]), read(path))


# ---- volumes and arrays

NIFTI_TYPES = {"u8": (2, 1), "i16": (4, 2), "i32": (8, 4), "f32": (16, 4), "f64": (64, 8), "rgb": (128, 3), "i8": (256, 1),
               "u16": (512, 2), "u32": (768, 4), "i64": (1024, 8), "u64": (1280, 8), "f128": (1536, 16), "rgba": (2304, 4)}


def images(seeds):
    """Small files of the formats that are read here; TIFF with a strip, and in a tile."""
    head = b"NRRD0005\ntype: %s\ndimension: %d\nsizes: %s\nendian: big\nencoding: %s\n%s\n"
    place = b"space: left-posterior-superior\nspace directions: (0,2,0) (-0.5,0,0) (0,0,3)\nspace origin: (1,2,3)\n"
    seeds.put("nrrd", "raw", head % (b"short", 3, b"2 2 2", b"raw", place) + bytes(range(16)))
    seeds.put("nrrd", "gzip", head % (b"float", 3, b"2 2 2", b"gzip", b"spacings: 1 2 nan\nunits: \"mm\" \"um\" \"\"\n") + gzip.compress(bytes(32), mtime=0))
    seeds.put("nrrd", "colours", head % (b"uchar", 4, b"3 2 2 1", b"raw", b"kinds: RGB-color domain domain domain\nbyte skip: -1\n") + bytes(12))
    head = b"NDims = 3\n%sTransformMatrix = 0 1 0 1 0 0 0 0 1\nOffset = 1 2 3\nElementSpacing = 1 2 3\nDimSize = 2 2 2\nElementType = %s\nElementDataFile = LOCAL\n"
    seeds.put("meta", "raw", head % (b"BinaryDataByteOrderMSB = True\n", b"MET_DOUBLE") + bytes(64))
    seeds.put("meta", "packed", head % (b"CompressedData = True\nElementNumberOfChannels = 2\n", b"MET_USHORT") + zlib.compress(bytes(32)))
    for order in "<>":
        for tile in (False, True):
            values = bytes(range(256)) if tile else bytes(range(16))
            tags = [(256, 4), (257, 4), (258, 8), (259, 1), (262, 1), (277, 1)]
            tags += [(322, 16), (323, 16), (324, 8), (325, 256)] if tile else [(273, 8), (278, 4), (279, 16)]
            at = 8 + len(values)
            directory = struct.pack(order + "H", len(tags)) + b"".join(struct.pack(order + "HHII", t, 4, 1, v) for t, v in sorted(tags))
            start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, at)
            seeds.put("tiff", f"{'tile' if tile else 'strip'}-{'le' if order == '<' else 'be'}", start + values + directory + bytes(4))


def nifti_1(order, dim, code, size, slope, magic):
    header = struct.pack(order + "i35xc", 348, b"\0") + struct.pack(order + "8h", *dim)
    header += struct.pack(order + "3f4h", 0, 0, 0, 0, code, 8 * size, 0)
    header += struct.pack(order + "8f3fhbb", 1, 1, 1.5, 2, 1, 1, 1, 1, 352, slope, 0.5, 0, 0, 2)
    header += struct.pack(order + "4f2i", 0, 0, 0, 0, 0, 0) + b"seed".ljust(104, b"\0")
    header += struct.pack(order + "2h18f", 1, 1, 0, 0, 0, -8, 7, 6, 1, 0, 0, -8, 0, 1.5, 0, 7, 0, 0, 2, 6)
    return (header + b"\0" * 16 + magic + b"\0" * 4).ljust(352, b"\0")


def nifti_2(order, dim, code, size, slope, magic):
    header = struct.pack(order + "i", 540) + magic + b"\r\n\x1a\n" + struct.pack(order + "2h8q", code, 8 * size, *dim)
    header += struct.pack(order + "3d8d", 0, 0, 0, 1, 1, 1.5, 2, 1, 1, 1, 1)
    header += struct.pack(order + "q4d2d2q", 544, slope, 0.5, 0, 0, 0, 0, 0, 0) + b"seed".ljust(104, b"\0")
    header += struct.pack(order + "2i6d", 1, 1, 0, 0, 0, -8, 7, 6)
    header += struct.pack(order + "12d4i", 1, 0, 0, -8, 0, 1.5, 0, 7, 0, 0, 2, 6, 0, 2, 0, 0)
    return header.ljust(544, b"\0")


def nifti(seeds):
    for name, (code, size) in NIFTI_TYPES.items():
        for version, make in (1, nifti_1), (2, nifti_2):
            for order in "<", ">":
                dim = [3, 4, 3, 2, 1, 1, 1, 1]
                voxels = bytes(range(24)) * size
                magic = b"n+1\0" if version == 1 else b"n+2\0"
                seeds.put("nifti", f"{name}-{version}-{'le' if order == '<' else 'be'}", make(order, dim, code, size, 2, magic) + voxels)
    for name, dim in {"4d": [4, 2, 3, 2, 2, 1, 1, 1], "vector": [5, 2, 3, 2, 1, 2, 1, 1], "2d": [2, 4, 6, 1, 1, 1, 1, 1]}.items():
        seeds.put("nifti", name, nifti_1("<", dim, 2, 1, 0, b"n+1\0") + bytes(24))
    seeds.put("nifti", "pair", nifti_1("<", [3, 1, 1, 1, 1, 1, 1, 1], 2, 1, 0, b"ni1\0"))


def npy(seeds):
    cases = {"f4": ("<f4", (1, 2, 3), 24), "f4-big": (">f4", (1, 2, 3), 24), "i8": ("<i8", (4,), 32), "u1": ("|u1", (), 1),
             "i4": ("<i4", (2, 2), 16), "f8": ("<f8", (2,), 16), "b1": ("|b1", (3,), 3)}
    for name, (descr, shape, size) in cases.items():
        for fortran in False, True:
            for version in 1, 2:
                text = str({"descr": descr, "fortran_order": fortran, "shape": shape}).encode() + b"\n"
                length = struct.pack("<H" if version == 1 else "<I", len(text))
                seeds.put("npy", f"{name}-{fortran}-{version}", b"\x93NUMPY" + bytes([version, 0]) + length + text + bytes(range(size)))


# ---- weights and JSON


def weights(seeds):
    version = int(re.search(r"VOX_WEIGHTS_VERSION = (\d+)", read("runtime/core/vox_weights.h").decode())[1])
    header = b"VOXCWGT1" + struct.pack("<IIQQQ24x", version, 8, 0x1234567890ABCDEF, 64 + 800, 0)
    body = struct.pack("<200f", *[1 + i / 64 for i in range(200)])
    seeds.put("weights", "mended", b"\0" + header + body)
    seeds.put("weights", "wrong-checksum", b"\1" + header + body)
    entry = struct.pack("<QQQQ", 7, 128, 20, 0)
    seeds.put("weights", "entries", b"\0" + header[:12] + struct.pack("<I", 1) + header[16:] + entry + body)


def safetensors(seeds):
    shapes = {"c.weight": [2, 2, 1, 1, 1], "c.bias": [2], "n.weight": [2], "n.bias": [2]}
    for dtype, size in ("F32", 4), ("F64", 8), ("F16", 2), ("BF16", 2):
        table, at = {}, 0
        for name, shape in shapes.items():
            n = size * (4 if len(shape) == 5 else 2)
            table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n]}
            at += n
        for extra in {}, {"__metadata__": {"format": "pt"}, "n.num_batches_tracked": {"dtype": "I64", "shape": [], "data_offsets": [at, at + 8]}}:
            text = json.dumps(table | extra).encode()
            end = at + 8 * bool(extra)
            seeds.put("safetensors", f"{dtype}-{len(extra)}", struct.pack("<Q", len(text)) + text + bytes(i % 60 for i in range(end)))
            seeds.put("json", f"{dtype}-{len(extra)}", text)


def texts(seeds):
    values = {"number": "[0, -1, 2.5e-3, 1e308, 9223372036854775807, -9223372036854775808, 18446744073709551616]",
              "string": '"a\\n\\u00e9\\ud83d\\ude00\\"\\\\/"', "nested": "[" * 40 + "{}" + "]" * 40, "words": '{"a": [true, false, null], "b": {}}'}
    for name, text in values.items():
        seeds.put("json", name, text)
    for name, way in {"direct": [0, 0, 0, 0], "winograd": [4, 4, 4, 1], "small": [2, 2, 2, 0], "rows": [4, 4, 1, 27]}.items():
        tuning = [{"layer": "a", "winograd": way}, {"layer": "b", "winograd": [4, 4, 2, 1]}]
        seeds.put("manifest json", name, json.dumps({"name": "fuzz", "tuning": tuning}))
    for fence in re.findall(r"```yaml\n(.*?)```", read("models/README.md").decode(), re.S):
        seeds.put("yaml yaml_whole", f"readme-{len(fence)}", fence)


def main(voxc, folder):
    seeds = Seeds(folder)
    with tempfile.TemporaryDirectory() as scratch:
        models(seeds, voxc, scratch)
        onnx(seeds, voxc, scratch)
    descriptions(seeds)
    nifti(seeds)
    images(seeds)
    npy(seeds)
    weights(seeds)
    safetensors(seeds)
    texts(seeds)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
