#!/usr/bin/env python3
"""Time and peak memory of a bundle beside ONNX Runtime, interleaved in one run.

usage: peer_bench.py BUNDLE_PROGRAM MODEL.onnx [--threads N] [--rounds N] [--iterations N] [--json FILE]

Each round runs the bundle's `bench` and an ONNX Runtime session in fresh processes, one after the other, on seeded random
input. Peak memory is each process's own maximum resident set.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

PEER = r"""
import json, resource, sys, time
import numpy, onnxruntime
path, threads, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
random = numpy.random.default_rng(1)
feed = {i.name: random.uniform(-1, 1, i.shape).astype(numpy.float32) for i in session.get_inputs()}
times = []
for _ in range(iterations + 1):
    start = time.perf_counter()
    session.run(None, feed)
    times.append(1e3 * (time.perf_counter() - start))
print(json.dumps({"times": times[1:], "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def run_bundle(program, threads, iterations):
    command = [program, "bench", "--threads", str(threads), "--warmup", "1", "--iterations", str(iterations), "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def run_peer(model, threads, iterations):
    command = [sys.executable, "-c", PEER, model, str(threads), str(iterations)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=2)
    parser.add_argument("--json")
    a = parser.parse_args()
    ours, theirs, peaks = [], [], [0, 0]
    for round_number in range(a.rounds):
        mine = run_bundle(a.program, a.threads, a.iterations)
        peer = run_peer(a.model, a.threads, a.iterations)
        ours.append(mine["min_ms"])
        theirs.append(min(peer["times"]))
        peaks = [max(peaks[0], mine["peak_mib"] * 2**20), max(peaks[1], peer["peak"])]
        print(f"round {round_number + 1}: bundle {ours[-1]:.0f} ms, ONNX Runtime {theirs[-1]:.0f} ms, "
              f"ratio {theirs[-1] / ours[-1]:.2f}", flush=True)
    result = {
        "threads": a.threads, "bundle_best_ms": min(ours), "onnxruntime_best_ms": min(theirs),
        "speed_ratio_best": min(theirs) / min(ours),
        "speed_ratio_median": statistics.median(t / o for t, o in zip(theirs, ours)),
        "bundle_peak_mib": peaks[0] / 2**20, "onnxruntime_peak_mib": peaks[1] / 2**20,
    }
    for key, value in result.items():
        print(f"{key}: {value:.4g}")
    if a.json:
        with open(a.json, "w") as f:
            json.dump(result, f, indent=2)


if __name__ == "__main__":
    main()
