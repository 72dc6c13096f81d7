#!/usr/bin/env python3
"""The cost model of convolutions (compiler/plan/cpu/conv/algorithm.c) against this machine: for each shape, how long each algorithm
takes on one thread, and how much slower than the fastest the model's choice is.

usage: ranking.py [ROUNDS]      from the project's folder, after `make`; algorithms take turns, and the best run counts
"""
import json
import os
import re
import subprocess
import sys
import tempfile

VOXC = "build/voxc"
# name: input and output channels, D, H, W, dilation; padding keeps the size
SHAPES = {
    "paper_e0b": (32, 64, 16, 128, 112, 1),
    "paper_e1b": (64, 128, 24, 60, 52, 1),
    "paper_e2b": (128, 256, 24, 24, 20, 1),
    "paper_e3b": (256, 512, 9, 9, 7, 1),
    "paper_d2a": (768, 256, 16, 16, 12, 1),
    "paper_d1a": (384, 128, 24, 24, 16, 1),
    "paper_d0a": (192, 64, 28, 28, 20, 1),
    "nnunet_0": (32, 32, 16, 128, 128, 1),
    "nnunet_3": (256, 256, 16, 16, 16, 1),
    "nnunet_4": (320, 320, 8, 8, 8, 1),
    "nnunet_5": (320, 320, 4, 4, 4, 1),
    "meshnet_21": (21, 21, 32, 96, 96, 4),
    "few_11": (11, 11, 48, 96, 96, 1),
    "few_5": (5, 5, 48, 96, 96, 8),
    "narrow": (17, 33, 19, 23, 29, 1),
    "thin": (16, 16, 3, 200, 200, 1),
    "one_in": (1, 32, 32, 96, 96, 1),
}
# As `voxc compile --tune` tries them: tile along D, H, W; 1: transformed weights are kept, 0: made on the way
WAYS = [(0, 0, 0, 0), (4, 4, 4, 1), (4, 4, 4, 0), (2, 4, 4, 1), (4, 4, 2, 1), (2, 2, 2, 1), (2, 2, 2, 0), (4, 4, 1, 1)]


def description():
    """Each shape between two 1x1x1 convolutions: a graph's own inputs and outputs are plain memory."""
    inputs, layers = "", ""
    for n, (ic, oc, d, h, w, dilation) in SHAPES.items():
        inputs += f"  {n}_x: {{type: f32, shape: [1, 1, {d}, {h}, {w}]}}\n"
        layers += f"  - {n}_in: {{conv: {{from: {n}_x, channels: {ic}, kernel: 1}}}}\n" if ic > 1 else ""
        layers += f"  - {n}: {{conv: {{from: {n}_{'in' if ic > 1 else 'x'}, channels: {oc}, kernel: 3, dilation: {dilation}, padding: same}}}}\n"
        layers += f"  - {n}_out: {{conv: {{channels: 1, kernel: 1}}}}\n"
    outputs = ", ".join(n + "_out" for n in SHAPES)
    return f"name: ranking\ninputs:\n{inputs}layers:\n{layers}outputs: [{outputs}]\n"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def build(model, folder, way):
    """Compiles the model with that algorithm wherever it is possible; {layer: [(megacycles, algorithm, chosen)]}."""
    table = folder + ".json"
    with open(table, "w") as f:
        json.dump({"tuning": [{"layer": n, "winograd": list(way)} for n in SHAPES]} if way else {"tuning": []}, f)
    report = run(VOXC, "compile", model, "--init", "1", "--no-stream", "--threads", "1", "--tuning", table,
                 "--opt-report", "-o", folder).stderr
    run("make", "-s", "-j2", "-C", folder)
    rows, layer = {}, None
    for line in report.splitlines():
        m = re.match(r"(\S*) +.*? ([0-9.]+) +([0-9.]+)x +\d+  (.*)$", line)
        if m:
            layer = m[1] or layer
            rows.setdefault(layer, []).append((float(m[2]), m[4].removesuffix(" <- chosen"), m[4].endswith("<- chosen")))
    return rows


def milliseconds(folder):
    bench = run(folder + "/ranking", "bench", "--threads", "1", "--iterations", "1", "--layers", "--json").stdout
    return {layer["name"]: layer["ms"] for layer in json.loads(bench)["layers"]}


def measure(rounds, folder):
    """({layer: the model's rows}, {layer: {algorithm: best milliseconds}})"""
    model = folder + "/ranking.yaml"
    with open(model, "w") as f:
        f.write(description())
    ranked, times, built = build(model, folder + "/model", None), {n: {} for n in SHAPES}, {}
    for i, way in enumerate(WAYS):
        built[f"{folder}/{i}"] = build(model, f"{folder}/{i}", way)
    for _ in range(rounds):
        for path, rows in built.items():
            ms = milliseconds(path)
            for n in SHAPES:
                name = next(name for _, name, chosen in rows[n] if chosen)
                times[n][name] = min(times[n].get(name, ms[n]), ms[n])
    return ranked, times


def main():
    with tempfile.TemporaryDirectory() as folder:
        ranked, times = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5, folder)
    print(f"{'shape':12s} {'':28s} {'ms':>9s} {'Mcycles':>9s} {'per ms':>7s}")
    for n, (ic, oc, d, h, w, dilation) in SHAPES.items():
        print(f"{n}: {ic} -> {oc} channels, {d}x{h}x{w}, dilation {dilation}")
        best = min(times[n].values())
        for cycles, name, chosen in ranked[n]:
            if name in times[n]:
                ms = times[n][name]
                note = f"  <- chosen, {ms / best:.2f} of the fastest" if chosen else ""
                print(f"{'':12s} {name:28.28s} {ms:9.3f} {cycles:9.2f} {cycles / ms:7.2f}{note}")


if __name__ == "__main__":
    sys.exit(main())
