#!/usr/bin/env python3
"""Compares voxc's ONNX reader, interpreter and exporter with onnx.checker and ONNX Runtime.

Usage: peer_onnx.py PEER_PROGRAM WORK_DIR [MODEL...]   (run from the repository's root; tests/peers.sh does)

1. generated cases: small models over operators, opsets and attributes; ONNX Runtime against the interpreter;
2. what the exporter writes of each case and of each MODEL: onnx.checker with full_check, and ONNX Runtime on it.
A deviation that is meant is listed in DEVIATES with its reason.
"""
import itertools
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

PEER, WORK, MODELS = sys.argv[1], sys.argv[2], sys.argv[3:]
RNG = np.random.default_rng(1)
ATOL, RTOL = 2e-5, 2e-5


def f32(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def i64(*values):
    return np.array(values, np.int64)


class Case:
    """A model of one node: input x, the other operands initializers."""

    def __init__(self, name, op, opset, x, consts=(), dtype=TensorProto.FLOAT, export=True, **attributes):
        self.name, self.export = name, export
        inputs, initializers = ["x"], []
        for k, c in enumerate(consts):
            inputs.append("" if c is None else f"c{k}")
            if c is not None:
                initializers.append(numpy_helper.from_array(c, f"c{k}"))
        node = helper.make_node(op, inputs, ["y"], **attributes)
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
            [helper.make_tensor_value_info("y", dtype, None)], initializers)
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        self.x = x
        self.external = False


def windows():
    x = f32(1, 4, 7, 6, 8)
    for auto, stride, k, d in itertools.product(["SAME_UPPER", "SAME_LOWER", "VALID"], [1, 2, 3], [2, 3], [1, 2]):
        if d > 1 and auto != "VALID":
            continue  # ONNX Runtime refuses it
        yield Case(f"conv-{auto}-s{stride}-k{k}-d{d}", "Conv", 11, x, [f32(5, 4, k, k, k), f32(5)], auto_pad=auto,
                   strides=[stride] * 3, dilations=[d] * 3)
    yield Case("conv-asymmetric", "Conv", 13, x, [f32(6, 2, 3, 1, 2), None], pads=[0, 1, 2, 3, 0, 1], group=2)
    for stride, k, pads, out in itertools.product([1, 2, 3], [2, 3, 4], [[0] * 6, [0, 1, 0, 1, 1, 0]], [0, 1]):
        if out < stride:
            yield Case(f"convT-s{stride}-k{k}-p{sum(pads)}-o{out}", "ConvTranspose", 11, x,
                       [f32(4, 3, k, k, k), f32(3)], strides=[stride] * 3, pads=pads, output_padding=[out] * 3)
    for auto, stride, k in itertools.product(["SAME_UPPER", "SAME_LOWER"], [2, 3], [3, 4]):
        yield Case(f"convT-{auto}-s{stride}-k{k}", "ConvTranspose", 11, x, [f32(4, 3, k, k, k)], auto_pad=auto,
                   strides=[stride] * 3)
    for k, more in itertools.product([3, 4], [0, -1]):
        shape = [s * 2 + more for s in (7, 6, 8)]
        yield Case(f"convT-output_shape-k{k}{more}", "ConvTranspose", 11, x, [f32(4, 3, k, k, k)], strides=[2] * 3,
                   output_shape=shape)
    yield Case("convT-dilated-group", "ConvTranspose", 11, x, [f32(4, 3, 2, 3, 2)], strides=[2, 1, 3],
               dilations=[2, 3, 1], group=2)


def pools():
    x = f32(1, 3, 7, 8, 9)
    for op, ceil, stride, k, pad in itertools.product(["MaxPool", "AveragePool"], [0, 1], [1, 2, 3], [2, 3], [0, 1]):
        yield Case(f"{op}-ceil{ceil}-s{stride}-k{k}-p{pad}", op, 12, x, kernel_shape=[k] * 3, strides=[stride] * 3,
                   pads=[pad] * 6, ceil_mode=ceil)
    for ceil, stride in itertools.product([0, 1], [2, 3]):
        yield Case(f"AveragePool-include-ceil{ceil}-s{stride}", "AveragePool", 12, x, kernel_shape=[3] * 3,
                   strides=[stride] * 3, pads=[1] * 6, count_include_pad=1, ceil_mode=ceil,
                   export=not ceil)  # the checker counts a window that ONNX Runtime and voxc do not
    yield Case("MaxPool-dilated", "MaxPool", 12, x, kernel_shape=[2] * 3, dilations=[2, 3, 1])
    yield Case("AveragePool-dilated", "AveragePool", 19, x, kernel_shape=[2] * 3, dilations=[2, 3, 1])
    for auto, op in itertools.product(["SAME_UPPER", "SAME_LOWER"], ["MaxPool", "AveragePool"]):
        yield Case(f"{op}-{auto}", op, 12, x, kernel_shape=[3, 2, 2], strides=[2, 2, 1], auto_pad=auto)
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        yield Case(op, op, 13, x)


def resizes():
    x = f32(1, 2, 4, 5, 6)
    modes = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
    scales = [np.array(s, np.float32) for s in ([1, 1, 2, 2, 2], [1, 1, 1.5, 2.25, 0.625], [1, 1, 0.5, 0.375, 0.75])]
    for mode, coord, (k, s) in itertools.product(["linear", "nearest"], modes, enumerate(scales)):
        for near in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] if mode == "nearest" else ["floor"]:
            yield Case(f"resize-{mode}-{coord}-{k}-{near}", "Resize", 13, x, [None, s], mode=mode, nearest_mode=near,
                       coordinate_transformation_mode=coord)
    for coord, opset in itertools.product(modes + ["half_pixel_symmetric"], [13, 19]):
        if opset == 19 or coord != "half_pixel_symmetric":
            yield Case(f"resize-sizes-{coord}-{opset}", "Resize", opset, x, [None, None, i64(1, 2, 7, 3, 12)],
                       mode="linear", coordinate_transformation_mode=coord)
    for policy in ("not_larger", "not_smaller"):
        yield Case(f"resize-{policy}", "Resize", 18, x, [None, None, i64(9, 7, 11)], mode="linear", axes=[2, 3, 4],
                   keep_aspect_ratio_policy=policy, export=False)
    roi = np.array([0, 0, 0.1, 0, 0.3, 1, 1, 0.9, 1.2, 0.8], np.float32)
    yield Case("resize-crop", "Resize", 13, x, [roi, None, i64(1, 2, 5, 4, 7)], mode="linear",
               coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=7.0)
    for mode, s in itertools.product(["linear", "nearest"], scales[:1] + scales[2:]):
        yield Case(f"resize10-{mode}-{s[2]}", "Resize", 10, x, [s], mode=mode)
    yield Case("upsample9", "Upsample", 9, x, [scales[0]], mode="nearest")


def others():
    x = f32(2, 3, 4, 5, 6)
    for mode in ("constant", "reflect", "edge"):
        yield Case(f"pad-{mode}", "Pad", 13, x, [i64(0, 0, 1, 2, 3, 0, 0, 2, 0, 1)], mode=mode)
    yield Case("pad-negative", "Pad", 13, x, [i64(0, 0, -1, 2, 0, 0, 0, 2, -3, 0), np.float32(3)], mode="constant")
    yield Case("pad-axes", "Pad", 18, x, [i64(1, 2, 3, 0), None, i64(-1, 2)], mode="edge")
    yield Case("pad-wrap", "Pad", 19, x, [i64(0, 0, 1, 2, 3, 0, 0, 2, 0, 1)], mode="wrap")
    yield Case("slice-steps", "Slice", 13, x, [i64(-1, 1, 100), i64(-100, 9, 0), i64(2, -2, 4), i64(-2, 2, -3)])
    yield Case("slice9", "Slice", 9, x, starts=[1, -3], ends=[3, 1000], axes=[1, 4])
    for opset in (9, 13):
        for op, axis in itertools.product(["Softmax", "LogSoftmax"], range(-5, 5) if opset == 13 else range(0, 5)):
            yield Case(f"{op}-{opset}-{axis}", op, opset, x, axis=axis)
    for op in "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare".split():
        yield Case(f"{op}-11", op, 11, x, axes=[-1, 1], keepdims=0)
        yield Case(f"{op}-18", op, 18, x, [i64(4, 2)])
    yield Case("argmax", "ArgMax", 13, x, dtype=TensorProto.INT64, axis=1)
    yield Case("argmax-last", "ArgMax", 13, np.round(x), dtype=TensorProto.INT64, axis=-1, keepdims=0,
               select_last_index=1)
    for op, a in {"LeakyRelu": {"alpha": 0.1}, "Elu": {"alpha": 1.5}, "HardSigmoid": {}, "Sigmoid": {}, "Tanh": {},
                  "Relu": {}, "Round": {}, "Floor": {}, "Ceil": {}, "Neg": {}, "Abs": {}, "Exp": {}, "Reciprocal": {}}.items():
        yield Case(op, op, 13, x, **a)
    yield Case("clip", "Clip", 13, x, [np.float32(-0.5), None])
    yield Case("clip6", "Clip", 10, x, max=0.25)
    yield Case("prelu", "PRelu", 13, x, [f32(3, 1, 1, 1)])
    yield Case("batch_norm", "BatchNormalization", 15, x, [f32(3), f32(3), f32(3), np.abs(f32(3))], epsilon=1e-3)
    yield Case("instance_norm", "InstanceNormalization", 13, x, [f32(3), f32(3)])
    yield Case("add-broadcast", "Add", 13, x, [f32(4, 1, 6)])
    yield Case("pow", "Pow", 13, np.abs(x), [np.float32(2.5)])
    yield Case("max", "Max", 13, x, [f32(5, 1), f32(1)])
    yield Case("tile", "Tile", 13, x, [i64(1, 2, 1, 3, 1)])
    yield Case("expand", "Expand", 13, f32(3, 1, 6), [i64(2, 3, 5, 1)])
    yield Case("gather", "Gather", 13, x, [i64(-1, 0, 2).reshape(3, 1)], axis=3)
    yield Case("transpose", "Transpose", 13, x, perm=[4, 0, 3, 1, 2])
    yield Case("flatten", "Flatten", 13, x, axis=-2)
    yield Case("reshape", "Reshape", 14, x, [i64(0, -1, 6, 5)])
    yield Case("cast", "Cast", 13, 3 * x, dtype=TensorProto.INT32, to=TensorProto.INT32)
    for op, a in {"Relu": {}, "MaxPool": {"kernel_shape": [2, 2, 2]}, "Softmax": {"axis": 1}, "Elu": {}}.items():
        for opset in range(9, 24):
            yield Case(f"{op}-opset{opset}", op, opset, x, **a)
    yield Case("where-mask", "Greater", 13, x, [np.float32(0)], dtype=TensorProto.BOOL)


def network(name, nodes, x, consts, external=False):
    """A case of several nodes from x to y."""
    case = Case(name, "Relu", 13, x)
    del case.model.graph.node[:]
    case.model.graph.node.extend(nodes)
    case.model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in consts.items())
    case.external = external
    return case


def networks():
    """Graphs as exporters write them: shape arithmetic, functions spelled out, weights beside the model."""
    n = helper.make_node
    x = f32(1, 4, 6, 8, 10)
    yield network("upsample-by-shape", [
        n("Shape", ["x"], ["s"]), n("Gather", ["s", "i2"], ["d"]), n("Gather", ["s", "i3"], ["h"]),
        n("Gather", ["s", "i4"], ["w"]), n("Unsqueeze", ["d", "zero"], ["d1"]), n("Unsqueeze", ["h", "zero"], ["h1"]),
        n("Unsqueeze", ["w", "zero"], ["w1"]), n("Concat", ["d1", "h1", "w1"], ["dhw"], axis=0),
        n("Cast", ["dhw"], ["f"], to=TensorProto.FLOAT), n("Mul", ["f", "two"], ["g"]), n("Floor", ["g"], ["fl"]),
        n("Cast", ["fl"], ["size"], to=TensorProto.INT64), n("Slice", ["s", "zero", "i2v"], ["nc"]),
        n("Concat", ["nc", "size"], ["sizes"], axis=0),
        n("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", coordinate_transformation_mode="pytorch_half_pixel")],
        x, {"i2": np.int64(2), "i3": np.int64(3), "i4": np.int64(4), "zero": i64(0), "i2v": i64(2),
            "two": np.float32(1.75)})
    yield network("group-norm", [
        n("Reshape", ["x", "g"], ["r"]), n("InstanceNormalization", ["r", "one", "nil"], ["m"]), n("Shape", ["x"], ["s"]),
        n("Reshape", ["m", "s"], ["b"]), n("Mul", ["b", "w"], ["c"]), n("Add", ["c", "v"], ["y"])],
        x, {"g": i64(0, 2, -1), "one": np.ones(2, np.float32), "nil": np.zeros(2, np.float32), "w": f32(4, 1, 1, 1),
            "v": f32(4, 1, 1, 1)})
    yield network("pad-to-fit", [
        n("ConstantOfShape", ["four"], ["zeros"], value=numpy_helper.from_array(np.zeros(1, np.int64))),
        n("Concat", ["pads", "zeros"], ["all"], axis=0), n("Reshape", ["all", "pairs"], ["p2"]),
        n("Slice", ["p2", "last", "first", "zero", "back"], ["rev"]), n("Transpose", ["rev"], ["t"], perm=[1, 0]),
        n("Reshape", ["t", "flat"], ["p"]), n("Cast", ["p"], ["p64"], to=TensorProto.INT64), n("Pad", ["x", "p64"], ["y"])],
        x, {"four": i64(4), "pads": i64(1, 2, 0, 1, 3, 0), "pairs": i64(-1, 2), "last": i64(-1), "zero": i64(0),
            "first": i64(np.iinfo(np.int64).min), "back": i64(-1), "flat": i64(-1)})
    yield network("split-gate", [
        n("Split", ["x"], ["a", "b"], axis=1), n("Sigmoid", ["a"], ["g"]), n("Mul", ["g", "b"], ["h"]),
        n("ReduceMean", ["h"], ["m"], axes=[2, 3, 4]), n("Conv", ["m", "w"], ["c"]), n("Add", ["h", "c"], ["y"])],
        x, {"w": f32(2, 2, 1, 1, 1)})
    yield network("external-weights", [n("Conv", ["x", "w", "b"], ["y"], pads=[1] * 6)], x,
                  {"w": f32(8, 4, 3, 3, 3), "b": f32(8)}, external=True)


# beginning of a name -> why voxc is different on purpose
DEVIATES = {
    "resize-linear-align_corners": "ONNX's own cases take the output's length before rounding down, ONNX Runtime after",
    "resize-nearest-align_corners": "the same",
}


def runtime(path, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: v for i, v in zip(session.get_inputs(), inputs)})


def peer(*arguments):
    r = subprocess.run([PEER, *arguments], capture_output=True, text=True)
    if r.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit {r.returncode}: {r.stderr.strip()}")


def numbered(folder, kind):
    out = []
    while os.path.exists(f"{folder}/{kind}_{len(out)}.npy"):
        out.append(np.load(f"{folder}/{kind}_{len(out)}.npy"))
    return out


def compare(what, got, want):
    """The largest error as a multiple of what is allowed."""
    worst = 0.0
    if len(got) != len(want):
        raise RuntimeError(f"{what}: {len(got)} outputs, expected {len(want)}")
    for g, w in zip(got, want):
        if g.shape != w.shape:
            raise RuntimeError(f"{what}: shape {g.shape}, expected {w.shape}")
        if g.size == 0:
            continue
        scale = ATOL * max(1.0, float(np.abs(w.astype(np.float64)).max())) + RTOL * np.abs(w.astype(np.float64))
        worst = max(worst, float((np.abs(g.astype(np.float64) - w.astype(np.float64)) / scale).max()))
    if not worst <= 1:
        raise RuntimeError(f"{what}: {worst:.3g} times the allowed error")
    return worst


def check_case(case):
    folder = f"{WORK}/case"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    onnx.save(case.model, f"{folder}/source.onnx", save_as_external_data=case.external, location="weights.bin",
              size_threshold=0)
    np.save(f"{folder}/in_0.npy", case.x)
    want = runtime(f"{folder}/source.onnx", [case.x])
    peer("run", f"{folder}/source.onnx", folder)
    worst = compare("import", numbered(folder, "out"), want)
    if not case.export:
        return worst
    peer("export", f"{folder}/source.onnx", folder)
    return max(worst, check_export(folder))


def check_export(folder):
    onnx.checker.check_model(f"{folder}/model.onnx", full_check=True)
    got = runtime(f"{folder}/model.onnx", numbered(folder, "in"))
    return compare("export", got, numbered(folder, "out"))


def check_model(path, fuse):
    folder = f"{WORK}/model"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    peer("export", *(["--fuse"] if fuse else []), path, folder)
    worst = check_export(folder)
    if path.endswith(".onnx"):
        worst = max(worst, compare("source", runtime(path, numbered(folder, "in")), numbered(folder, "out")))
    return worst


def main():
    failed = passed = 0
    worst = (0.0, "")
    jobs = [(c.name, check_case, (c,)) for c in itertools.chain(windows(), pools(), resizes(), others(), networks())]
    jobs += [(f"{m}{' fused' if f else ''}", check_model, (m, f)) for m in MODELS for f in (False, True)]
    for name, check, arguments in jobs:
        try:
            worst = max(worst, (check(*arguments), name))
            passed += 1
        except Exception as e:  # any failure is a result
            reason = [r for n, r in DEVIATES.items() if name.startswith(n)]
            if reason and "import" in str(e):
                print(f"{name}: deviates on purpose: {reason[0]}")
                continue
            failed += 1
            print(f"{name}: FAILED: {str(e).splitlines()[0][:300]}")
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: {passed} passed, {failed} failed; "
          f"largest error {worst[0]:.2g} of the allowed ({worst[1]})")
    return 1 if failed else 0


sys.exit(main())
