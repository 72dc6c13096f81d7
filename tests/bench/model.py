"""A network of the benchmark in its folder: its bundles, its ONNX file, a seeded input, the list of its convolutions."""
import os
import subprocess

import numpy
import onnx

HERE = os.path.dirname(__file__)
VOXC = "build/voxc"


def numbers(node, name, default):
    return next((list(a.ints) for a in node.attribute if a.name == name), default)


def convolutions(path):
    """(3x3x3 layers as onednn.c reads them, their GMAC); others have no direct counterpart there."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    values = list(graph.value_info) + list(graph.input) + list(graph.output)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    lines, macs = [], 0
    for n in graph.node:
        if n.op_type != "Conv" or numbers(n, "kernel_shape", []) != [3, 3, 3]:
            continue
        x, y = shapes[n.input[0]], shapes[n.output[0]]
        pads, strides, dilations = numbers(n, "pads", [0] * 6), numbers(n, "strides", [1] * 3), numbers(n, "dilations", [1] * 3)
        lines.append(" ".join(map(str, [x[1], y[1], *x[2:], strides[0], dilations[0], pads[0], pads[3]])))
        macs += 27 * x[1] * int(numpy.prod(y[1:]))
    return lines, macs * 1e-9


class Model:
    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        os.makedirs(folder, exist_ok=True)
        description = f"models/{name}.yaml"
        self.run(VOXC, "export", description, "--init", "1", "-o", self.path("model.onnx"))
        self.bundle("bundle")
        self.bundle("strict", "--math", "strict")
        graph = onnx.load(self.path("model.onnx"), load_external_data=False).graph
        self.shape = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
        numpy.random.default_rng(1).uniform(-1, 1, self.shape).astype(numpy.float32).tofile(self.path("input.bin"))
        lines, self.gmac_333 = convolutions(self.path("model.onnx"))
        with open(self.path("convolutions.txt"), "w") as f:
            f.write("".join(line + "\n" for line in lines))
        text = subprocess.run([VOXC, "inspect", description], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.gmac = next(float(line.split()[1]) for line in text.splitlines() if line.startswith("GMAC"))

    def bundle(self, folder, *options):
        """The bundle compiled so, in that folder, and folder_run, its program."""
        self.run(VOXC, "compile", f"models/{self.name}.yaml", "--init", "1", "--force", *options, "-o", self.path(folder))
        self.run("make", "-s", "-j2", "-C", self.path(folder), "lib")
        self.run("cc", "-O2", "-std=c11", "-D_GNU_SOURCE", "-pthread", f"-DGET_INFO={self.name}_get_info",
                 "-I", self.path(f"{folder}/runtime"), "-o", self.path(f"{folder}_run"), os.path.join(HERE, "bundle.c"),
                 self.path(f"{folder}/lib{self.name}.a"), "-lm")

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
