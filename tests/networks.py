"""Trained networks on real heads, against figures that this project did not make: ../shared/data (or $VOXC_DATA).

usage: networks.py VOXC SCRATCH      Run by tests/networks.sh, which says so when the data is not there.
"""
import gzip
import json
import os
import subprocess
import sys

import numpy as np
import onnxruntime
from scipy import ndimage

VOXC, SCRATCH = sys.argv[1:]
DATA = os.environ.get("VOXC_DATA", "../shared/data")
MODELS = DATA + "/models/"
RMS = 2e-6           # relative, generated C against the interpreter
PROBABILITY = 1e-4   # absolute, against values computed elsewhere
DICE = 0.002         # either side of the published figure
failures = 0


def check(what, value, limit, good):
    global failures
    failures += not good
    print(f"{'ok' if good else 'FAILED':7s} {what}: {value:.4g} ({limit})", flush=True)


def call(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def read_nifti(name):
    """Voxels of an uncompressed-type uint8 NIfTI-1 file, x y z order."""
    raw = gzip.open(f"{DATA}/volumes/brain/{name}").read()
    shape = np.frombuffer(raw, "<i2", 3, 42)
    offset = int(np.frombuffer(raw, "<f4", 1, 108)[0])
    return np.frombuffer(raw, np.uint8, int(np.prod(shape.astype(np.int64))), offset).reshape(shape, order="F")


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def save(name, tile):
    path = f"{SCRATCH}/{name}.npy"
    np.save(path, np.ascontiguousarray(tile[None, None].astype(np.float32)))
    return path


def verify(model, tile, *options):
    """Generated C against the interpreter on a real tile; also leaves the bundle's output in SCRATCH/out.npy."""
    path = save("in", tile)
    report = subprocess.run([VOXC, "verify", model, "--input", path, "--max-rms", "1", "--json", *options],
                            check=True, stdout=subprocess.PIPE).stdout
    rms = max(o["relative_rms"] for o in json.loads(report)["outputs"])
    check(f"{os.path.basename(model)}, C against the interpreter, relative RMS", rms, f"at most {RMS:g}", rms <= RMS)


def run_bundle(model, tile, *options):
    bundle = f"{SCRATCH}/bundle"
    call("rm", "-rf", bundle)
    call(VOXC, "compile", model, "--model-name", "network", "-o", bundle, *options)
    call("make", "-s", "-C", bundle)
    call(f"{bundle}/network", "run", save("in", tile), f"{SCRATCH}/out.npy")
    return np.load(f"{SCRATCH}/out.npy")


def sized(model, size):
    return [f"--input-dim={name}.{axis}={size}" for name in [input_name(model)] for axis in (2, 3, 4)]


def input_name(model):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()[0].name


def reference(name):
    return np.load(f"{DATA}/reference/{name}.npz")


def deepbrain(head, mask):
    model = MODELS + "deepbrain_v2.onnx"
    crop = reference("deepbrain_v2_ch2_centre32")
    tile = crop["input"].reshape(32, 32, 32)
    out = run_bundle(model, tile, *sized(model, 32))
    worst = np.abs(out.reshape(-1) - crop["prob"].reshape(-1)).max()
    check("deepbrain centre crop, probability", worst, f"at most {PROBABILITY:g} from the reference", worst <= PROBABILITY)

    whole = ndimage.zoom(head.astype(np.float64), 128 / np.array(head.shape), order=1)
    whole = (whole / whole.max()).astype(np.float32)
    verify(model, whole)
    probability = run_bundle(model, whole)[0, 0]
    theirs = np.unpackbits(reference("deepbrain_v2_ch2_128_mask")["mask"]).reshape(128, 128, 128).astype(bool)
    same = dice(probability > 0.5, theirs)
    check("deepbrain 128^3 mask, Dice with the reference", same, "at least 0.998", same >= 0.998)
    full = ndimage.zoom(probability, np.array(head.shape) / 128, order=1) > 0.5
    d = dice(full, mask)
    check("deepbrain, Dice with ch2bet", d, f"0.9478 +- {DICE}", abs(d - 0.9478) <= DICE)
    bundle = f"{SCRATCH}/bundle"
    call(VOXC, "compile", model, "--model-name", "network", "--volume", "models/deepbrain.yaml", "-o", bundle)
    call("make", "-s", "-C", bundle)
    brain = f"{DATA}/volumes/brain/"
    call(f"{bundle}/network", "segment", brain + "ch2.nii.gz", "-o", f"{SCRATCH}/mask.nii.gz")
    said = call(f"{bundle}/network", "score", f"{SCRATCH}/mask.nii.gz", brain + "ch2bet.nii.gz", "--fill-holes", "--json")
    d = json.loads(said)["labels"][0]["dice"]
    check("deepbrain through `segment`, Dice with ch2bet", d, f"0.9478 +- {DICE}", abs(d - 0.9478) <= DICE)


def crop_or_pad(volume, shape):
    out = np.zeros(shape, volume.dtype)
    src, dst = [], []
    for have, want in zip(volume.shape, shape):
        n = min(have, want)
        src.append(slice((have - n) // 2, (have - n) // 2 + n))
        dst.append(slice((want - n) // 2, (want - n) // 2 + n))
    out[tuple(dst)] = volume[tuple(src)]
    return out


def torchio(head, mask):
    model = MODELS + "torchio_unet3d_whole_images_epoch_5.onnx"
    shape = (48, 60, 48)
    small = crop_or_pad(ndimage.zoom(ndimage.gaussian_filter(head.astype(np.float64), 1.5), 0.25, order=1), shape)
    truth = crop_or_pad(ndimage.zoom(ndimage.gaussian_filter(mask.astype(np.float64), 1.5), 0.25, order=1), shape) > 0.5
    above = small[small > small.mean()]
    tile = ((small - above.mean()) / above.std()).astype(np.float32)
    verify(model, tile)
    d = dice(run_bundle(model, tile)[0].argmax(0) == 1, truth)
    check("TorchIO at 4 mm, Dice with ch2bet", d, f"0.9487 +- {DICE}", abs(d - 0.9487) <= DICE)


def brainchop():
    head = read_nifti("brainchop_t1_crop.nii.gz").astype(np.float32)
    head = (head - head.min()) / (head.max() - head.min())
    size = 64
    tile = head[96:96 + size, 96:96 + size, 96:96 + size]
    for name in ("brainchop_model5_gw_ae", "brainchop_model11_gw_ae", "brainchop_model30chan18cls"):
        verify(MODELS + name + ".onnx", tile, *sized(MODELS + name + ".onnx", size))


def main():
    head = read_nifti("ch2.nii.gz")
    mask = ndimage.binary_fill_holes(read_nifti("ch2bet.nii.gz") > 0)
    deepbrain(head, mask)
    torchio(head, mask)
    brainchop()
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
