#!/usr/bin/env python3
"""Whole volumes: bundles' `segment` beside what their peers do, in one run, in turns. `make bench-volumes` starts it.

Peers whose whole volume would take too long run some of its tiles, and their time is scaled to all of them; loading and
compiling a peer is not counted, while the bundle's time is that of the whole process. What is missing is one line."""
import argparse
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time

import numpy
from bench import machine
from peer import Peer
from windows import tiles_of

HERE = os.path.dirname(__file__)
OUT = "build/bench-volumes"
DATA = "../shared/data"
GB = 1e9


class Bench:
    def __init__(self, options):
        self.o, self.rows, self.skipped = options, [], []
        os.makedirs(OUT, exist_ok=True)

    def row(self, what, ours, theirs, bars, unit="", note=""):
        """bars: (must, aim). theirs: a peer's number, None: ours itself has the limit."""
        value = ours if theirs is None else theirs / ours
        met = [value <= b if theirs is None else value >= b for b in bars]
        verdict = "aim" if met[1] else "must" if met[0] else "short"
        self.rows.append({"what": what, "ours": ours, "peer": theirs, "value": value, "must": bars[0], "aim": bars[1],
                          "unit": unit, "verdict": verdict, "note": note})
        print("  " + " | ".join(markdown(self.rows[-1])), flush=True)

    def skip(self, line):
        self.skipped.append(line)
        print(f"  {line}", flush=True)


def markdown(r):
    times = r["peer"] is not None
    numbers = [f"{v:.3g} {r['unit']}" if v is not None else "" for v in (r["ours"], r["peer"])]
    bars = [f"{r[k]:g}{'x' if times else ' ' + r['unit']}" for k in ("must", "aim")]
    return [r["what"], *numbers, f"{r['value']:.2f}x" if times else "", *bars, r["verdict"], r["note"]]


# ---- our side ---------------------------------------------------------------------------------------------------


def command(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def instruction_set():
    with open("/proc/cpuinfo") as f:
        flags = f.read()
    return next((isa for isa, flag in (("avx512", "avx512vl"), ("avx2", "avx2")) if flag in flags), "baseline")


def bundle(name, model, *options):
    """Compiles and builds it; the program's path."""
    folder = f"{OUT}/{name}"
    command("build/voxc", "compile", model, "--model-name", name, "--force", *options, "-o", folder)
    command("make", "-s", "-j2", "-C", folder, f"ISAS={instruction_set()}")
    return f"{folder}/{name}"


def watch_memory(pid, peak):
    """Until the process ends. rusage's would count what this process had when it started the other."""
    while True:
        try:
            with open(f"/proc/{pid}/status") as f:
                found = re.search(r"VmHWM:\s+(\d+)", f.read())
        except (FileNotFoundError, ProcessLookupError):
            return
        if not found:
            return
        peak[0] = int(found[1]) * 1024
        time.sleep(0.005)


def measured(argv):
    """Wall and processor seconds, and the largest resident size in bytes."""
    start, peak = time.perf_counter(), [0]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    watcher = threading.Thread(target=watch_memory, args=(process.pid, peak))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - start
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(argv)}: exit status {process.returncode}")
    return taken, usage.ru_utime + usage.ru_stime, peak[0]


def segment(program, volume, labels, threads):
    return [program, "segment", volume, "-o", labels, "-q", "-t", str(threads)]


def seconds_to_first_tile(program, volume, threads):
    """Until the progress line says so, which is written to terminals only."""
    master, slave = pty.openpty()
    argv = [program, "segment", volume, "-o", f"{OUT}/first.nii", "-t", str(threads)]
    start, said = time.perf_counter(), b""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    while b"tile 1 of" not in said and process.poll() is None:
        if select.select([master], [], [], 1)[0]:
            said += os.read(master, 4096)
    taken = time.perf_counter() - start
    process.terminate()
    process.wait()
    os.close(master)
    if b"tile 1 of" not in said:
        sys.exit(f"{program}: no progress line: {said.decode(errors='replace')}")
    return taken


def of_header(program, word):
    """A size in bytes from the bundle's header."""
    with open(f"{program}.h") as f:
        return int(re.search(rf"#define {os.path.basename(program).upper()}_{word} +(\d+)", f.read())[1])


def write_nifti(path, volume, spacing=(1, 1, 1)):
    import nibabel

    image = nibabel.Nifti1Image(volume, numpy.diag([*spacing, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def smooth_noise(shape, seed=1):
    """Noise of 8 voxels and of one, uint8."""
    rng = numpy.random.default_rng(seed)
    coarse = rng.integers(0, 200, [-(-n // 8) for n in shape], dtype=numpy.uint8)
    for axis, n in enumerate(shape):
        coarse = numpy.repeat(coarse, 8, axis).take(range(n), axis)
    return coarse + rng.integers(0, 50, shape, dtype=numpy.uint8)


def labels_of(path):
    import nibabel

    return numpy.asarray(nibabel.load(path).dataobj)


# ---- peers ------------------------------------------------------------------------------------------------------


def start_peer(bench, name, network, x):
    """None, and a line, where it can't run."""
    path = f"{OUT}/{name}.input"
    x.astype(numpy.float32).tofile(path)
    argv = [sys.executable, os.path.join(HERE, "worker.py"), name, network, path, str(bench.o.threads),
            ",".join(map(str, x.shape))]
    peer = Peer(argv, {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": str(bench.o.threads)}, f"{OUT}/{name}.log", 300)
    if peer.reason:
        bench.skip(f"{name}: {peer.reason}")
        return None
    return peer


def in_turns(bench, ours, peers):
    """Each peer's [[wall s, CPU s], ...] and ours, by name, over the rounds."""
    times = {name: [] for name in ["ours", *peers]}
    for _ in range(bench.o.rounds):
        times["ours"].append(measured(ours))
        for name, peer in peers.items():
            if peer:
                times[name] += [[t / 1e3 for t in pair] for pair in peer.run(0)]
    for peer in peers.values():
        if peer:
            peer.end()
    return {name: numpy.array(t).min(0) for name, t in times.items() if t}


# ---- the parts --------------------------------------------------------------------------------------------------


def phase_aligned(n, out, phase=8):
    """Where tiles that touch at multiples of the pooling's phase begin."""
    own = out // phase * phase
    return range(0, max(n - out, 0) + own, own) if n > out else [0]


def paper(bench):
    """The paper's network over a volume, beside ONNX Runtime with the paper's tile."""
    shape, tile = ((256, 256, 200), (180, 180, 148)) if not bench.o.small else ((88, 60, 48), (132, 132, 124))
    dims = [word for axis, n in zip("DHW", tile) for word in ("--input-dim", f"{axis}={n}")]
    program = bundle("unet3d", "models/unet3d.yaml", "--init", "1", *dims)
    network, volume, labels = f"{OUT}/unet3d.onnx", f"{OUT}/unet3d.nii", f"{OUT}/unet3d_labels.nii"
    command("build/voxc", "export", "models/unet3d.yaml", "--init", "1", "-o", network)
    channels = numpy.stack([smooth_noise(shape, seed) for seed in range(3)])
    write_nifti(volume, numpy.moveaxis(channels, 0, 3))
    x = numpy.stack([(c - c.mean()) / c.std() for c in channels.astype(float)]).astype(numpy.float32)
    out, margin = (44, 44, 28), 44
    starts = [phase_aligned(n, o) for n, o in zip(shape, out)]
    count = int(numpy.prod([len(s) for s in starts]))
    x = numpy.pad(x, [(0, 0)] + [(margin, margin + o) for o in out], mode="reflect")

    def tile_at(at):
        return x[(slice(None), *[slice(b, b + o + 2 * margin) for b, o in zip(at, out)])][None]

    peer = start_peer(bench, "onnxruntime", network, tile_at((0, 0, 0)))
    best = in_turns(bench, segment(program, volume, labels, bench.o.threads), {"onnxruntime": peer})
    wall, _, rss = best["ours"]
    bench.row("paper's network, memory", rss / GB, None, (1.0, 0.7), "GB", f"tile {'x'.join(map(str, tile))}")
    first_tile(bench, "paper's network", program, volume)
    if not peer:
        return
    same = beside_tiles(network, tile_at, [[s[0], s[len(s) // 2], s[-1]] for s in starts], out, labels_of(labels))
    bench.row("paper's network, time", wall, best["onnxruntime"][0] * count, (10, 15), "s",
              f"ONNX Runtime: one tile, times {count}; {same:.5%} of 3 tiles' labels equal")


def beside_tiles(network, tile_at, starts, out, labels):
    """The part of the labels that are ONNX Runtime's, in the first, a middle and the last tile."""
    import onnxruntime

    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    same = total = 0
    for at in zip(*starts):
        scores = session.run(None, {session.get_inputs()[0].name: numpy.ascontiguousarray(tile_at(at))})[0][0]
        ours = labels[tuple(slice(b, b + o) for b, o in zip(at, out))]
        theirs = scores.argmax(0)[tuple(slice(0, n) for n in ours.shape)]
        same, total = same + int((ours == theirs).sum()), total + ours.size
    return same / total


def padded(bench):
    """A padded network with tiles that overlap by half, beside sliding windows of OpenVINO and of MONAI with torch."""
    shape, n = ((256, 256, 160), 128) if not bench.o.small else ((96, 64, 64), 64)
    dims = [word for axis in "DHW" for word in ("--input-dim", f"{axis}={n}")]
    with open("models/nnunet_like.yaml") as f:
        text = f.read().replace("axes: zyx", "axes: xyz").replace("border: mirror", "border: zero\n  overlap: 0.5")
    model, network = f"{OUT}/nnunet_like.yaml", f"{OUT}/nnunet_like.onnx"
    with open(model, "w") as f:
        f.write(text)
    program = bundle("nnunet_like", model, "--init", "1", *dims)
    command("build/voxc", "export", model, "--init", "1", *dims, "-o", network)
    volume = f"{OUT}/nnunet_like.nii"
    voxels = smooth_noise(shape)
    write_nifti(volume, voxels)
    few = (n * 3 // 2, n, n)  # two tiles
    x = ((voxels - voxels.mean()) / voxels.std())[tuple(slice(0, f) for f in few)][None, None]
    peers = {name: start_peer(bench, name, network, x) for name in ("openvino-window", "monai-window")}
    best = in_turns(bench, segment(program, volume, f"{OUT}/nnunet_like_labels.nii", bench.o.threads), peers)
    count = len(tiles_of(shape, (n, n, n)))
    for name, bars in (("openvino-window", (2.5, 3.5)), ("monai-window", (4, 8))):
        if name in best:
            bench.row(f"padded network, time, {name}", best["ours"][0], best[name][0] * count / 2, bars, "s",
                      f"peer: 2 tiles, times {count / 2:g}; ours {best['ours'][2] / GB:.2f} GB")
    first_tile(bench, "padded network", program, volume)


def brain(bench):
    """Brain extraction: everything from file to file."""
    head, network = f"{DATA}/volumes/brain/ch2.nii.gz", f"{DATA}/models/deepbrain_v2.onnx"
    missing = [f for f in (head, network) if not os.path.exists(f)]
    if missing:
        bench.skip(f"brain extraction: no {' and no '.join(missing)}")
        return
    program = bundle("deepbrain", network, "--volume", "models/deepbrain.yaml")
    folder = f"{OUT}/brain"
    os.makedirs(folder, exist_ok=True)
    for source, name in ((head, "head.nii.gz"), (network, "network.onnx")):
        if not os.path.exists(f"{folder}/{name}"):
            os.symlink(os.path.abspath(source), f"{folder}/{name}")
    peer = start_peer(bench, "brain", f"{folder}/network.onnx", numpy.zeros((1, 1, 1, 1, 1)))
    ours = segment(program, f"{folder}/head.nii.gz", f"{folder}/ours.nii.gz", bench.o.threads)
    best = in_turns(bench, ours, {"brain": peer})
    if peer:
        a, b = (labels_of(f"{folder}/{name}.nii.gz") > 0 for name in ("ours", "theirs"))
        note = f"masks' Dice {2 * (a & b).sum() / (a.sum() + b.sum()):.5f}"
        for k, what in enumerate(("wall", "CPU")):
            bench.row(f"brain extraction, {what} time", best["ours"][k], best["brain"][k], (4, 6), "s", note)
    first_tile(bench, "brain extraction", program, f"{folder}/head.nii.gz")


def resampling(bench):
    """resample_peers.sh time: it reports in lines of its own."""
    said = subprocess.run(["sh", "tests/volumes/resample_peers.sh", "time", str(bench.o.threads)], text=True,
                          stdout=subprocess.PIPE, env={**os.environ, "PYTHON": sys.executable})
    if said.returncode:
        bench.skip(f"resampling: {said.stdout.strip() or 'failed'}")
        return
    for name, ours, theirs in re.findall(r"(\w+): (\d+) ms with .*? scipy (\d+) ms", said.stdout):
        bench.row(f"resampling to 256^3, {name}", float(ours), float(theirs), (5, 10), "ms")


NETWORK = """name: classes{n}
inputs:
  image: {{type: f32, shape: [1, 1, {tile}, {tile}, {tile}]}}
layers:
  - a: {{conv: {{channels: 8, kernel: 3, padding: same}}}}
  - act: relu
  - scores: {{conv: {{channels: {n}, kernel: 1}}}}
outputs: [scores]
volume:
  axes: zyx
  prepare:
    - z_score
    - resample_to_spacing: {{to: [1.5, 1.5, 1.5], align: edges}}
  border: zero
  overlap: 0.5
  output: argmax
"""


def classes(bench):
    """Memory with many classes."""
    shape, tile = ((512, 512, 300), 64) if not bench.o.small else ((160, 160, 60), 32)
    volume, labels = f"{OUT}/classes.nii", f"{OUT}/classes_labels.nii"
    write_nifti(volume, smooth_noise(shape).astype(numpy.int16), (0.8, 0.8, 1))
    for n in (20, 117):
        model = f"{OUT}/classes{n}.yaml"
        with open(model, "w") as f:
            f.write(NETWORK.format(n=n, tile=tile))
        program = bundle(f"classes{n}", model, "--init", "1")
        wall, _, rss = measured(segment(program, volume, labels, bench.o.threads))
        network = sum(of_header(program, word) for word in ("ARENA_BYTES", "INPUT_0_BYTES", "OUTPUT_0_BYTES"))
        voxels = int(numpy.prod(shape))
        bench.row(f"{n} classes, memory", (rss - network - 3 * voxels) / GB, None, (1, 0.3), "GB",
                  f"of {rss / GB:.2f} GB; input {2 * voxels / GB:.2f}, labels {voxels / GB:.2f}, tile of {tile}^3 "
                  f"{network / GB:.2f}; {wall:.0f} s")


def first_tile(bench, name, program, volume):
    best = min(seconds_to_first_tile(program, volume, bench.o.threads) for _ in range(bench.o.rounds))
    bench.row(f"{name}, start to first tile", best, None, (0.5, 0.2), "s")


PARTS = {"paper": paper, "padded": padded, "brain": brain, "resampling": resampling, "classes": classes}


def options():
    parser = argparse.ArgumentParser(prog="bench-volumes", description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many turns counts (default 2)")
    parser.add_argument("--threads", type=int, default=2, help="of each side (default 2)")
    parser.add_argument("--small", action="store_true", help="small volumes: checks the benchmark, measures nothing")
    parser.add_argument("--json", default=f"{OUT}/volumes.json", metavar="FILE")
    parser.add_argument("--markdown", default=f"{OUT}/volumes.md", metavar="FILE")
    a = parser.parse_args()
    a.parts = a.parts.split(",")
    unknown = [p for p in a.parts if p not in PARTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(PARTS)}")
    return a


def main():
    a = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench = Bench(a)
    for name in a.parts:
        print(f"{name}:", flush=True)
        PARTS[name](bench)
    with open(a.json, "w") as f:
        json.dump({"machine": machine(), "threads": a.threads, "rounds": a.rounds, "small": a.small,
                   "rows": bench.rows, "missing": bench.skipped}, f, indent=1)
    head = ["", "voxc", "peer", "ratio", "must", "aim", "met", ""]
    with open(a.markdown, "w") as f:
        f.write(f"{machine()}; {a.threads} threads, best of {a.rounds}.\n\n| {' | '.join(head)} |\n|---|"
                + "---:|" * 5 + "---|---|\n" + "".join(f"| {' | '.join(markdown(r))} |\n" for r in bench.rows)
                + "".join(f"\n{line}  " for line in bench.skipped))
    print(f"{a.json}, {a.markdown}: written")


if __name__ == "__main__":
    main()
