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

FRAMEWORKS = ["onnxruntime", "openvino", "torch", "torch-channels-last", "torch-compile", "tvm"]
OURS = ["voxc", "voxc-1", "voxc-strict"]
PEERS = OURS + FRAMEWORKS + ["onednn", "fma", "fma-1"]
# name: who computes it, and whether it is too large for all of them to be kept in memory at once
NETWORKS = {
    "unet3d": (PEERS, False),
    "nnunet_like": (PEERS, False),
    "deepbrain": (PEERS, False),
    "torchio": (PEERS, False),
    "meshnet": (PEERS, False),
    "meshnet_few": (PEERS, False),
    "meshnet_wide": (OURS + ["openvino", "torch-compile", "fma", "fma-1"], True), # and the two that were fastest on meshnet
}
# TVM's untuned 3D convolutions reach about 1 GMAC/s: a larger network would take minutes an iteration.
TVM_GMAC = 50
QUICK = {"networks": "unet3d,torchio", "peers": "voxc,voxc-1,voxc-strict,onnxruntime,openvino,torch,onednn,fma", "rounds": 2}
HERE = os.path.dirname(__file__)


def command(names, model, threads):
    """What runs a peer under its names (Contender), and with which environment."""
    peer, own = names[0], {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": str(threads)}
    alone = [1 if name.endswith("-1") else threads for name in names]
    if peer.startswith("voxc"):
        bundle = "strict" if peer == "voxc-strict" else "bundle"
        return [model.path(f"{bundle}_run"), model.path(f"{bundle}/{model.name}.weights"), model.path("input.bin"),
                ",".join(map(str, alone))], {}
    if peer.startswith("fma"):
        return [os.path.join(os.path.dirname(model.folder), "fma_peak"), str(alone[0])], {}
    if peer == "onednn":
        return [os.path.join(os.path.dirname(model.folder), "onednn"), model.path("convolutions.txt")], own
    shape = ",".join(map(str, model.shape))
    worker = os.path.join(HERE, "worker.py")
    return [sys.executable, worker, peer, model.path("model.onnx"), model.path("input.bin"), str(threads), shape], own


class Contender:
    """A place in one network's run: a process, when it has one, and what was measured. A process with two names, ours
    with all threads and with one, takes its runs for them in turn: their ratio is of the same memory and minutes."""

    def __init__(self, names, model, options):
        self.names, self.model, self.options = names, model, options
        self.peer, self.times, self.peak, self.output, self.about, self.reason = None, [], 0, None, {}, None

    def start(self):
        argv, environment = command(self.names, self.model, self.options.threads)
        if not os.path.exists(argv[0]):
            self.reason = "not installed"
        elif self.names == ["tvm"] and self.model.gmac > TVM_GMAC:
            self.reason = f"left out above {TVM_GMAC} GMAC: untuned, it needs minutes"
        if self.reason:
            return
        self.peer = Peer(argv, environment, self.model.path(f"{self.names[0]}.log"), self.options.limit)
        self.about = self.about or self.peer.about
        self.reason = self.peer.reason

    def turn(self, seconds):
        if self.reason:
            return
        self.times += self.peer.run(seconds * len(self.names))
        while len(self.times) % (2 * len(self.names)) and len(self.names) > 1 and not self.peer.reason:
            self.times += self.peer.run(0)
        if self.output is None and self.names[0] in ["voxc", "voxc-strict"] + FRAMEWORKS:
            path = self.model.path(f"{self.names[0]}.bin")
            self.output = path if self.peer.save(path) else None
        self.reason = self.peer.reason

    def stop(self):
        if self.peer:
            self.peak = max(self.peak, self.peer.peak)
            self.peer.end()
            self.peer = None

    def results(self):
        for i, name in enumerate(self.names):
            r = {"name": name, "about": self.about, "reason": self.reason}
            if self.times and not self.reason:
                wall, cpu = (numpy.array(column) for column in zip(*self.times[i::len(self.names)]))
                r.update(best_ms=wall.min(), median_ms=float(numpy.median(wall)), best_cpu_ms=cpu.min(),
                         iterations=len(wall), peak_mib=self.peak, times_ms=[round(t, 3) for t in wall])
            yield r


def contenders_of(names, model, options):
    together = ["voxc", "voxc-1"]
    groups = [together] if set(together) <= set(names) else []
    groups += [[name] for name in names if not groups or name not in together]
    return [Contender(group, model, options) for group in groups]


def differences(contenders):
    """The largest difference of each output from ONNX Runtime's (or else from the first), over that one's RMS."""
    saved = {c.names[0]: c.output for c in contenders if c.output}
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
        print(f"  {', '.join(c.names)}: {c.reason or 'ready'}", flush=True)
    for number in range(options.rounds):
        for c in contenders:
            if fresh and not c.reason:
                c.start()
            c.turn(options.seconds)
            if fresh:
                c.stop()
        print(f"  round {number + 1} of {options.rounds}: "
              + ", ".join(f"{c.names[0]} {min(c.times[::len(c.names)])[0]:.0f}" for c in contenders if c.times) + " ms at best", flush=True)


def measure(model, options, fresh):
    contenders = contenders_of([name for name in NETWORKS[model.name][0] if name in options.peers], model, options)
    try:
        take_turns(contenders, options, fresh)
    finally: # stopped processes would stay
        for c in contenders:
            c.stop()
    difference = differences(contenders)
    results = [{**r, "difference": difference.get(r["name"])} for c in contenders for r in c.results()]
    return {"name": model.name, "input": model.shape, "gmac": model.gmac, "gmac_333": model.gmac_333, "peers": results}


def machine():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{len(os.sched_getaffinity(0))} processors, {names[0] if names else platform.processor()}"


def options():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--networks", default=",".join(NETWORKS),
                        help="of " + ", ".join(NETWORKS))
    parser.add_argument("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each process (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="a turn goes on for this long (default 0.5)")
    parser.add_argument("--threads", type=int, default=2, help="of each peer (default 2)")
    parser.add_argument("--limit", type=float, default=180, help="seconds for an answer, or a peer is given up")
    parser.add_argument("--quick", action="store_true", help=" ".join(f"--{k} {v}" for k, v in QUICK.items()))
    for kind, what in (("json", "everything measured"), ("svg", "the chart"), ("markdown", "the tables, as tests/bench/README.md has them")):
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
