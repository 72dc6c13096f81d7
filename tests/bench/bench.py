#!/usr/bin/env python3
"""Times and peak memory of bundles beside their peers, in one run: every process sets up one network, then they take
turns, and only one computes at a time. `make bench` starts it; what is loaded or compiled is not timed."""
import argparse
import json
import os
import platform
import signal
import sys

import numpy
import report
from chart import chart
from model import Model
from peer import Peer

# name: whether it is in the default run, and whether it is too large for all peers to be kept in memory at once
NETWORKS = {
    "unet3d": (True, False),
    "nnunet_like": (True, False),
    "deepbrain": (True, False),
    "torchio": (True, False),
    "meshnet": (True, False),
    "meshnet_few": (True, False),
    "meshnet_wide": (False, True),
}
FRAMEWORKS = ["onnxruntime", "openvino", "torch", "torch-channels-last", "torch-compile", "tvm"]
PEERS = ["voxc", "voxc-1"] + FRAMEWORKS + ["onednn", "fma", "fma-1"]
# TVM's untuned 3D convolutions reach about 1 GMAC/s: a larger network would take minutes an iteration.
TVM_GMAC = 50
QUICK = {"networks": "unet3d,torchio", "peers": "voxc,onnxruntime,openvino,torch,onednn,fma", "rounds": 2}
HERE = os.path.dirname(__file__)


def command(peer, model, threads):
    """What runs a peer, and with which environment."""
    own = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": str(threads)}
    alone = 1 if peer.endswith("-1") else threads
    if peer.startswith("voxc"):
        return [model.path("bundle_run"), model.path(f"bundle/{model.name}.weights"), model.path("input.bin"), str(alone)], {}
    if peer.startswith("fma"):
        return [os.path.join(os.path.dirname(model.folder), "fma_peak"), str(alone)], {}
    if peer == "onednn":
        return [os.path.join(os.path.dirname(model.folder), "onednn"), model.path("convolutions.txt")], own
    shape = ",".join(map(str, model.shape))
    worker = os.path.join(HERE, "worker.py")
    return [sys.executable, worker, peer, model.path("model.onnx"), model.path("input.bin"), str(threads), shape], own


class Contender:
    """A peer's place in one network's run: its process, when it has one, and what was measured."""

    def __init__(self, name, model, options):
        self.name, self.model, self.options = name, model, options
        self.peer, self.times, self.peak, self.output, self.about, self.reason = None, [], 0, None, {}, None

    def start(self):
        argv, environment = command(self.name, self.model, self.options.threads)
        if not os.path.exists(argv[0]):
            self.reason = "not installed"
        elif self.name == "tvm" and self.model.gmac > TVM_GMAC:
            self.reason = f"left out above {TVM_GMAC} GMAC: untuned, it needs minutes"
        if self.reason:
            return
        self.peer = Peer(argv, environment, self.model.path(f"{self.name}.log"), self.options.limit)
        self.about = self.about or self.peer.about
        self.reason = self.peer.reason

    def turn(self, seconds):
        if self.reason:
            return
        self.times += self.peer.run(seconds)
        if self.output is None and self.name in ["voxc"] + FRAMEWORKS:
            path = self.model.path(f"{self.name}.bin")
            self.output = path if self.peer.save(path) else None
        self.reason = self.peer.reason

    def stop(self):
        if self.peer:
            self.peak = max(self.peak, self.peer.peak)
            self.peer.end()
            self.peer = None

    def result(self):
        r = {"name": self.name, "about": self.about, "reason": self.reason}
        if self.times and not self.reason:
            wall, cpu = (numpy.array(column) for column in zip(*self.times))
            r.update(best_ms=wall.min(), median_ms=float(numpy.median(wall)), best_cpu_ms=cpu.min(),
                     iterations=len(wall), peak_mib=self.peak, times_ms=[round(t, 3) for t in wall])
        return r


def differences(contenders):
    """The largest difference of each output from ONNX Runtime's (or else from the first), over that one's RMS."""
    saved = {c.name: c.output for c in contenders if c.output}
    if not saved:
        return {}
    reference = numpy.fromfile(saved.get("onnxruntime", next(iter(saved.values()))), numpy.float32)
    rms = float(numpy.sqrt(numpy.mean(numpy.square(reference, dtype=numpy.float64))))
    found = {}
    for name, path in saved.items():
        output = numpy.fromfile(path, numpy.float32)
        same = output.size == reference.size
        found[name] = float(numpy.abs(output - reference).max()) / rms if same else None
        os.remove(path)
    return found


def take_turns(contenders, options, fresh):
    for c in contenders if not fresh else []:
        c.start()
        print(f"  {c.name}: {c.reason or 'ready'}", flush=True)
    for number in range(options.rounds):
        for c in contenders:
            if fresh and not c.reason:
                c.start()
            c.turn(options.seconds)
            if fresh:
                c.stop()
        print(f"  round {number + 1} of {options.rounds}: "
              + ", ".join(f"{c.name} {min(c.times)[0]:.0f}" for c in contenders if c.times) + " ms at best", flush=True)


def measure(model, options, fresh):
    contenders = [Contender(name, model, options) for name in options.peers]
    try:
        take_turns(contenders, options, fresh)
    finally: # stopped processes would stay
        for c in contenders:
            c.stop()
    difference = differences(contenders)
    results = [{**c.result(), "difference": difference.get(c.name)} for c in contenders]
    return {"name": model.name, "input": model.shape, "gmac": model.gmac, "gmac_333": model.gmac_333, "peers": results}


def machine():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{len(os.sched_getaffinity(0))} processors, {names[0] if names else platform.processor()}"


def options():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--networks", default=",".join(n for n, (default, _) in NETWORKS.items() if default),
                        help="of " + ", ".join(NETWORKS))
    parser.add_argument("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each process (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="a turn goes on for this long (default 0.5)")
    parser.add_argument("--threads", type=int, default=2, help="of each peer (default 2)")
    parser.add_argument("--limit", type=float, default=180, help="seconds for an answer, or a peer is given up")
    parser.add_argument("--quick", action="store_true", help=" ".join(f"--{k} {v}" for k, v in QUICK.items()))
    for kind, what in (("json", "everything measured"), ("svg", "the chart"), ("markdown", "the tables, as `make bench` puts them into README.md")):
        parser.add_argument(f"--{kind}", default=f"build/bench/bench.{'md' if kind == 'markdown' else kind}", metavar="FILE", help=what)
    if "--quick" in sys.argv:
        parser.set_defaults(**QUICK)
    a = parser.parse_args()
    a.networks, a.peers = a.networks.split(","), a.peers.split(",")
    for given, known in ((a.networks, NETWORKS), (a.peers, PEERS)):
        unknown = [g for g in given if g not in known]
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    return a


def main():
    a = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = {"machine": machine(), "threads": a.threads, "rounds": a.rounds, "networks": []}
    for name in a.networks:
        print(f"{name}:", flush=True)
        model = Model(name, os.path.join("build/bench", name))
        run["networks"].append(measure(model, a, NETWORKS[name][1]))
        print(report.text(run, run["networks"][-1]), flush=True)
        with open(a.json, "w") as f:
            json.dump(run, f, indent=1)
    report.write_markdown(run, a.markdown)
    with open(a.svg, "w") as f:
        f.write(chart(run))
    print(f"{a.json}, {a.svg}, {a.markdown}: written")


if __name__ == "__main__":
    main()
