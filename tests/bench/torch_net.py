"""An ONNX network as a PyTorch module. Batch norms are folded into the convolutions before them, as whoever deploys
a network with PyTorch would do; the names are ONNX's."""
import numpy
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F


def fold_batch_norms(nodes, constants):
    """Multiplies each batch norm into the convolution whose only reader it is."""
    made_by = {n.output[0]: n for n in nodes if n.op_type == "Conv"}
    readers = [i for n in nodes for i in n.input]
    kept = []
    for n in nodes:
        conv = made_by.get(n.input[0]) if n.op_type == "BatchNormalization" else None
        if conv is None or readers.count(n.input[0]) != 1:
            kept.append(n)
            continue
        scale, shift, mean, variance = (constants[i].astype(numpy.float64) for i in n.input[1:5])
        epsilon = next((a.f for a in n.attribute if a.name == "epsilon"), 1e-5)
        factor = scale / numpy.sqrt(variance + epsilon)
        weights = constants[conv.input[1]]
        bias = constants[conv.input[2]] if len(conv.input) > 2 else numpy.zeros(len(factor))
        constants[n.output[0] + ".w"] = (weights * factor.reshape(-1, *[1] * (weights.ndim - 1))).astype(numpy.float32)
        constants[n.output[0] + ".b"] = ((bias - mean) * factor + shift).astype(numpy.float32)
        inputs = [conv.input[0], n.output[0] + ".w", n.output[0] + ".b"]
        del conv.input[:]
        conv.input.extend(inputs)
        conv.output[0] = n.output[0]
    return kept


def pads(a, x):
    """Pads x where the padding isn't the same at both ends, which PyTorch's own layers can't; what is left to them."""
    axes = len(a["kernel_shape"])
    p = a.get("pads", [0] * 2 * axes)
    if p[:axes] == p[axes:]:
        return x, p[:axes]
    return F.pad(x, [v for i in reversed(range(axes)) for v in (p[i], p[axes + i])]), [0] * axes


def conv(a, x, w, b=None):
    x, padding = pads(a, x)
    return torch.conv3d(x, w, b, a["strides"], padding, a.get("dilations", 1), a.get("group", 1))


def conv_transpose(a, x, w, b=None):
    axes = len(a["kernel_shape"])
    begins, ends = a["pads"][:axes], a["pads"][axes:]
    y = F.conv_transpose3d(x, w, b, a["strides"], 0, a.get("output_padding", 0), a.get("group", 1), a.get("dilations", 1))
    for axis in range(axes):
        if begins[axis] or ends[axis]:
            y = y.narrow(2 + axis, begins[axis], y.shape[2 + axis] - begins[axis] - ends[axis])
    return y


def max_pool(a, x):
    if any(a.get("pads", [])):
        raise NotImplementedError("padded MaxPool")
    return F.max_pool3d(x, a["kernel_shape"], a["strides"])


def cut(a, x, starts, ends, axes, steps):
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if step != 1:
            raise NotImplementedError("Slice with a step")
        x = x[(slice(None),) * axis + (slice(start, end),)]
    return x


def resize(a, x, _region, scales=None, sizes=None):
    size = [int(v) for v in sizes[2:]] if sizes else [int(v * s) for v, s in zip(x.shape[2:], scales[2:])]
    if (a["mode"], a["coordinate_transformation_mode"]) != (b"linear", b"half_pixel"):
        raise NotImplementedError("Resize other than linear, half_pixel")
    return F.interpolate(x, size, mode="trilinear", align_corners=False)


OPS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "Slice": cut,
    "Resize": resize,
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Relu": lambda a, x: torch.relu(x),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
    "PRelu": lambda a, x, slope: F.prelu(x, slope.reshape(-1)),
    "Elu": lambda a, x: F.elu(x, a.get("alpha", 1.0)),
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Add": lambda a, x, y: x + y,
    "BatchNormalization": lambda a, x, s, b, m, v: F.batch_norm(x, m, v, s, b, eps=a.get("epsilon", 1e-5)),
    "InstanceNormalization": lambda a, x, s, b: F.instance_norm(x, None, None, s, b, eps=a.get("epsilon", 1e-5)),
}
# Their constants say what is done and are numbers, not tensors.
NUMBERS = {"Slice", "Resize"}


class Network(torch.nn.Module):
    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.steps, self.inputs, self.outputs = [], [i.name for i in graph.input], [o.name for o in graph.output]
        nodes = fold_batch_norms(list(graph.node), constants)
        self.last = {i: k for k, n in enumerate(nodes) for i in n.input if i not in constants}
        for n in nodes:
            if n.op_type not in OPS:
                raise NotImplementedError(n.op_type)
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}
            arguments = [self.argument(n.op_type, i, constants) for i in n.input]
            self.steps.append((OPS[n.op_type], attributes, arguments, n.output[0]))

    def argument(self, op, name, constants):
        """("value", name), ("constant", attribute of this module) or ("numbers", list)"""
        if name == "" or (op in NUMBERS and name in constants):
            return "numbers", constants[name].tolist() if name else None
        if name not in constants:
            return "value", name
        key = "c_" + name.replace(".", "_")
        if not hasattr(self, key):
            self.register_buffer(key, torch.from_numpy(constants[name].copy()))
        return "constant", key

    def forward(self, x):
        values = {self.inputs[0]: x}
        for k, (op, attributes, arguments, output) in enumerate(self.steps):
            get = {"value": values.get, "constant": lambda key: getattr(self, key), "numbers": lambda v: v}
            values[output] = op(attributes, *[get[kind](what) for kind, what in arguments])
            for kind, name in arguments:
                if kind == "value" and self.last[name] == k and name not in self.outputs:
                    values.pop(name, None)
        return values[self.outputs[0]]
