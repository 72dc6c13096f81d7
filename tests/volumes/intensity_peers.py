"""Random volumes through runtime/volume's loading, masks and intensities, against NumPy and SciPy, and against
nnU-Net's and MONAI's own functions where they are installed: intensity_peers.py LIBRARY [--time]
"""
import itertools
import sys
import time
from ctypes import byref, c_double
from importlib.metadata import version

import numpy as np
import scipy
from scipy import ndimage

from volume_library import TYPES, Library, doubles, volume_of

CASES = 60


def values_of(random, shape, kind):
    """float32: noise, whole numbers with many equal ones, wide ranges, a head-like blob in zeros"""
    if kind == 0:
        return random.normal(100, 30, shape).astype(np.float32)
    if kind == 1:
        return random.integers(-3, 4, shape).astype(np.float32)
    if kind == 2:
        return (random.normal(0, 1, shape) * 10.0 ** random.integers(-20, 20, shape)).astype(np.float32)
    x = ndimage.gaussian_filter(random.normal(0, 1, shape), 2)
    return np.where(x > np.median(x), 1000 * x + 300, 0).astype(np.float32)


def shape_of(random, most=40):
    return tuple(int(n) for n in random.integers(1, most, 3))


def close(a, b, what, tolerance):
    """Within so many times the distance between float32 numbers at the largest value."""
    assert a.shape == b.shape, (what, a.shape, b.shape)
    worst, scale = np.max(np.abs(a.astype(np.float64) - b)), max(np.max(np.abs(b)), 1e-30)
    assert worst <= tolerance * scale * 2.0 ** -24, f'{what}: off by {worst} of {scale}'


# ---- loading --------------------------------------------------------------------------------------------------

def check_load(lib, random, i):
    kind = TYPES[i % len(TYPES)]
    channels, shape = int(random.integers(1, 4)), shape_of(random, 90)
    x = random.integers(0, 256, (channels, *shape, np.dtype(kind).itemsize), np.uint8).view(kind)[..., 0]
    x = np.transpose(x, (0, *(1 + random.permutation(3))))  # strides of any order and sign
    x = x[tuple(slice(None, None, int(s)) for s in random.choice([1, 1, -1, 2, -2], 4))]
    slope, intercept = (1.0, 0.0) if random.integers(2) else (float(random.normal()), float(random.normal()))
    source, reverse = random.permutation(3), random.integers(0, 2, 3).astype(bool)
    v = lib.view_axes(volume_of(x, slope, intercept), source, reverse)
    c = int(random.integers(x.shape[0]))
    with np.errstate(all='ignore'):
        exact = x[c].astype(np.float64) * slope + intercept
        # axis a of the view, counted x y z, is axis 2 - a of an array
        exact = np.transpose(exact, [2 - int(source[2 - k]) for k in range(3)])
        exact = exact[tuple(slice(None, None, -1 if reverse[2 - k] else 1) for k in range(3))]
        rounded = exact.astype(np.float32)
    out, lost = lib.load(v, c)
    bad = {'not_finite': ~np.isfinite(exact), 'too_large': np.isfinite(exact) & np.isinf(rounded),
           'too_small': (exact != 0) & (rounded == 0)}
    for name, where in bad.items():
        got = getattr(lost, name)
        assert got.count == where.sum(), (name, got.count, where.sum())
        if got.count:
            first = int(np.flatnonzero(where)[0])
            assert got.at == first and (got.value == exact.flat[first] or np.isnan(got.value)), (name, got.at, first)
        rounded[where] = 0
    assert np.array_equal(out, rounded), kind


# ---- masks ----------------------------------------------------------------------------------------------------

def check_mask(lib, random, i):
    shape = (int(random.integers(1, 4)), *shape_of(random, [12, 40, 150][i % 3]))
    x = (random.random(shape) < random.choice([0.02, 0.3, 0.5, 0.7])).astype(np.int16)
    if i % 4 == 3:  # shells around shells
        x = (np.abs(ndimage.gaussian_filter(random.normal(0, 1, shape), 2)) < 0.02).astype(np.int16)
    m, bits = lib.nonzero(volume_of(x))
    assert np.array_equal(lib.unpack(m, bits), (x != 0).any(0))
    lib.fill(m)
    filled = ndimage.binary_fill_holes((x != 0).any(0))
    assert np.array_equal(lib.unpack(m, bits), filled)
    places = np.nonzero(filled)
    box = [[int(p.min()), int(p.max()) + 1] for p in places] if filled.any() else [[0, n] for n in filled.shape]
    assert lib.box(m) == box


# ---- intensities ----------------------------------------------------------------------------------------------

def check_statistics(lib, random, i):
    x = values_of(random, shape_of(random), i % 4)
    wide, s = x.astype(np.float64), lib.measure(x)
    assert s.count == x.size and s.minimum == x.min() and s.maximum == x.max()
    assert abs(s.mean - wide.mean()) <= 1e-13 * np.abs(wide).max()
    assert abs(s.deviation - wide.std()) <= 1e-13 * wide.std() + 1e-15 * np.abs(wide).max()
    low, high = sorted(float(q) for q in random.choice([0, 0.5, 1, 25, 50, 99, 99.5, 100, *random.uniform(0, 100, 4)], 2))
    assert lib.percentiles(x, low, high) == list(np.percentile(wide, [low, high]))


def z(wide, counted, floor=0.0):
    return (wide - wide[counted].mean()) / max(wide[counted].std(), floor)


def check_steps(lib, random, i):
    x = values_of(random, tuple(n + 1 for n in shape_of(random)), i % 2 * 3)
    x[0, 0, 0] = 2000
    wide, every = x.astype(np.float64), np.ones(x.shape, bool)
    steps = [('z_score', [c_double(0)], z(wide, every)),
             ('z_score_above_mean', [c_double(1e-8)], z(wide, wide > wide.mean(), 1e-8)),
             ('z_score_nonzero', [c_double(1e-8), 0], z(wide, x != 0, 1e-8)),
             ('min_max', [c_double(0)], (wide - wide.min()) / (wide.max() - wide.min())),
             ('divide_by_maximum', [], wide / wide.max()),
             ('clip', [c_double(-0.1), c_double(70.3)], np.clip(wide, -0.1, 70.3)),
             ('scale', [c_double(0.37), c_double(-4)], wide * 0.37 - 4),
             ('ct', [doubles(-10.5, 90.1, 30.2, 11.7)], (np.clip(wide, -10.5, 90.1) - 30.2) / 11.7)]
    for name, arguments, expected in steps:
        got = x.copy()
        lib.step(name, got, *arguments)
        close(got, expected, name, 4)


def check_smooth(lib, random, i):
    x = values_of(random, shape_of(random, 50), i % 4 if i % 4 != 2 else 0)
    sigma = float(random.choice([0.3, 0.5, 1, 1.5, 3, 9]))
    expected, got = ndimage.gaussian_filter(x, sigma), x.copy()
    lib.smooth(got, sigma)
    close(got, expected, 'smooth', 1)
    return np.array_equal(got, expected)


def check_crop_or_pad(lib, random, i):
    x, new = values_of(random, shape_of(random), 0), shape_of(random)
    cropped = x[tuple(slice((o - n) // 2, (o - n) // 2 + n) if o > n else slice(None) for o, n in zip(x.shape, new))]
    width = [((n - o) // 2, (n - o) - (n - o) // 2) for o, n in zip(cropped.shape, new)]
    assert np.array_equal(lib.crop_or_pad(x, new), np.pad(cropped, width))


# ---- nnU-Net and MONAI ----------------------------------------------------------------------------------------

def check_nnunet(lib, random, i):
    from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero
    from nnunetv2.preprocessing.normalization import default_normalization_schemes as schemes
    x = values_of(random, (2, *(n + 8 for n in shape_of(random))), 3)
    x[:, random.random(x.shape[1:]) < 0.05] = 0
    data, seg, box = crop_to_nonzero(x.copy())
    m, bits = lib.nonzero(volume_of(x))
    lib.fill(m)
    assert lib.box(m) == box and np.array_equal(lib.unpack(m, bits)[tuple(slice(*b) for b in box)], seg[0] >= 0)
    begin = [b[0] for b in box[::-1]]
    properties = {'mean': 301.7, 'std': 99.13, 'percentile_00_5': -12.3, 'percentile_99_5': 1403.9}
    for masked in (False, True):
        got = data[0].copy()
        want = schemes.ZScoreNormalization(masked, properties).run(data[0].copy(), seg[0])
        if masked:
            lib.z_score_inside(got, m, begin, 1e-8)
        else:
            lib.step('z_score', got, c_double(1e-8))
        close(got, want, 'ZScoreNormalization', 64)  # which sums in float32
    got = data[0].copy()
    lib.step('ct', got, doubles(-12.3, 1403.9, 301.7, 99.13))
    assert np.array_equal(got, schemes.CTNormalization(False, properties).run(data[0].copy()))
    got = data[0].copy()
    lib.step('min_max', got, c_double(1e-8))
    assert np.array_equal(got, schemes.RescaleTo01Normalization(False, properties).run(data[0].copy()))
    rgb = random.integers(0, 256, data[0].shape).astype(np.float32)
    got = rgb.copy()
    lib.step('ct', got, doubles(-3e38, 3e38, 0, 255))
    assert np.array_equal(got, schemes.RGBTo01Normalization(False, properties).run(rgb.copy()))


def scale_range(lib, x, a, b, clip):
    factor, summand = c_double(), c_double()
    lib.c.vox_scale_range(doubles(*a), doubles(*b), byref(factor), byref(summand))
    lib.step('scale', x, factor, summand)
    if clip:
        lib.step('clip', x, c_double(b[0]), c_double(b[1]))
    return x


def check_monai(lib, random, i):
    import monai.transforms as mt
    x = values_of(random, (2, *(n + 3 for n in shape_of(random))), 3 * (i % 2))
    got = x[0].copy()
    lib.step('min_max', got, c_double(1e-8))
    lib.step('scale', got, c_double(3), c_double(-1))
    close(got, np.asarray(mt.ScaleIntensity(-1, 2)(x[0])), 'ScaleIntensity', 4)
    for clip in (False, True):
        want = np.asarray(mt.ScaleIntensityRange(10, 400, -1, 1, clip)(x[0]))
        close(scale_range(lib, x[0].copy(), (10, 400), (-1, 1), clip), want, 'ScaleIntensityRange', 16)
        want = np.asarray(mt.ScaleIntensityRangePercentiles(60, 99.5, 0, 1, clip)(x[0]))
        got = scale_range(lib, x[0].copy(), lib.percentiles(x[0], 60, 99.5), (0, 1), clip)
        close(got, want, 'ScaleIntensityRangePercentiles', 256)
    for nonzero, wise in itertools.product((False, True), repeat=2):
        want = np.asarray(mt.NormalizeIntensity(nonzero=nonzero, channel_wise=wise)(x.copy()))
        got = x.copy()
        for part in got if wise else [got]:
            if nonzero:
                lib.step('z_score_nonzero', part, c_double(1e-8), 1)
            else:
                lib.step('z_score', part, c_double(1e-8))
        close(got, want, 'NormalizeIntensity', 64)


# ---- time -----------------------------------------------------------------------------------------------------

def report_time(lib):
    """Each step beside its peer, in turns, on a volume of 512 x 512 x 300; the best of three each."""
    random = np.random.default_rng(1)
    small = ndimage.gaussian_filter(random.normal(0, 1, (75, 128, 128)), 4)
    x = ndimage.zoom(small, 4, order=1, grid_mode=True, mode='nearest').astype(np.float32) * 20000
    x += random.integers(-50, 50, x.shape)
    ball = sum((np.arange(n).reshape([-1 if k == a else 1 for k in range(3)]) * 2 / n - 1) ** 2
               for a, n in enumerate(x.shape))
    x[ball > 0.8] = 0
    whole = np.round(x).astype(np.int16)
    tall = np.ascontiguousarray(whole.T)  # x is the slowest axis
    m, bits = lib.nonzero(volume_of(x[None]))
    full, raw = bits.copy(), x != 0

    def refill():
        bits[:] = full
        lib.fill(m)


    def masked_z(y):
        y[raw] = (y[raw] - y[raw].mean()) / y[raw].std()
    pairs = [
        ('load int16', lambda y: lib.load(volume_of(whole[None])), lambda y: whole.astype(np.float32)),
        ('load int16, transposed', lambda y: lib.load(lib.view_axes(volume_of(tall[None]), (2, 1, 0), (0, 0, 0))),
         lambda y: tall.T.astype(np.float32, order='C')),
        ('load float32', lambda y: lib.load(volume_of(x[None])), lambda y: x.copy()),
        ('statistics', lib.measure, lambda y: (y.mean(), y.std(), y.min(), y.max())),
        ('clip', lambda y: lib.step('clip', y, c_double(-100), c_double(900)),
         lambda y: np.clip(y, -100, 900, out=y)),
        ('percentiles 0.5, 99.5', lambda y: lib.percentiles(y, 0.5, 99.5), lambda y: np.percentile(y, [0.5, 99.5])),
        ('z_score', lambda y: lib.step('z_score', y, c_double(0)), lambda y: (y - y.mean()) / y.std()),
        ('z_score_nonzero', lambda y: lib.step('z_score_nonzero', y, c_double(0), 0),
         lambda y: (y - y[y != 0].mean()) / y[y != 0].std()),
        ('z_score_inside', lambda y: lib.z_score_inside(y, m, (0, 0, 0), 0), masked_z),
        ('min_max', lambda y: lib.step('min_max', y, c_double(0)), lambda y: (y - y.min()) / (y.max() - y.min())),
        ('nonzero', lambda y: lib.nonzero(volume_of(y[None])), lambda y: y != 0),
        ('fill holes', lambda y: refill(), lambda y: ndimage.binary_fill_holes(raw)),
        ('smooth 1', lambda y: lib.smooth(y, 1.0), lambda y: ndimage.gaussian_filter(y, 1.0)),
        ('smooth 3', lambda y: lib.smooth(y, 3.0), lambda y: ndimage.gaussian_filter(y, 3.0)),
    ]
    print(f'{"best of 3, ms":26}    wall   CPU    peer\'s wall   CPU')
    for name, ours, peers in pairs:
        best = np.full((2, 2), np.inf)
        for _ in range(3):
            for k, run in enumerate((ours, peers)):
                y = x.copy()
                wall, cpu = time.perf_counter(), time.process_time()
                run(y)
                spent = time.perf_counter() - wall, time.process_time() - cpu
                best[k] = np.minimum(best[k], spent)
        ms = best * 1e3
        print(f'{name:26} {ms[0, 0]:7.0f} {ms[0, 1]:5.0f} {ms[1, 0]:11.0f} {ms[1, 1]:5.0f}'
              f'   {ms[1, 0] / ms[0, 0]:6.1f} x in wall', flush=True)


def main():
    lib = Library(sys.argv[1], 2)
    if '--time' in sys.argv:
        return report_time(lib)
    checks = [check_load, check_mask, check_statistics, check_steps, check_smooth, check_crop_or_pad]
    names = [f'NumPy {np.__version__}', f'SciPy {scipy.__version__}']
    for package, check in (('nnunetv2', check_nnunet), ('monai', check_monai)):
        try:
            __import__(package)
            checks.append(check)
            names.append(f'{package} {version(package)}')
        except ImportError:
            print(f'{package} is not there: not compared with it')
    for check in checks:
        results = []
        for i in range(CASES):
            try:
                results.append(check(lib, np.random.default_rng([i, len(check.__name__)]), i))
            except AssertionError:
                print(f'{check.__name__}: case {i} fails')
                raise
        same = f', {sum(results)} equal bit for bit' if check is check_smooth else ''
        print(f'{check.__name__[6:]}: {CASES} cases{same}')
    print('compared with ' + ', '.join(names))


main()
