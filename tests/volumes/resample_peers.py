"""Compares runtime/volume's resampling with scipy, scikit-image, SimpleITK, MONAI and nnU-Net, on random volumes, and
times it beside scipy: resample_peers.py LIBRARY [CASES [SEED]] or LIBRARY time [THREADS]. See resample_peers.sh."""

import ctypes as C
import importlib.util
import sys
import time

import numpy as np
from scipy import ndimage

NEAREST, LINEAR, CUBIC = 0, 1, 2
CORNERS, EDGES, SPACING, FIRST = 0, 1, 2, 3
SCIPY_ORDER = {NEAREST: 0, LINEAR: 1, CUBIC: 3}
TOLERANCE = 1e-6  # of the largest absolute value


class Resampling(C.Structure):
    _fields_ = [("order", C.c_int), ("across", C.c_int), ("align", C.c_int), ("anisotropy", C.c_double),
                ("antialias", C.c_int)]


class Resample(C.Structure):
    _fields_ = [("from_", C.c_int * 3), ("to", C.c_int * 3), ("scale", C.c_double * 3), ("shift", C.c_double * 3),
                ("order", C.c_int * 3), ("sigma", C.c_double * 3), ("last", C.c_int), ("limit", C.c_int)]


class Executor(C.Structure):
    _fields_ = [("parallel_for", C.c_void_p), ("pool", C.c_void_p), ("progress", C.c_void_p),
                ("cancelled", C.c_void_p), ("layer", C.c_void_p), ("user", C.c_void_p)]


class Library:
    def __init__(self, path, threads=1):
        self.c = C.CDLL(path)
        self.c.vox_pool_create.restype = C.c_void_p
        self.c.vox_resample_bytes.restype = C.c_size_t
        self.c.vox_grid_voxels.restype = C.c_double
        pool = self.c.vox_pool_create(threads)
        parallel = C.cast(self.c.vox_pool_parallel_for, C.c_void_p)
        self.executor = Executor(parallel, pool, None, None, None, None)

    def voxels(self, align, n, old, new):
        return int(self.c.vox_grid_voxels(align, n, C.c_double(old), C.c_double(new)))

    def plan(self, how, shape, old, to, new):
        """Shapes and spacings are z y x, as numpy's."""
        r = Resample()
        ints, doubles = C.c_int * 3, C.c_double * 3
        self.c.vox_resample_of(C.byref(r), C.byref(how), ints(*shape[::-1]), doubles(*old[::-1]), ints(*to[::-1]),
                               doubles(*new[::-1]))
        return r

    def run(self, r, volume, out=None):
        n = self.c.vox_resample_bytes(C.byref(r))
        room = np.empty(n + 64, np.uint8)
        at = room.ctypes.data + -room.ctypes.data % 64
        out = np.empty(tuple(r.to)[::-1], np.float32) if out is None else out
        self.c.vox_resample_volume(C.byref(r), C.c_void_p(volume.ctypes.data), C.c_void_p(out.ctypes.data),
                                   C.c_void_p(at), C.byref(self.executor))
        return out

    def __call__(self, volume, to, how, old=(1, 1, 1), new=(1, 1, 1)):
        return self.run(self.plan(how, volume.shape, old, to, new), volume)


# ---- peers: volume, shape, order, spacings -> volume ----------------------------------------------------------


def at_coordinates(volume, axes, order):
    grid = np.meshgrid(*axes, indexing="ij")
    return ndimage.map_coordinates(volume.astype(float), grid, order=SCIPY_ORDER[order], mode="nearest")


def scipy_zoom(volume, to, order, old, new):
    factor = [m / n for m, n in zip(to, volume.shape)]
    return ndimage.zoom(volume.astype(float), factor, order=SCIPY_ORDER[order], mode="nearest")


def scipy_coordinates(volume, to, order, old, new):
    axes = [(np.arange(m) - (m - 1) / 2) * (t / s) + (n - 1) / 2 for n, m, s, t in zip(volume.shape, to, old, new)]
    return at_coordinates(volume, axes, order)


def skimage_resize(volume, to, order, old, new, anti_aliasing=False):
    from skimage.transform import resize
    return resize(volume.astype(float), to, order=SCIPY_ORDER[order], mode="edge", anti_aliasing=anti_aliasing)


def skimage_smooth_resize(volume, to, order, old, new):
    return skimage_resize(volume, to, order, old, new, anti_aliasing=True)


def simpleitk(volume, to, order, old, new):
    import SimpleITK as sitk
    image = sitk.GetImageFromArray(volume.astype(float))
    image.SetSpacing([float(s) for s in old[::-1]])
    method = {NEAREST: sitk.sitkNearestNeighbor, LINEAR: sitk.sitkLinear}[order]
    out = sitk.Resample(image, [int(n) for n in to[::-1]], sitk.Transform(), method, image.GetOrigin(),
                        [float(t) for t in new[::-1]], image.GetDirection(), 0.0, sitk.sitkFloat64)
    return sitk.GetArrayFromImage(out)


def monai_spacing(volume, to, order, old, new):
    import torch
    from monai.data import MetaTensor
    from monai.transforms import Spacing
    image = MetaTensor(torch.from_numpy(volume.astype(float))[None], affine=np.diag([*old, 1.0]))
    mode = {NEAREST: 0, LINEAR: "bilinear", CUBIC: 3}[order]
    padding = "border" if order == LINEAR else "nearest"
    out = Spacing(pixdim=new, mode=mode, padding_mode=padding, dtype=np.float64)(image)
    return np.asarray(out[0])


def nnunet(volume, to, how, old, new):
    from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
    out = resample_data_or_seg_to_shape(volume[None].astype(float), np.array(to), old, new, is_seg=False,
                                        order=SCIPY_ORDER[how.order], order_z=SCIPY_ORDER[how.across],
                                        force_separate_z=None, separate_z_anisotropy_threshold=how.anisotropy)
    return out[0]


# ---- cases ----------------------------------------------------------------------------------------------------


def random_volume(rng):
    shape = [int(n) for n in rng.integers(1, rng.choice([3, 9, 40]) + 1, 3)]
    volume = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4) + rng.choice([0, 0, 100])
    return np.ascontiguousarray(volume, np.float32)


def inside_of(to, shape, old, new):
    """Positions that SimpleITK takes to be inside: up to half a voxel behind the last one."""
    axes = [np.arange(m) * (t / s) <= n - 0.5 - 1e-6 for m, n, s, t in zip(to, shape, old, new)]
    return np.logical_and.reduce(np.meshgrid(*axes, indexing="ij"))


def far_from_ties(plan):
    """Positions whose nearest voxel does not hang on rounding, or on which way a half goes."""
    at = [np.arange(plan.to[k]) * plan.scale[k] + plan.shift[k] for k in (2, 1, 0)]
    return np.logical_and.reduce(np.meshgrid(*[np.abs(i - np.floor(i) - 0.5) > 1e-6 for i in at], indexing="ij"))


class Judge:
    def __init__(self, library):
        self.library, self.count, self.worst = library, {}, {}

    def check(self, name, volume, to, how, old, new, theirs, where=None):
        ours = self.library(volume, to, how, old, new)
        if ours.shape != theirs.shape:
            raise SystemExit(f"{name}: {volume.shape}, {old} to {new}: {ours.shape}, the peer's {theirs.shape}")
        error = np.abs(ours - theirs)[... if where is None else where].max(initial=0) / np.abs(volume).max()
        exact = how.order == how.across == NEAREST and not how.antialias
        if not error <= (0 if exact else TOLERANCE):
            raise SystemExit(f"{name}: {volume.shape} to {tuple(to)}, order {how.order} across {how.across}, "
                             f"spacing {old} to {new}: off by {error:.3g} of the largest value")
        self.count[name] = self.count.get(name, 0) + 1
        self.worst[name] = max(self.worst.get(name, 0), error)


def one_case(judge, rng, peers):
    volume, order = random_volume(rng), int(rng.integers(0, 3))
    to = [int(n) for n in rng.integers(1, rng.choice([3, 9, 48]) + 1, 3)]
    old, new = ([float(s) for s in rng.choice([0.5, 0.7, 1, 1.25, 3, 5, 8], 3)] for _ in range(2))
    for name, align, antialias, peer in peers:
        how = Resampling(order, order, align, 0, antialias)
        size = to
        if align in (SPACING, FIRST):
            size = [judge.library.voxels(align, n, s, t) for n, s, t in zip(volume.shape, old, new)]
        where = None
        if name == "SimpleITK":
            if order == CUBIC:
                continue  # its spline mirrors at the ends
            where = inside_of(size, volume.shape, old, new)
        if align in (SPACING, FIRST) and order == NEAREST:
            clear = far_from_ties(judge.library.plan(how, volume.shape, old, size, new))
            where = clear if where is None else where & clear
        judge.check(name, volume, size, how, old, new, peer(volume, size, order, old, new), where)


def nnunet_case(judge, rng):
    volume, order, across = random_volume(rng), int(rng.integers(0, 3)), int(rng.integers(0, 3))
    old, new = ([float(s) for s in rng.choice([0.5, 0.7, 1, 1.25, 3, 5, 8], 3)] for _ in range(2))
    how = Resampling(order, across, EDGES, 3.0, 0)
    to = [judge.library.voxels(EDGES, n, s, t) for n, s, t in zip(volume.shape, old, new)]
    from nnunetv2.preprocessing.resampling.default_resampling import compute_new_shape
    if [max(int(n), 1) for n in compute_new_shape(volume.shape, old, new)] != to:
        raise SystemExit(f"nnU-Net's shape of {volume.shape}, {old} to {new}, is not {to}")
    judge.check("nnU-Net", volume, to, how, old, new, nnunet(volume, to, how, old, new))


def compare_all(library, cases, seed):
    rng, judge = np.random.default_rng(seed), Judge(library)
    rows = [("scipy", "scipy zoom", CORNERS, 0, scipy_zoom),
            ("scipy", "scipy map_coordinates", SPACING, 0, scipy_coordinates),
            ("skimage", "scikit-image", EDGES, 0, skimage_resize),
            ("skimage", "scikit-image, anti-aliased", EDGES, 1, skimage_smooth_resize),
            ("SimpleITK", "SimpleITK", FIRST, 0, simpleitk), ("monai", "MONAI", FIRST, 0, monai_spacing)]
    there = {m for m in ("scipy", "skimage", "SimpleITK", "monai", "nnunetv2") if importlib.util.find_spec(m)}
    peers = [row[1:] for row in rows if row[0] in there]
    for _ in range(cases):
        one_case(judge, rng, peers)
        if "nnunetv2" in there:
            nnunet_case(judge, rng)
    for name, count in judge.count.items():
        print(f"{name}: {count} cases, worst {judge.worst[name]:.2g} of the largest value")
    missing = {"skimage", "SimpleITK", "monai", "nnunetv2"} - there
    if missing:
        print(f"not installed, so not compared with: {', '.join(sorted(missing))}")


def timed(times, call):
    """Appends wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    times.append((time.perf_counter() - wall, time.process_time() - cpu))


def time_all(library, threads):
    volume = np.random.default_rng(1).standard_normal((181, 217, 181)).astype(np.float32)
    to = (256, 256, 256)
    out, peer = np.zeros(to, np.float32), np.zeros(to, np.float32)
    factor = [m / n for m, n in zip(to, volume.shape)]
    for name, order in (("linear", LINEAR), ("cubic", CUBIC)):
        plan = library.plan(Resampling(order, order, CORNERS, 0, 0), volume.shape, (1, 1, 1), to, (1, 1, 1))
        ours, theirs = [], []
        for i in range(7):
            timed(ours, lambda: library.run(plan, volume, out))
            if i % 3 == 0:
                timed(theirs, lambda: ndimage.zoom(volume, factor, peer, SCIPY_ORDER[order]))
        (wall, cpu), (scipy_wall, scipy_cpu) = (np.array(t).min(0) * 1e3 for t in (ours, theirs))
        print(f"{name}: {wall:.0f} ms with {threads} threads ({cpu:.0f} ms of processors), scipy {scipy_wall:.0f} ms "
              f"({scipy_cpu:.0f} ms): {scipy_wall / wall:.1f} times as fast ({scipy_cpu / cpu:.1f} a processor)")


if __name__ == "__main__":
    if sys.argv[2:3] == ["time"]:
        threads = int(sys.argv[3]) if len(sys.argv) > 3 else 2
        time_all(Library(sys.argv[1], threads), threads)
    else:
        numbers = [int(a) for a in sys.argv[2:]]
        compare_all(Library(sys.argv[1], 2), *(numbers + [300, 1][len(numbers):]))
