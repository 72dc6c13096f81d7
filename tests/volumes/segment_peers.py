"""What nnunet_peers.py and monai_peers.py share: volumes, bundles built and run, and how two label volumes agree."""
import os
import shutil
import subprocess
import time

import nibabel
import numpy as np
from scipy import ndimage

SHARED = "../shared/data/volumes"
AT_LEAST = 0.99999  # of the voxels have the peer's label


def head(shape, seed=0):
    """Something like a head: zero outside, a bright rim, tissue with texture and a few voxels of 0; float32 x y z."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in shape], indexing="ij")
    radius = np.sqrt(sum(a * a for a in axes)) + 0.05 * ndimage.gaussian_filter(rng.standard_normal(shape), 3)
    texture = ndimage.gaussian_filter(rng.standard_normal(shape), 2) * 400 + rng.standard_normal(shape) * 8
    volume = np.where(radius < 0.8, 500 + texture, 900 + texture / 2)
    volume[(radius < 0.25) | (radius > 1)] = 0
    return volume.astype(np.float32)


def write(path, volume, spacing, code="RAS"):
    """A NIfTI file whose axes run to `code`."""
    affine = np.zeros((4, 4))
    for k, letter in enumerate(code):
        axis = next(a for a in range(3) if letter in ("RL", "AP", "SI")[a])
        affine[axis, k] = spacing[k] if letter in "RAS" else -spacing[k]
    affine[3, 3] = 1
    image = nibabel.Nifti1Image(volume, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def given(name, path, volume, spacing):
    """The file of that name where it is to be had, else `path` with the volume. Says which."""
    there = os.path.join(SHARED, name)
    if os.path.exists(there):
        return there
    print(f"no {there}: a synthetic volume instead")
    write(path, volume(), spacing)
    return path


def instruction_set():
    with open("/proc/cpuinfo") as f:
        flags = f.read()
    return next((isa for isa, flag in (("avx512", "avx512vl"), ("avx2", "avx2")) if flag in flags), "baseline")


class Bundles:
    """Compiles models and builds their programs; all but the first take over its objects of the runtime, which are
    the same for each network."""

    def __init__(self):
        self.first = None

    def build(self, folder, model, *options):
        subprocess.run(["build/voxc", "compile", model, "--model-name", "net", *options, "-o", folder], check=True,
                       stdout=subprocess.DEVNULL)
        if self.first:  # copies are newer than the sources that they stand for
            shutil.copytree(f"{self.first}/build/runtime", f"{folder}/build/runtime", copy_function=shutil.copyfile)
        subprocess.run(["make", "-s", "-j2", "-C", folder, f"ISAS={instruction_set()}", "CFLAGS=-O2"], check=True)
        self.first = self.first or folder


def segment(folder, files, out, *options):
    """Labels x y z of the files, and seconds."""
    start = time.perf_counter()
    subprocess.run([f"{folder}/net", "segment", *files, "-o", out, "-q", "-t", "2", *options], check=True)
    return np.asarray(nibabel.load(out).dataobj), time.perf_counter() - start


def agreement(name, ours, theirs, seconds):
    """Prints a line; whether the labels are the peer's."""
    n = int((ours != theirs).sum()) if ours.shape == theirs.shape else theirs.size
    share = 1 - n / theirs.size
    parts = " ".join(f"{p:.0%}" for p in np.bincount(theirs.ravel().astype(int)) / theirs.size)
    good = share >= AT_LEAST
    print(f"{name}: {share:.5%} equal, {n} of {theirs.size} voxels differ; labels {parts}; "
          f"{seconds[0]:.1f} s, peer {seconds[1]:.1f} s{'' if good else ': FAILED'}", flush=True)
    return good
