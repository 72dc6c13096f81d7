"""Whole volumes as the frameworks' users compute them, as worker.py runs them beside frameworks.py's single tiles: each
gets a network and sets up a function of no arguments. For the windows, x is a volume of any size."""
import os

import frameworks
import numpy


def tile_of(path):
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    return [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[2:]]


def begins(n, tile):
    """Steps of half a tile, the last tile moved inwards."""
    last = max(n - tile, 0)
    return [min(b, last) for b in range(0, last + tile // 2, tile // 2)] if last else [0]


def tiles_of(shape, tile):
    return [(d, h, w) for d in begins(shape[0], tile[0]) for h in begins(shape[1], tile[1])
            for w in begins(shape[2], tile[2])]


def gaussian(tile):
    """Of an eighth of the tile around its middle."""
    along = [numpy.exp(-0.5 * ((numpy.arange(n) - (n - 1) / 2) * 8 / n) ** 2) for n in tile]
    weight = along[0][:, None, None] * along[1][:, None] * along[2]
    return numpy.maximum(weight / weight.max(), 1e-3).astype(numpy.float32)


def openvino_window(path, x, threads):
    tile = tile_of(path)
    part = numpy.zeros((1, x.shape[1], *tile), numpy.float32)
    infer, version = frameworks.openvino(path, part, threads)
    classes, weight = infer().shape[1], gaussian(tile)

    def run():
        scores, weights = numpy.zeros((classes, *x.shape[2:]), numpy.float32), numpy.zeros(x.shape[2:], numpy.float32)
        for at in tiles_of(x.shape[2:], tile):
            where = tuple(slice(b, b + t) for b, t in zip(at, tile))
            part[0] = x[0][(slice(None), *where)]
            scores[(slice(None), *where)] += infer()[0] * weight
            weights[where] += weight
        scores /= weights
        return scores.argmax(0)

    return run, version


def monai_window(path, x, threads):
    import monai
    from monai.inferers import sliding_window_inference

    torch, network, volume = frameworks.torch_module(path, x, threads)
    tile = tile_of(path)

    def run():
        scores = sliding_window_inference(volume, tile, 1, network, overlap=0.5, mode="gaussian")
        return scores[0].argmax(0).numpy()

    return run, f"{monai.__version__}, torch {torch.__version__}"


def brain(path, x, threads):
    """Reads head.nii.gz beside the network, and writes its mask there."""
    import nibabel
    import onnxruntime
    import scipy
    from scipy import ndimage

    folder, tile = os.path.dirname(path), tile_of(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run():
        image = nibabel.as_closest_canonical(nibabel.load(f"{folder}/head.nii.gz"))
        volume = image.get_fdata(dtype=numpy.float32)
        small = ndimage.zoom(volume, [t / n for t, n in zip(tile, volume.shape)], order=1, mode="nearest")
        small /= small.max()
        scores = session.run(None, {name: small[None, None]})[0][0, 0]
        scores = ndimage.zoom(scores, [n / t for t, n in zip(tile, volume.shape)], order=1, mode="nearest")
        mask = (scores > 0.5).astype(numpy.uint8)
        nibabel.save(nibabel.Nifti1Image(mask, image.affine), f"{folder}/theirs.nii.gz")
        return mask

    return run, f"{onnxruntime.__version__}, nibabel {nibabel.__version__}, SciPy {scipy.__version__}"


WINDOWS = {"openvino-window": openvino_window, "monai-window": monai_window, "brain": brain}
