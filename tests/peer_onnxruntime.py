"""Generated C beside ONNX Runtime, on the same random input: our exported descriptions, single operators, and the real
networks of ../shared/data/models where that folder is there. Run by tests/peers.sh.

usage: peer_onnxruntime.py VOXC SCRATCH
"""
import glob
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime

VOXC, SCRATCH = sys.argv[1:]
NETWORKS = os.environ.get("VOXC_DATA", "../shared/data") + "/models"
# Real networks at a small input, where their shape constants allow it: spatial size, None for their own.
SMALL = {
    "deepbrain_v2.onnx": 32,
    "torchio_unet3d_whole_images_epoch_5.onnx": None,
    "brainchop_model5_gw_ae.onnx": 48,
    "brainchop_model11_gw_ae.onnx": 48,
    "brainchop_model30chan18cls.onnx": 32,
}
TOLERANCE = 1e-4  # absolute, on outputs of order 1


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def resized(path, size):
    """A copy of the network for a cube of `size` voxels."""
    model = onnx.load(path)
    for axis in (2, 3, 4):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = size
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    copy = os.path.join(SCRATCH, os.path.basename(path))
    onnx.save(model, copy)
    return copy


def compare(name, path):
    """The largest difference between the compiled bundle and ONNX Runtime, relative where values exceed 1."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    bundle = os.path.join(SCRATCH, "bundle")
    run("rm", "-rf", bundle)
    run(VOXC, "compile", path, "--model-name", "peer", "-o", bundle)
    run("make", "-s", "-C", bundle)

    random = np.random.default_rng(1)
    feed = {i.name: random.random([d if isinstance(d, int) else 1 for d in i.shape], dtype=np.float32)
            for i in session.get_inputs()}
    theirs = session.run(None, feed)
    inputs = ["%s/in%d.npy" % (bundle, k) for k in range(len(feed))]
    outputs = ["%s/out%d.npy" % (bundle, k) for k in range(len(theirs))]
    for file, value in zip(inputs, feed.values()):
        np.save(file, value)
    run(bundle + "/peer", "run", *inputs, *outputs)
    worst = 0.0
    for file, want in zip(outputs, theirs):
        got = np.load(file)
        assert got.shape == want.shape, (name, got.shape, want.shape)
        worst = max(worst, float(np.max(np.abs(got - want) / np.maximum(1, np.abs(want)))))
    print("%-48s %.2e" % (name, worst), flush=True)
    return worst <= TOLERANCE


def main():
    good = True
    for name in ("unet3d_small", "deepbrain"):
        path = "%s/%s.onnx" % (SCRATCH, name)
        run(VOXC, "export", "models/%s.yaml" % name, "--init", "1", "-o", path)
        onnx.checker.check_model(path, full_check=True)
        if name == "deepbrain":
            path = resized(path, 32)
        good &= compare("models/%s.yaml, exported" % name, path)
    present = sorted(glob.glob(NETWORKS + "/*.onnx"))
    if not present:
        print("skipped: no real networks in " + NETWORKS)
    for path in present:
        size = SMALL.get(os.path.basename(path))
        good &= compare(os.path.basename(path), resized(path, size) if size else path)
    sys.exit(not good)


main()
