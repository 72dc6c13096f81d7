"""The verb `score` on random label volumes, beside SciPy and what is installed of MONAI, SimpleITK and scikit-image.

usage: score_peers.py PROGRAM SCRATCH [CASES]      Run by tests/volumes/score_peers.sh.
"""
import importlib
import json
import struct
import subprocess
import sys
import warnings

import numpy as np
from scipy import ndimage

PROGRAM, SCRATCH = sys.argv[1:3]
CASES = int(sys.argv[3]) if len(sys.argv) > 3 else 12
LABELS = range(5)
RELATIVE = 1e-6
QUANTILE = 1e-3  # torch.quantile computes the rank in float32


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


monai, sitk, skimage = optional("monai.metrics"), optional("SimpleITK"), optional("skimage.metrics")
if monai:
    import torch
compared, failures = {}, 0


def check(peer, what, ours, theirs, relative=RELATIVE):
    """Numbers that JSON lacks are null: theirs may be NaN or infinite there."""
    global failures
    same = not np.isfinite(theirs) if ours is None else abs(ours - theirs) <= relative * abs(theirs) + 1e-6
    compared[peer] = compared.get(peer, 0) + 1
    failures += not same
    if not same:
        print(f"FAILED: {what}: {ours}, but {peer} says {theirs}")


def write_nifti(path, labels, spacing):
    """NIfTI-1; labels [z][y][x], spacing of z y x."""
    shape, size = labels.shape[::-1], spacing[::-1]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 512, 16)  # uint16
    struct.pack_into("<8f", header, 76, 1, *size, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    header[123] = 2  # mm
    struct.pack_into("<2h", header, 252, 0, 1)
    for k in range(3):
        struct.pack_into("<4f", header, 280 + 16 * k, *(size[k] if i == k else 0 for i in range(4)))
    header[344:348] = b"n+1\0"
    with open(path, "wb") as f:
        f.write(header + labels.astype("<u2").tobytes())


def random_pair(rng):
    shape = tuple(int(rng.integers(1, most)) for most in (30, 40, 150))
    blur = (0, *[rng.uniform(0, 3)] * 3)
    draw = lambda: ndimage.gaussian_filter(rng.random((4, *shape)), blur).argmax(0)
    a = draw()
    b = draw() if rng.random() < 0.5 else np.where(rng.random(shape) < 0.05, draw(), a)
    b[b == 3] = 0 if rng.random() < 0.3 else 3
    spacing = tuple(float(np.float32(s)) for s in rng.uniform(0.3, 3, 3)) if rng.random() < 0.7 else (1.0, 1.0, 1.0)
    return a, b, spacing, float(rng.integers(0, 4)) / 2 + 0.5


def ask(a, b, spacing, tolerance):
    for name, labels in (("a", a), ("b", b)):
        write_nifti(f"{SCRATCH}/{name}.nii", labels, spacing)
    said = subprocess.run([PROGRAM, "score", f"{SCRATCH}/a.nii", f"{SCRATCH}/b.nii", "--json", "--tolerance", str(tolerance),
                           "--labels", ",".join(map(str, LABELS))], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(said)["labels"]


def beside_scipy(ours, a, b, spacing, tolerance, surfaces):
    both, either = (a & b).sum(), (a | b).sum()
    check("SciPy", "Dice", ours["dice"], 2 * both / (a.sum() + b.sum()) if either else np.nan)
    check("SciPy", "IoU", ours["iou"], both / either if either else np.nan)
    check("SciPy", "volume", ours["ml"], a.sum() * np.prod(spacing) / 1000)
    check("SciPy", "difference", ours["difference_ml"], (int(a.sum()) - int(b.sum())) * np.prod(spacing) / 1000)
    if not (a.any() and b.any()):
        return
    d = [ndimage.distance_transform_edt(~surfaces[1 - i], sampling=spacing)[surfaces[i]].astype(np.float32) for i in range(2)]
    check("SciPy", "HD", ours["hd_mm"], max(d[0].max(), d[1].max()))
    check("SciPy", "HD95", ours["hd95_mm"], max(np.percentile(x.astype(float), 95) for x in d))
    check("SciPy", "mean", ours["mean_distance_mm"], np.concatenate(d).astype(float).mean())
    check("SciPy", "surface Dice", ours["surface_dice"], (np.concatenate(d) <= np.float32(tolerance)).mean())


def beside_monai(ours, a, b, spacing, tolerance):
    p, q = (torch.from_numpy(v[None, None]) for v in (a, b))
    options = {"include_background": True, "spacing": spacing}
    if b.any():
        check("MONAI", "Dice", ours["dice"], monai.compute_dice(p.float(), q.float()).item())
        check("MONAI", "IoU", ours["iou"], monai.compute_iou(p.float(), q.float()).item())
    check("MONAI", "HD", ours["hd_mm"], monai.compute_hausdorff_distance(p, q, **options).item())
    check("MONAI", "HD95", ours["hd95_mm"], monai.compute_hausdorff_distance(p, q, percentile=95, **options).item(), QUANTILE)
    check("MONAI", "mean", ours["mean_distance_mm"], monai.compute_average_surface_distance(p, q, symmetric=True, **options).item())
    check("MONAI", "surface Dice", ours["surface_dice"], monai.compute_surface_dice(p, q, [tolerance], **options).item())


def beside_simpleitk(ours, a, b, spacing, surfaces):
    if not (a.any() and b.any()):
        return
    overlap, hausdorff = sitk.LabelOverlapMeasuresImageFilter(), sitk.HausdorffDistanceImageFilter()
    overlap.Execute(*(sitk.GetImageFromArray(v.astype(np.uint8)) for v in (a, b)))
    check("SimpleITK", "Dice", ours["dice"], overlap.GetDiceCoefficient(1))
    check("SimpleITK", "IoU", ours["iou"], overlap.GetJaccardCoefficient(1))
    images = [sitk.GetImageFromArray(v.astype(np.uint8)) for v in surfaces]
    for image in images:
        image.SetSpacing(spacing[::-1])
    hausdorff.Execute(*images)
    check("SimpleITK", "HD", ours["hd_mm"], hausdorff.GetHausdorffDistance())


warnings.simplefilter("ignore")  # of labels that one volume lacks
for case in range(CASES):
    a, b, spacing, tolerance = random_pair(np.random.default_rng(case))
    for label, ours in zip(LABELS, ask(a, b, spacing, tolerance)):
        pair = a == label, b == label
        surfaces = [v & ~ndimage.binary_erosion(v) for v in pair]
        beside_scipy(ours, *pair, spacing, tolerance, surfaces)
        if monai:
            beside_monai(ours, *pair, spacing, tolerance)
        if sitk:
            beside_simpleitk(ours, *pair, spacing, surfaces)
        if skimage and spacing == (1, 1, 1) and surfaces[0].any() and surfaces[1].any():
            check("scikit-image", "HD", ours["hd_mm"], skimage.hausdorff_distance(*surfaces))
print(f"{CASES} pairs of label volumes, {failures} failures; numbers compared: "
      + ", ".join(f"{peer} {n}" for peer, n in compared.items()))
sys.exit(failures > 0)
