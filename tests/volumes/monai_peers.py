"""Labels of a bundle compiled with --monai, beside MONAI running the same configuration on the same weights.

usage: monai_peers.py SCRATCH      Run by tests/volumes/monai_peers.sh.
"""
import json
import os
import sys
import time
import warnings

import nibabel
import numpy as np
import segment_peers as peers
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import BasicUNet

LABELS, ROI = 3, 48


def preprocessing(intensity):
    return [{"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [2.0, 2.0, 2.0], "mode": "bilinear"},
            intensity, {"_target_": "EnsureTyped", "keys": "image"}]


def postprocessing(folder):
    return [{"_target_": "Activationsd", "keys": "pred", "softmax": True},
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image",
             "nearest_interp": False, "to_tensor": True},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            {"_target_": "SaveImaged", "keys": "pred", "output_dir": f"{folder}/saved", "output_postfix": "seg",
             "separate_folder": False, "print_log": False}]


def config(folder, intensity, mode):
    return {"preprocessing": {"_target_": "Compose", "transforms": preprocessing(intensity)},
            "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [ROI] * 3, "sw_batch_size": 1,
                        "overlap": 0.5, "mode": mode},
            "postprocessing": {"_target_": "Compose", "transforms": postprocessing(folder)}}


def metadata():
    space = {"type": "image", "format": "magnitude", "num_channels": 1, "spatial_shape": [ROI] * 3, "dtype": "float32",
             "value_range": [0, 1], "is_patch_data": True, "channel_def": {"0": "image"}}
    names = {"0": "background", "1": "rim", "2": "core"}
    return {"version": "0.1.0", "name": "seeded", "network_data_format": {
        "inputs": {"image": space},
        "outputs": {"pred": {**space, "type": "image", "format": "segmentation", "num_channels": LABELS,
                             "value_range": [0, LABELS], "channel_def": names}}}}


@torch.no_grad()
def seeded_network(image):
    """The last layer is scaled such that scores have mean 0 and deviation 3 in the middle of the image."""
    torch.manual_seed(0)
    network = BasicUNet(3, 1, LABELS, features=(8, 8, 16, 16, 16, 8), act="LeakyReLU").eval()
    middle = tuple(slice((n - ROI) // 2, (n - ROI) // 2 + ROI) for n in image.shape[1:])
    scores = network(torch.as_tensor(np.asarray(image))[(slice(None), *middle)][None])[0].flatten(1)
    gain, last = 3 / scores.std(1), network.final_conv
    last.bias.data = (last.bias - scores.mean(1)) * gain
    last.weight.data *= gain[:, None, None, None, None]
    return network


def compare(name, intensity, mode, code, scratch, bundles):
    folder = f"{scratch}/{name.replace(' ', '_')}"
    os.makedirs(f"{folder}/bundle/configs")
    head = f"{folder}/head.nii.gz"
    peers.write(head, peers.head((80, 96, 70)), (1.5, 1.25, 1.5), code)
    for part, content in (("inference", config(folder, intensity, mode)), ("metadata", metadata())):
        with open(f"{folder}/bundle/configs/{part}.json", "w") as f:
            json.dump(content, f)
    parser = ConfigParser(config(folder, intensity, mode))
    prepare, inferer, finish = (parser.get_parsed_content(k) for k in ("preprocessing", "inferer", "postprocessing"))
    network = seeded_network(prepare({"image": head})["image"])
    torch.onnx.export(network, torch.zeros(1, 1, ROI, ROI, ROI), f"{folder}/net.onnx", opset_version=17, dynamo=False,
                      input_names=["image"], output_names=["pred"])
    bundles.build(f"{folder}/c", f"{folder}/net.onnx", "--monai", f"{folder}/bundle")
    ours, seconds = peers.segment(f"{folder}/c", [head], f"{folder}/ours.nii.gz")
    start = time.perf_counter()
    data = prepare({"image": head})
    with torch.inference_mode():
        data["pred"] = inferer(data["image"][None], network)[0]
    finish(data)
    theirs = np.asarray(nibabel.load(f"{folder}/saved/head_seg.nii.gz").dataobj)
    return peers.agreement(name, ours, theirs, (seconds, time.perf_counter() - start))


def main():
    warnings.simplefilter("ignore")  # of the exporter and MONAI, about themselves
    torch.set_num_threads(2)
    scale = {"_target_": "ScaleIntensityd", "keys": "image"}
    z_score = {"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True}
    bundles = peers.Bundles()
    good = [compare("Gaussian window", scale, "gaussian", "RAS", sys.argv[1], bundles),
            compare("constant window, turned", z_score, "constant", "IPL", sys.argv[1], bundles)]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
