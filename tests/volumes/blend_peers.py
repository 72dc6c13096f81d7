"""Tiles' places, windows and blending of runtime/volume beside nnU-Net and MONAI: run by blend_peers.sh."""
import ctypes
import random
import sys
from ctypes import POINTER, c_double, c_float, c_int, c_void_p

import numpy as np
import torch
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers import sliding_window_inference
from monai.inferers.utils import _get_scan_interval
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window

EVENLY, LAST_INWARDS = 0, 1
CONSTANT, GAUSSIAN, CENTRED = 0, 1, 2
NETWORK = ctypes.CFUNCTYPE(None, POINTER(c_float), POINTER(c_float))


class Case(ctypes.Structure):
    _fields_ = [('channels', c_int), ('classes', c_int), ('tile', c_int * 3), ('dim', c_int * 3),
                ('overlap', c_double), ('placement', c_int), ('window', c_int), ('half', c_int),
                ('mirror_axes', c_int), ('volume', c_void_p), ('labels', c_void_p), ('network', NETWORK)]


def check(name, ok, text):
    if not ok:
        sys.exit(f'{name}: {text}')


def window(library, kind, half, tile):
    along, weight = np.zeros(sum(tile)), np.zeros(tile, np.float32)
    library.vox_window_fill(kind, half, (c_int * 3)(*tile), along.ctypes.data_as(c_void_p),
                            weight.ctypes.data_as(c_void_p))
    return weight


def windows(library, draw, n):
    """The largest difference, relative to the peer's weight; in float16 how many differ at all."""
    worst, differ, of = {'nnU-Net': 0.0, 'MONAI': 0.0}, 0, 0
    for _ in range(n):
        tile = [draw.randint(1, 64) for _ in range(3)]
        peer = compute_gaussian(tuple(tile), sigma_scale=1 / 8, value_scaling_factor=10, dtype=torch.float32,
                                device=torch.device('cpu')).numpy()
        worst['nnU-Net'] = max(worst['nnU-Net'], np.max(np.abs(window(library, GAUSSIAN, 0, tile) - peer) / peer))
        peer = compute_gaussian(tuple(tile), sigma_scale=1 / 8, value_scaling_factor=10, dtype=torch.float16,
                                device=torch.device('cpu')).numpy().astype(np.float32)
        ours = window(library, GAUSSIAN, 1, tile)
        differ, of = differ + np.count_nonzero(ours != peer), of + ours.size
        peer = compute_importance_map(tuple(tile), mode='gaussian', sigma_scale=0.125).numpy()
        worst['MONAI'] = max(worst['MONAI'], np.max(np.abs(window(library, CENTRED, 0, tile) - peer) / peer))
    for name, figure in worst.items():
        check('windows', figure < 2e-6, f'{name} differs by {figure:.2g}')
    check('windows', differ <= 1e-5 * of, f'{differ} of {of} float16 weights are not nnU-Net\'s')
    print(f'windows of {n} tiles: within {worst["nnU-Net"]:.1e} of nnU-Net\'s, {worst["MONAI"]:.1e} of MONAI\'s; '
          f'{differ} of {of} differ in float16')


def places(library, draw, n):
    room = (c_int * 4096)()
    for _ in range(n):
        tile, overlap = draw.randint(1, 200), draw.choice([0.5, 0.25, 0.75, 0.1, 0.625, 0.9])
        volume = tile + draw.randint(0, 600)
        count = library.shim_places(EVENLY, c_double(overlap), volume, tile, room, 4096)
        peer = compute_steps_for_sliding_window((volume,), (tile,), 1 - overlap)[0]
        check('places', list(room[:count]) == peer, f'{volume} by {tile}, {overlap}: nnU-Net has {peer}')
        count = library.shim_places(LAST_INWARDS, c_double(overlap), volume, tile, room, 4096)
        interval = _get_scan_interval((volume,), (tile,), 1, (overlap,))
        peer = [s[0].start for s in dense_patch_slices((volume,), (tile,), interval)]
        check('places', list(room[:count]) == peer, f'{volume} by {tile}, {overlap}: MONAI has {peer}')
    print(f'places of {n} axes are nnU-Net\'s and MONAI\'s')


def segment(library, network, volume, classes, tile, **how):
    labels = np.zeros(volume.shape[1:], np.uint8)

    def run(x, y):
        image = np.ctypeslib.as_array(x, (1, volume.shape[0], *tile))
        np.ctypeslib.as_array(y, (1, classes, *tile))[:] = network(torch.from_numpy(image.copy())).numpy()

    case = Case(channels=volume.shape[0], classes=classes, tile=(c_int * 3)(*tile), dim=(c_int * 3)(*labels.shape),
                volume=volume.ctypes.data, labels=labels.ctypes.data, network=NETWORK(run), **how)
    status = library.shim_segment(ctypes.byref(case))
    check('sliding window', status == 0, f'status {status}')
    return labels


def sliding(library, draw, n):
    equal = of = 0
    for i in range(n):
        torch.manual_seed(draw.randint(0, 1 << 30))
        channels, classes = draw.randint(1, 2), draw.randint(2, 6)
        tile = [draw.choice([8, 12, 16, 24]) for _ in range(3)]
        dim = [draw.randint(5, 50) for _ in range(3)]
        network = torch.nn.Sequential(torch.nn.Conv3d(channels, 8, 3, padding=1), torch.nn.ReLU(),
                                      torch.nn.Conv3d(8, classes, 3, padding=1))
        volume, overlap = torch.randn(1, channels, *dim), draw.choice([0.5, 0.25, 0.75])
        mode, kind = [('constant', CONSTANT), ('gaussian', CENTRED)][i % 2]
        with torch.no_grad():
            peer = sliding_window_inference(volume, tile, 1, network, overlap=overlap, mode=mode, sigma_scale=0.125)
            ours = segment(library, network, np.ascontiguousarray(volume[0].numpy()), classes, tile, overlap=overlap,
                           placement=LAST_INWARDS, window=kind, half=0, mirror_axes=0)
        equal, of = equal + np.count_nonzero(peer[0].argmax(0).numpy() == ours), of + ours.size
    check('sliding window', equal >= 0.99999 * of, f'{equal} of {of} labels are MONAI\'s')
    print(f'labels of {n} volumes: {equal} of {of} are MONAI\'s sliding_window_inference\'s')


def main():
    library = ctypes.CDLL(sys.argv[1])
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    torch.set_num_threads(1)
    places(library, draw, n)
    windows(library, draw, n)
    sliding(library, draw, max(4, n // 10))


main()
