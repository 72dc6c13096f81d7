"""formats_peers.py TOOL: image files that nibabel, SimpleITK, h5py, tifffile, pynrrd, numpy and pydicom write are read by
TOOL (build/tests/image_tool), and those that it writes are read by them: values and grids must be equal. What is not
installed is named and skipped."""
import importlib
import itertools
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TOOL = sys.argv[1]
DIR = tempfile.mkdtemp(prefix="formats-peers-")
failures = 0
checks = 0


def load(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"skipped: {name} is not installed")
        return None


nib, sitk, h5py, tifffile, nrrd, pydicom = map(load, ["nibabel", "SimpleITK", "h5py", "tifffile", "nrrd", "pydicom"])


def path(name):
    return os.path.join(DIR, name)


def check(what, ok):
    global failures, checks
    checks += 1
    if not ok:
        failures += 1
        print(f"FAILED: {what}")


def read(file):
    """(grid, values as [c][z][y][x]) of what TOOL reads."""
    values = path("values.bin")
    run = subprocess.run([TOOL, "read", file, values], capture_output=True, text=True)
    if run.returncode:
        print(run.stderr.strip())
        return None, None
    grid = json.loads(run.stdout)
    x, y, z = grid["dim"]
    return grid, np.fromfile(values).reshape(grid["channels"], z, y, x)


def write(source, target, kind):
    run = subprocess.run([TOOL, "write", source, target, kind], capture_output=True, text=True)
    if run.returncode or run.stderr:
        print(run.stderr.strip())
    return run.returncode == 0


def expect(file, values, spacing=None, affine=None, type=None, what=None):
    what = what or os.path.basename(file)
    grid, got = read(file)
    if grid is None:
        return check(what, False)
    check(f"{what}: values", got.shape == values.shape and np.array_equal(got, values.astype(float)))
    if type:
        check(f"{what}: type {grid['type']}", grid["type"] == type)
    if spacing is not None:
        check(f"{what}: spacing {grid['spacing']}", np.allclose(grid["spacing"], spacing, rtol=1e-6))
    check(f"{what}: directed", grid["directed"] == (affine is not None))
    if affine is not None:
        check(f"{what}: affine {grid['affine']}", np.allclose(np.array(grid["affine"]), affine[:3], rtol=1e-5, atol=1e-5))


rng = np.random.default_rng(7)
SHAPE = (4, 5, 6)  # z y x
KIND = {"u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "i4": "int32", "u8": "float64",
        "i8": "float64", "f2": "float32", "f4": "float32", "f8": "float64"}


def volume(code, shape=SHAPE):
    t = np.dtype(code)
    if t.kind == "f":
        return (rng.standard_normal(shape) * 100).astype(t)
    low = max(np.iinfo(t).min, -(2**40))
    high = min(np.iinfo(t).max, 2**40)
    return rng.integers(low, high, shape, endpoint=True, dtype=np.int64).astype(t)


# Rotated by 30 degrees about z and 20 about x, anisotropic, flipped.
c3, s3, c2, s2 = np.cos(np.pi / 6), np.sin(np.pi / 6), np.cos(np.pi / 9), np.sin(np.pi / 9)
ROTATION = np.array([[c3, -s3, 0], [s3, c3, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c2, -s2], [0, s2, c2]])
ROTATION = ROTATION @ np.diag([-1, 1, 1])
SPACING = (0.7, 0.8, 2.5)  # x y z
AFFINE = np.eye(4)
AFFINE[:3, :3] = ROTATION * SPACING
AFFINE[:3, 3] = [-12.5, 34.25, 7]
LPS = np.diag([-1, -1, 1, 1]) @ AFFINE


def nifti():
    for code, name in itertools.product(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"], ["nii", "nii.gz"]):
        for make, end in itertools.product([nib.Nifti1Image, nib.Nifti2Image], "<>"):
            values = volume(code)
            image = make(values.T.astype(np.dtype(code).newbyteorder(end)), AFFINE, dtype=np.dtype(code).newbyteorder(end))
            header = make.header_class(endianness=end)
            header.set_data_dtype(np.dtype(code).newbyteorder(end))
            image = make(values.T, AFFINE, header)
            image.header.set_xyzt_units("mm")
            nib.save(image, path(f"n.{name}"))
            expect(path(f"n.{name}"), values[None], SPACING, AFFINE, KIND[code], f"{make.__name__} {end}{code} {name}")
    values = volume("i2", (3,) + SHAPE)
    image = nib.Nifti1Image(np.transpose(values, (3, 2, 1, 0)), AFFINE)
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, path("channels.nii.gz"))
    stored = nib.load(path("channels.nii.gz"))
    expect(path("channels.nii.gz"), np.asarray(stored.dataobj, float).transpose(3, 2, 1, 0), SPACING, AFFINE)
    colours = np.zeros((6, 5, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    planes = volume("u1", (3,) + SHAPE)
    for i, c in enumerate("RGB"):
        colours[c] = planes[i].T
    nib.save(nib.Nifti1Image(colours, AFFINE), path("rgb.nii"))
    expect(path("rgb.nii"), planes, SPACING, AFFINE, "uint8")


def simpleitk():
    for code, name in itertools.product(["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"], ["mha", "mhd", "nrrd", "nhdr", "nii.gz"]):
        for packed in (False, True):
            values = volume(code)
            image = sitk.GetImageFromArray(values)
            image.SetSpacing(SPACING)
            image.SetOrigin(LPS[:3, 3])
            image.SetDirection((LPS[:3, :3] / SPACING).ravel())
            sitk.WriteImage(image, path(f"s.{name}"), packed)
            expect(path(f"s.{name}"), values[None], SPACING, AFFINE, KIND[code], f"SimpleITK {code} {name} {packed}")
    values = volume("f4", SHAPE + (3,))
    image = sitk.GetImageFromArray(values, isVector=True)
    image.SetSpacing(SPACING)
    for name in ["mha", "nrrd"]:
        sitk.WriteImage(image, path(f"v.{name}"), True)
        expect(path(f"v.{name}"), np.moveaxis(values, -1, 0), SPACING, np.diag([-0.7, -0.8, 2.5, 1]), "float32", f"vectors {name}")


def arrays():
    for code, end, order in itertools.product(KIND, "<>", "CF"):
        values = volume(code).astype(np.dtype(code).newbyteorder(end))
        np.save(path("a.npy"), np.asarray(values, order=order))
        expect(path("a.npy"), values[None], (0, 0, 0), None, KIND[code], f"npy {end}{code} {order}")
        if order == "F":
            values = volume(code, (2,) + SHAPE).astype(np.dtype(code).newbyteorder(end))
            np.save(path("a.npy"), np.asfortranarray(values))
            expect(path("a.npy"), values, (0, 0, 0), None, KIND[code], f"npy channels {end}{code}")
    np.save(path("b.npy"), volume("u1") > 100)
    expect(path("b.npy"), np.load(path("b.npy"))[None], None, None, "uint8")


def hdf5():
    for code, end in itertools.product(KIND, "<>"):
        values = volume(code).astype(np.dtype(code).newbyteorder(end))
        with h5py.File(path("h.h5"), "w") as f:
            f.create_dataset("deep/raw", data=values, chunks=(2, 3, 4), compression="gzip", shuffle=True)
            f["deep/raw"].attrs["element_size_um"] = np.array([2500, 800, 700], "f4")
            f["label"] = values
        expect(path("h.h5:/deep/raw"), values[None], SPACING, None, KIND[code], f"hdf5 {end}{code}")
    with h5py.File(path("b.h5"), "w") as f:
        f["only"] = volume("u1", (3,) + SHAPE) > 100
    with h5py.File(path("b.h5"), "r") as f:
        values = f["only"][:]
    expect(path("b.h5"), values, (0, 0, 0), None, "uint8", "hdf5 booleans")


def tiff():
    um = dict(unit="um", spacing=2500.0, axes="ZYX")
    for code, big, packed in itertools.product(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"], (False, True), (None, "zlib", "lzw")):
        for end, tile in itertools.product("<>", (None, (16, 16))):
            values = volume(code)
            what = f"tiff {end}{code} big {big} {packed} {tile}"
            tifffile.imwrite(path("t.tif"), values.astype(np.dtype(code).newbyteorder(end)), bigtiff=big, byteorder=end, compression=packed,
                             predictor=packed is not None and code not in ("f2", "u8", "i8"), tile=tile, photometric="minisblack", metadata=None)
            expect(path("t.tif"), values[None], (0, 0, 0), None, KIND[code], what)
    for code, truncate in itertools.product(["u1", "u2", "f4"], (False, True)):
        values = volume(code)
        tifffile.imwrite(path("i.tif"), values, imagej=True, resolution=(1 / 700, 1 / 800), metadata=um | {"truncate": truncate})
        expect(path("i.tif"), values[None], SPACING, None, KIND[code], f"ImageJ {code} {truncate}")
        values = volume(code, (4, 3, 5, 6))
        tifffile.imwrite(path("i.tif"), values, imagej=True, resolution=(1 / 700, 1 / 800), metadata=um | {"axes": "ZCYX"})
        expect(path("i.tif"), np.moveaxis(values, 1, 0), SPACING, None, KIND[code], f"ImageJ channels {code}")
    for code, axes in itertools.product(["u1", "u2", "f4"], ["ZYX", "CZYX", "ZCYX", "TZYX"]):
        values = volume(code, SHAPE if axes == "ZYX" else (3,) + SHAPE if axes[0] != "Z" else (4, 3, 5, 6))
        tifffile.imwrite(path("o.ome.tif"), values, metadata=dict(axes=axes, PhysicalSizeX=700, PhysicalSizeXUnit="\u00b5m", PhysicalSizeY=0.8,
                         PhysicalSizeYUnit="mm", PhysicalSizeZ=2500.0), photometric="minisblack")
        wanted = values[None] if axes == "ZYX" else np.moveaxis(values, 1, 0) if axes[0] == "Z" else values
        expect(path("o.ome.tif"), wanted, SPACING, None, KIND[code], f"OME {axes} {code}")
    for shape in (SHAPE, (3,) + SHAPE):
        values = volume("f2", shape)
        tifffile.imwrite(path("s.tif"), values, photometric="minisblack")
        expect(path("s.tif"), values.reshape((-1,) + SHAPE), (0, 0, 0), None, "float32", f"tifffile's own {shape}")
    for planar in ("contig", "separate"):
        values = volume("u1", (4, 5, 6, 3))
        shaped = values if planar == "contig" else np.moveaxis(values, -1, 1)
        tifffile.imwrite(path("rgb.tif"), shaped, photometric="rgb", planarconfig=planar, metadata=None)
        expect(path("rgb.tif"), np.moveaxis(values, -1, 0), None, None, "uint8", f"RGB {planar}")


def nrrds():
    for code, name, encoding, end in itertools.product(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"], ["nrrd", "nhdr"], ["raw", "gzip"], ["little", "big"]):
        values = volume(code)
        header = {"space": "right-anterior-superior", "space directions": AFFINE[:3, :3].T, "space origin": AFFINE[:3, 3],
                  "encoding": encoding, "endian": end, "kinds": ["domain"] * 3}
        nrrd.write(path(f"p.{name}"), values.T.astype(np.dtype(code).newbyteorder("<" if end == "little" else ">")), header, detached_header=name == "nhdr")
        expect(path(f"p.{name}"), values[None], SPACING, AFFINE, KIND[code], f"pynrrd {code} {name} {encoding} {end}")
    values = volume("u2", (3,) + SHAPE)
    nrrd.write(path("c.nrrd"), np.transpose(values, (0, 3, 2, 1)), {"space": "left-posterior-superior", "kinds": ["vector", "domain", "domain", "domain"],
               "space directions": np.vstack([[np.nan] * 3, LPS[:3, :3].T]), "space origin": LPS[:3, 3]})
    expect(path("c.nrrd"), values, SPACING, AFFINE, "uint16")
    nrrd.write(path("l.nrrd"), volume("f4").T, {"spacings": [0.7, 0.8, 2.5], "units": ["mm"] * 3})
    expect(path("l.nrrd"), nrrd.read(path("l.nrrd"))[0].T[None], SPACING, None, "float32")


def dicom():
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
    folder = path("series")
    os.mkdir(folder)
    values = volume("i2", (4, 6, 6)) % 1000
    series, frame = generate_uid(), generate_uid()
    for k in range(4):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        d.SOPClassUID, d.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = frame, series, frame
        d.Modality, d.SeriesNumber, d.InstanceNumber, d.SeriesDescription, d.Manufacturer = "CT", 3, k + 1, "abdomen", "nobody"
        d.PatientName, d.PatientID, d.StudyDate, d.StudyTime = "A^B", "1", "20200101", "120000"
        d.ImageOrientationPatient, d.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-10, -20, 2.5 * k]
        d.PixelSpacing, d.SliceThickness = [0.8, 0.7], 2.5
        d.Rows, d.Columns, d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 6, 6, 16, 16, 15, 1
        d.SamplesPerPixel, d.PhotometricInterpretation, d.RescaleSlope, d.RescaleIntercept = 1, "MONOCHROME2", 1, -24
        d.PixelData = values[k].astype("<i2").tobytes()
        d.save_as(os.path.join(folder, f"{k}.dcm"), enforce_file_format=True)
    grid, got = read(folder)
    check("DICOM read", grid is not None)
    if grid is None:
        return
    # World places of values: dcm2niix may turn axes over, so values are compared where they lie.
    where = {}
    for (k, j, i), x in np.ndenumerate(got[0]):
        where[tuple(np.round(np.array(grid["affine"]) @ [i, j, k, 1], 3) + 0.0)] = x
    wanted = {}
    for (k, j, i), x in np.ndenumerate(values):
        wanted[tuple(np.round(np.array([10 - 0.7 * i, 20 - 0.8 * j, 2.5 * k]), 3) + 0.0)] = x - 24
    check("DICOM values where they lie", where == wanted)


def outputs():
    labels = rng.integers(0, 4, SHAPE).astype("u1")
    scores = rng.random((3,) + SHAPE).astype("f4")
    image = nib.Nifti1Image(labels.T, AFFINE)
    image.header.set_xyzt_units("mm")
    nib.save(image, path("labels.nii.gz"))
    image = nib.Nifti1Image(scores.transpose(3, 2, 1, 0), AFFINE)
    image.header.set_xyzt_units("mm")
    nib.save(image, path("scores.nii.gz"))
    for source, kinds in (("labels", ["u8", "u16"]), ("scores", ["f32", "f16", "p8"])):
        for kind, end in itertools.product(kinds, ["nii", "nii.gz", "nrrd", "seg.nrrd", "mha", "tif", "ome.tif", "npy", "h5"]):
            if (kind == "f16" and end not in ("tif", "npy", "h5")) or (source == "scores" and end == "seg.nrrd"):
                continue
            values = {"u8": labels[None], "u16": labels[None].astype("u2"), "f32": scores, "f16": scores.astype("f2"), "p8": np.rint(scores.astype(float) * 255).astype("u1")}[kind]
            out = path(f"out.{end}") + (":/a/b" if end == "h5" else "")
            what = f"output {kind} {end}"
            if not write(path(f"{source}.nii.gz"), out, kind):
                check(what, False)
                continue
            shown = values.astype(float) / 255 if kind == "p8" and end.startswith("nii") else values.astype(float)
            # Our own reader, then the format's own library.
            grid, got = read(out)
            check(f"{what}: read again", grid is not None and np.allclose(got, shown, rtol=1e-6, atol=0))
            directed = end in ("nii", "nii.gz", "nrrd", "seg.nrrd", "mha")
            if grid is not None and end != "npy" and (kind, end) != ("f16", "tif"):
                check(f"{what}: spacing {grid['spacing']}", np.allclose(grid["spacing"], SPACING, rtol=1e-6) and not grid["unit_unknown"])
            if directed:
                check(f"{what}: affine", grid["directed"] and np.allclose(grid["affine"], AFFINE[:3], atol=1e-5))
            if end.startswith("nii"):
                back = nib.load(out)
                array = np.asarray(back.dataobj, float)
                array = array.transpose(3, 2, 1, 0) if array.ndim == 4 else array.T[None]
                check(f"{what}: nibabel", np.allclose(array, shown, rtol=1e-6) and np.allclose(back.affine, AFFINE, atol=1e-5))
            elif end in ("nrrd", "seg.nrrd"):
                array, header = nrrd.read(out)
                array = array.transpose(3, 2, 1, 0) if array.ndim == 4 else array.T[None]
                check(f"{what}: pynrrd", array.dtype == values.dtype and np.array_equal(array, values) and
                      np.allclose(header["space directions"][:3], LPS[:3, :3].T, atol=1e-5))
                if source == "labels":
                    check(f"{what}: names", b"\nSegment1_Name:=\xc3\xa9tage\n" in open(out, "rb").read() and header["Segment0_Name"] == "one & two" and
                          header["Segment0_LabelValue"] == "1")
            elif end in ("tif", "ome.tif"):
                with tifffile.TiffFile(out) as t:
                    array = t.series[0].asarray()
                    array = array if array.ndim == 4 else array[None] if array.ndim == 3 and source == "labels" else array.reshape(values.shape)
                    check(f"{what}: tifffile", array.dtype == values.dtype and np.array_equal(array, values))
                    if end == "ome.tif":
                        check(f"{what}: OME", t.is_ome and t.series[0].axes == ("CZYX" if source == "scores" else "ZYX"))
                    if end == "tif" and source == "labels":
                        check(f"{what}: ImageJ", t.is_imagej and t.series[0].axes == "ZYX")
            elif end == "npy":
                array = np.load(out)
                check(f"{what}: numpy", array.dtype == values.dtype and np.array_equal(array.reshape(values.shape), values))
            elif end == "h5":
                with h5py.File(path("out.h5"), "r") as f:
                    array = f["a/b"][:]
                    check(f"{what}: h5py", array.dtype == values.dtype and np.array_equal(array.reshape(values.shape), values) and
                          np.allclose(f["a/b"].attrs["element_size_um"], [2500, 800, 700], rtol=1e-6))
                    names = f["a/b"].attrs["label_names" if source == "labels" else "channel_names"]
                    check(f"{what}: names", names[2].decode() == "\u00e9tage")
            if sitk and end in ("nii", "nii.gz", "nrrd", "seg.nrrd", "mha") and source == "labels":
                back = sitk.ReadImage(out)
                check(f"{what}: SimpleITK", np.array_equal(sitk.GetArrayFromImage(back), values[0]) and
                      np.allclose(back.GetSpacing(), SPACING, rtol=1e-6) and np.allclose(back.GetOrigin(), LPS[:3, 3], atol=1e-5) and
                      np.allclose(back.GetDirection(), (LPS[:3, :3] / SPACING).ravel(), atol=1e-5))


def large():
    """More than one piece of the compressor, in every packed format."""
    labels = np.repeat(np.repeat(rng.integers(0, 4, (40, 60, 50)), 4, 1), 5, 2).astype("u1")
    labels[10:20] = rng.integers(0, 4, labels[10:20].shape)
    nib.save(nib.Nifti1Image(labels.T, AFFINE), path("large.nii.gz"))
    for end in ["nii.gz", "nrrd", "mha", "tif", "h5"]:
        check(f"large {end} written", write(path("large.nii.gz"), path(f"large-out.{end}"), "u8"))
        grid, got = read(path(f"large-out.{end}"))
        check(f"large {end}", grid is not None and np.array_equal(got[0], labels))
    check("large nibabel", np.array_equal(np.asarray(nib.load(path("large-out.nii.gz")).dataobj).T, labels))
    if sitk:
        for end in ["nii.gz", "nrrd", "mha"]:
            check(f"large SimpleITK {end}", np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(path(f"large-out.{end}"))), labels))


arrays()
if nib:
    nifti()
if sitk:
    simpleitk()
if h5py:
    hdf5()
if tifffile:
    tiff()
if nrrd:
    nrrds()
if pydicom and nib:
    dicom()
if nib and nrrd and tifffile and h5py:
    outputs()
    large()
subprocess.run(["rm", "-rf", DIR])
print(f"{checks} checks, {failures} failed")
sys.exit(1 if failures else 0)
