"""The library of runtime/volume for Python: structures of vox_volume.h and its neighbours, and arrays for them."""
import ctypes
from ctypes import POINTER, byref, c_bool, c_double, c_int, c_size_t, c_ssize_t, c_void_p

import numpy as np

TYPES = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.float32, np.float64]


class Volume(ctypes.Structure):
    _fields_ = [('data', c_void_p), ('type', c_int), ('channels', c_int), ('dim', c_int * 3),
                ('stride', c_ssize_t * 3), ('channel', c_ssize_t), ('slope', c_double), ('intercept', c_double),
                ('spacing', c_double * 3), ('direction', c_double * 9)]


class Executor(ctypes.Structure):
    _fields_ = [('parallel_for', c_void_p), ('pool', c_void_p), ('progress', c_void_p), ('cancelled', c_void_p),
                ('layer', c_void_p), ('user', c_void_p)]


class Mask(ctypes.Structure):
    _fields_ = [('dim', c_int * 3), ('row', c_size_t), ('bits', c_void_p)]


class Selection(ctypes.Structure):
    _fields_ = [('which', c_int), ('above', c_double), ('mask', POINTER(Mask)), ('dim', c_int * 3),
                ('begin', c_int * 3)]


class Statistics(ctypes.Structure):
    _fields_ = [('count', c_size_t), ('minimum', c_double), ('maximum', c_double), ('mean', c_double),
                ('deviation', c_double)]


class Lost(ctypes.Structure):
    _fields_ = [('count', c_size_t), ('at', c_size_t), ('value', c_double)]


class Losses(ctypes.Structure):
    _fields_ = [('not_finite', Lost), ('too_large', Lost), ('too_small', Lost)]


def pointer(array):
    return c_void_p(array.ctypes.data)


def ints(values):
    return (c_int * len(values))(*[int(v) for v in values])


def doubles(*values):
    return (c_double * len(values))(*values)


def dim_of(array):
    """x y z of an array [z][y][x]"""
    return ints(array.shape[::-1])


def volume_of(array, slope=1.0, intercept=0.0):
    """A view of an array [channel][k][j][i] of any strides."""
    v = Volume(data=array.ctypes.data, type=TYPES.index(array.dtype), channels=array.shape[0], channel=array.strides[0],
               slope=slope, intercept=intercept)
    v.dim[:] = array.shape[:0:-1]
    v.stride[:] = array.strides[:0:-1]
    return v


def aligned(n):
    """n bytes, aligned to 64; the array that owns them is the view's base"""
    raw = np.empty(n + 64, np.uint8)
    return raw[-raw.ctypes.data % 64:][:n]


class Library:
    def __init__(self, path, threads):
        self.c = ctypes.CDLL(path)
        self.c.vox_pool_create.restype = c_void_p
        for name in ('vox_mask_bytes', 'vox_mask_fill_bytes', 'vox_smooth_bytes'):
            getattr(self.c, name).restype = c_size_t
        self.c.vox_mask_in.restype = Mask
        self.c.vox_mask_box.restype = c_bool
        self.c.vox_measure.restype = Statistics
        self.c.vox_view_axes.restype = Volume
        for name in ('vox_clip', 'vox_ct', 'vox_scale'):
            getattr(self.c, name).restype = None
        self.pool = self.c.vox_pool_create(threads)
        self.e = Executor(parallel_for=ctypes.cast(self.c.vox_pool_parallel_for, c_void_p).value, pool=self.pool)

    def load(self, v, channel=0):
        out, lost = np.empty(v.dim[::-1], np.float32), Losses()
        self.c.vox_volume_load(byref(v), channel, pointer(out), byref(lost), byref(self.e))
        return out, lost

    def view_axes(self, v, source, reverse):
        return self.c.vox_view_axes(byref(v), ints(source), (c_bool * 3)(*reverse))

    def nonzero(self, v):
        """A mask and the array that holds its bits."""
        bits = aligned(self.c.vox_mask_bytes(v.dim))
        m = self.c.vox_mask_in(pointer(bits), v.dim)
        self.c.vox_mask_nonzero(byref(m), byref(v), byref(self.e))
        return m, bits

    def fill(self, m):
        scratch = aligned(self.c.vox_mask_fill_bytes(m.dim))
        self.c.vox_mask_fill_holes(byref(m), pointer(scratch))

    def unpack(self, m, bits):
        """bool [z][y][x]; the bits behind rows must be 0"""
        rows = np.unpackbits(bits, bitorder='little').reshape(m.dim[2], m.dim[1], m.row * 64)
        assert not rows[:, :, m.dim[0]:].any()
        return rows[:, :, :m.dim[0]].astype(bool)

    def box(self, m):
        """[[begin, end] of z, y, x]"""
        begin, end = ints([0] * 3), ints([0] * 3)
        self.c.vox_mask_box(byref(m), begin, end)
        return [[begin[a], end[a]] for a in (2, 1, 0)]

    def percentiles(self, x, low, high):
        value, scratch = doubles(0, 0), aligned(64 * 4 * 2048 * 4)
        self.c.vox_percentiles(pointer(x), c_size_t(x.size), doubles(low, high), value, pointer(scratch),
                               byref(self.e))
        return list(value)

    def measure(self, x, selection=None):
        return self.c.vox_measure(pointer(x), c_size_t(x.size), byref(selection or Selection()), byref(self.e))

    def smooth(self, x, sigma):
        scratch = aligned(self.c.vox_smooth_bytes(dim_of(x), c_double(sigma)))
        self.c.vox_smooth(pointer(x), dim_of(x), c_double(sigma), pointer(scratch), byref(self.e))

    def step(self, name, x, *arguments):
        """A step on all values of x: vox_NAME(x, n, arguments, e)."""
        status = getattr(self.c, 'vox_' + name)(pointer(x), c_size_t(x.size), *arguments, byref(self.e))
        assert not status, f'{name}: status {status}'

    def z_score_inside(self, x, mask, begin, floor):
        assert not self.c.vox_z_score_inside(pointer(x), dim_of(x), byref(mask), ints(begin), c_double(floor),
                                             byref(self.e))

    def crop_or_pad(self, x, shape):
        out = np.full(shape, np.nan, np.float32)
        self.c.vox_crop_or_pad(pointer(x), dim_of(x), pointer(out), dim_of(out), byref(self.e))
        return out
