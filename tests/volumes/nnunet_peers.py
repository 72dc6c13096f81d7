"""Labels of bundles compiled with --nnunet, beside nnU-Net v2's own predictor on the same weights and volumes.

usage: nnunet_peers.py SCRATCH [CASE...]      Run by tests/volumes/nnunet_peers.sh.

Networks are small and their weights seeded; the last layer is scaled such that each label gets its part of the volume.
"""
import contextlib
import json
import os
import sys
import time
import warnings
from dataclasses import dataclass, field

import nibabel
import numpy as np
import segment_peers as peers
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

FEATURES = [8, 16, 32]
PARTS = {"background": 0, "rim": 1, "core": 2, "centre": 3}


@dataclass
class Case:
    name: str
    files: list
    patch: tuple = (48, 48, 48)
    spacing: tuple = (2, 2, 2)  # of the patch's axes
    schemes: list = field(default_factory=lambda: ["ZScoreNormalization"])
    masked: bool = False
    mirror: tuple = ()
    folds: int = 1
    labels: dict = field(default_factory=lambda: PARTS)
    order: list = None  # regions_class_order
    reader: str = "SimpleITKIO"
    transpose: tuple = (0, 1, 2)


# ---- a model folder ---------------------------------------------------------------------------------------------


def architecture():
    levels = len(FEATURES)
    return {"network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
            "arch_kwargs": {"n_stages": levels, "features_per_stage": FEATURES,
                            "conv_op": "torch.nn.modules.conv.Conv3d", "kernel_sizes": [[3, 3, 3]] * levels,
                            "strides": [[1, 1, 1]] + [[2, 2, 2]] * (levels - 1), "n_conv_per_stage": [2] * levels,
                            "n_conv_per_stage_decoder": [1] * (levels - 1), "conv_bias": True,
                            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                            "norm_op_kwargs": {"eps": 1e-5, "affine": True}, "dropout_op": None,
                            "dropout_op_kwargs": None, "nonlin": "torch.nn.LeakyReLU",
                            "nonlin_kwargs": {"inplace": True}}}


def resampling(order, is_seg=False):
    return {"is_seg": is_seg, "order": order, "order_z": 0, "force_separate_z": None}


def plans_of(case):
    function, channels = "resample_data_or_seg_to_shape", len(case.schemes)
    properties = {"max": 3000.0, "mean": 60.0, "median": 50.0, "min": -1024.0, "percentile_00_5": -950.0,
                  "percentile_99_5": 900.0, "std": 350.0}
    full = {"data_identifier": "nnUNetPlans_3d_fullres", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2,
            "patch_size": case.patch, "median_image_size_in_voxels": [100, 100, 100], "spacing": case.spacing,
            "normalization_schemes": case.schemes, "use_mask_for_norm": [case.masked] * channels,
            "resampling_fn_data": function, "resampling_fn_data_kwargs": resampling(3), "resampling_fn_seg": function,
            "resampling_fn_seg_kwargs": resampling(1, True), "resampling_fn_probabilities": function,
            "resampling_fn_probabilities_kwargs": resampling(1), "architecture": architecture(), "batch_dice": True}
    return {"dataset_name": "Dataset001_seeded", "plans_name": "nnUNetPlans", "image_reader_writer": case.reader,
            "original_median_spacing_after_transp": case.spacing,
            "original_median_shape_after_transp": [100, 100, 100], "transpose_forward": case.transpose,
            "transpose_backward": [int(k) for k in np.argsort(case.transpose)],
            "foreground_intensity_properties_per_channel": {str(c): properties for c in range(channels)},
            "configurations": {"3d_fullres": full}, "experiment_planner_used": "ExperimentPlanner",
            "label_manager": "LabelManager"}


def dataset_of(case):
    dataset = {"channel_names": {str(c): f"channel {c}" for c in range(len(case.schemes))}, "labels": case.labels,
               "numTraining": 1, "file_ending": ".nii.gz"}
    return {**dataset, **({"regions_class_order": case.order} if case.order else {})}


def seeded_network(channels, heads, seed):
    about, g = architecture(), torch.Generator().manual_seed(seed)
    network = get_network_from_plans(about["network_class_name"], about["arch_kwargs"], about["_kw_requires_import"],
                                     channels, heads, allow_init=True, deep_supervision=False)
    for name, p in network.named_parameters():
        if p.dim() == 5:
            p.data = torch.randn(p.shape, generator=g) * (2 / p[0].numel()) ** 0.5
        else:
            p.data = float(name.endswith("weight")) + 0.3 * torch.randn(p.shape, generator=g)
    return network.eval()


@torch.inference_mode()
def balance(network, patches):
    """Scales the last layer: scores have mean 0 and deviation 3 over the patches."""
    scores = torch.cat([network(p[None]).flatten(2) for p in patches], 2)[0]
    gain, last = 3 / scores.std(1), network.decoder.seg_layers[-1]
    last.bias.data = (last.bias - scores.mean(1)) * gain
    last.weight.data *= gain[:, None, None, None, None]


def prepared_patches(case, plans, dataset):
    """Three of the prepared volume: they overlap where it is not large enough for three."""
    manager = PlansManager(plans)
    preprocessor = DefaultPreprocessor(verbose=False)
    volume = preprocessor.run_case(case.files, None, manager, manager.get_configuration("3d_fullres"), dataset)[0]
    short = [max(p - n, 0) for p, n in zip(case.patch, volume.shape[1:])]
    volume = np.pad(volume, [(0, 0)] + [(0, s) for s in short])
    begins = [[int((n - p) * t) for p, n in zip(case.patch, volume.shape[1:])] for t in (0.3, 0.5, 0.7)]
    return [torch.from_numpy(np.ascontiguousarray(
        volume[(slice(None), *[slice(b, b + p) for b, p in zip(at, case.patch)])])) for at in begins]


def write_model(case, folder):
    """nnU-Net's folder, and net0.onnx, ... beside it."""
    plans, dataset = plans_of(case), dataset_of(case)
    os.makedirs(f"{folder}/model")
    for name, content in (("plans", plans), ("dataset", dataset)):
        with open(f"{folder}/model/{name}.json", "w") as f:
            json.dump(content, f)
    heads = len(case.order) if case.order else len(case.labels)
    patches = prepared_patches(case, plans, dataset)
    for fold in range(case.folds):
        network = seeded_network(len(case.schemes), heads, fold)
        balance(network, patches)
        os.makedirs(f"{folder}/model/fold_{fold}")
        torch.save({"network_weights": network.state_dict(), "trainer_name": "nnUNetTrainer",
                    "init_args": {"configuration": "3d_fullres"},
                    "inference_allowed_mirroring_axes": case.mirror or None},
                   f"{folder}/model/fold_{fold}/checkpoint_final.pth")
        torch.onnx.export(network, patches[0][None], f"{folder}/net{fold}.onnx", opset_version=17, dynamo=False,
                          input_names=["image"], output_names=["scores"])


# ---- both sides -------------------------------------------------------------------------------------------------


def predict(case, folder):
    """nnU-Net's labels x y z, and seconds for reading, predicting and writing."""
    with contextlib.redirect_stdout(None):  # it says that there is no GPU
        predictor = nnUNetPredictor(use_mirroring=bool(case.mirror), device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(f"{folder}/model", use_folds=tuple(range(case.folds)))
    start = time.perf_counter()
    reader = predictor.plans_manager.image_reader_writer_class()
    image, properties = reader.read_images(case.files)
    labels = predictor.predict_single_npy_array(image, properties, None, None, False)
    reader.write_seg(labels, f"{folder}/theirs.nii.gz", properties)
    return np.asarray(nibabel.load(f"{folder}/theirs.nii.gz").dataobj), time.perf_counter() - start


def compare(case, scratch, bundles):
    folder = f"{scratch}/{case.name.replace(' ', '_')}"
    write_model(case, folder)
    more = [f"{folder}/net{k}.onnx" for k in range(1, case.folds)]
    bundles.build(f"{folder}/bundle", f"{folder}/net0.onnx", "--nnunet", f"{folder}/model", "--mirror-axes",
                  ",".join(map(str, case.mirror)) or "none", *[word for file in more for word in ("--fold", file)])
    folds = ",".join(f"{folder}/bundle/net.fold{k}.weights" for k in range(1, case.folds))
    ours, seconds = peers.segment(f"{folder}/bundle", case.files, f"{folder}/ours.nii.gz",
                                  *(["--folds", folds] if folds else []))
    theirs, their_seconds = predict(case, folder)
    return peers.agreement(case.name, ours, theirs, (seconds, their_seconds))


def cases(scratch):
    """Written volumes are kept small: nnU-Net's resampling takes most of the time."""
    brain = peers.given("brain/ch2.nii.gz", f"{scratch}/brain.nii.gz", lambda: peers.head((181, 217, 181)), (1, 1, 1))
    ct = peers.given("totalseg/example_ct_sm.nii.gz", f"{scratch}/ct.nii.gz",
                     lambda: peers.head((122, 101, 30)) - 300, (3, 3, 3))
    thick, small, second, turned = (f"{scratch}/{name}.nii.gz" for name in ("thick", "small", "second", "turned"))
    peers.write(thick, peers.head((110, 120, 26)), (1, 1, 5))
    peers.write(small, peers.head((80, 96, 70), 1), (1.5, 1.25, 1.5))
    peers.write(second, peers.head((80, 96, 70), 2) * 3 + 10, (1.5, 1.25, 1.5))
    peers.write(turned, peers.head((70, 80, 96), 1), (1.5, 1.5, 1.25), "IPL")
    regions = {"background": 0, "whole": [1, 2, 3], "inner": [2, 3], "centre": 3}
    return [
        Case("isotropic z-score", [brain]),
        Case("CT, anisotropic, mirrored", [ct], (32, 48, 48), (4.5, 2.5, 2.5), ["CTNormalization"], mirror=(0, 1, 2)),
        Case("separate z", [thick], (16, 48, 48), (4, 1.5, 1.5)),
        Case("separate z to isotropic", [thick], spacing=(2.5, 2, 2), mirror=(1,)),
        Case("two folds", [small], folds=2),
        Case("regions", [small], labels=regions, order=[1, 2, 3]),
        Case("two channels", [small, second], schemes=["ZScoreNormalization", "RescaleTo01Normalization"]),
        Case("masked", [small], masked=True),
        Case("reoriented", [turned], (32, 40, 48), (2, 1.75, 1.5), reader="NibabelIOWithReorient", mirror=(0, 2)),
        Case("Nibabel", [turned], (32, 40, 48), (2, 1.75, 1.5), reader="NibabelIO"),
        Case("transposed", [small], (32, 40, 48), (2, 1.75, 1.5), transpose=(1, 2, 0), mirror=(0,)),
    ]


def main():
    scratch, words = sys.argv[1], sys.argv[2:]
    warnings.simplefilter("ignore")  # of the exporter and nnU-Net, about themselves
    torch.set_num_threads(2)
    chosen = [c for c in cases(scratch) if not words or any(w in c.name for w in words)]
    bundles, good = peers.Bundles(), True
    for case in chosen:
        good = compare(case, scratch, bundles) and good
    sys.exit(not good or not chosen)


if __name__ == "__main__":
    main()
