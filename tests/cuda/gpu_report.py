"""The report of tests/cuda/gpu-check.sh, from what its steps left in a folder: report.txt, report.json, report.svg.

  gpu_report.py input INSPECT.json FILE.npy            a seeded input for the model
  gpu_report.py volume INSPECT.json FILE.nii           a seeded volume of six of its tiles
  gpu_report.py report FOLDER "MODELS" "PRECISIONS"    exit status 1 when a check failed
"""
import array
import ast
import csv
import json
import os
import random
import re
import struct
import sys
from html import escape

LIMITS = {"fp32": 2e-5, "tf32": 5e-3, "fp16": 1e-2, "bf16": 8e-2} # relative RMS against the CPU's output


# ---- .npy files of floats, without numpy


def write_npy(path, shape, values):
    header = repr({"descr": "<f4", "fortran_order": False, "shape": tuple(shape)})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        array.array("f", values).tofile(f)


def read_npy(path):
    with open(path, "rb") as f:
        data = f.read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    kind = ast.literal_eval(data[10:start].decode())["descr"]
    values = array.array({"<f4": "f", "<i8": "q", "|u1": "B", "<i4": "i"}[kind])
    values.frombytes(data[start:])
    return values


def make_input(inspected, path):
    shape = load(inspected)["inputs"][0]["shape"]
    generator = random.Random(1)
    count = 1
    for extent in shape:
        count *= extent
    write_npy(path, shape, (generator.gauss(0, 1) for _ in range(count)))


def make_volume(inspected, path):
    extents = [n * times for n, times in zip(load(inspected)["outputs"][0]["shape"][2:], (3, 2, 1))]
    header = struct.pack("<i36x8h14xhh2x8f", 348, 3, *extents, 1, 1, 1, 1, 16, 32, 1, 1, 1, 1, 0, 0, 0, 0)
    header = header.ljust(108, b"\0") + struct.pack("<f", 352)
    generator = random.Random(2)
    with open(path, "wb") as f:
        f.write(header.ljust(344, b"\0") + b"n+1\0" + bytes(4))
        array.array("f", (generator.gauss(0, 1) for _ in range(extents[0] * extents[1] * extents[2]))).tofile(f)


def relative_rms(path, expected):
    a, b = read_npy(path), read_npy(expected)
    error = sum((x - y) ** 2 for x, y in zip(a, b))
    return (error / max(sum(y * y for y in b), 1e-300)) ** 0.5


# ---- what the steps left


def load(path, otherwise=None):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return otherwise


def load_lines(path):
    try:
        with open(path) as f:
            return [json.loads(line) for line in f]
    except (OSError, ValueError):
        return []


def read_results(folder):
    with open(os.path.join(folder, "results.tsv")) as f:
        return [dict(zip(("name", "status", "said"), line.rstrip("\n").split("\t"))) for line in f]


def kernel_speeds(path):
    """The rows of tests/cuda/kernels_speed.cu among what the kernels' tests printed."""
    try:
        with open(path) as f:
            return [line.rstrip("\n") for line in f if re.search(r" ms .* GB/s .* GFLOP/s$", line)]
    except OSError:
        return []


def profile(path):
    """ncu's table, a line for each kernel and metric, as a row for each kernel."""
    short = {"gpu__time_duration.sum": "ms", "sm__throughput.avg.pct_of_peak_sustained_elapsed": "sm",
             "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed": "memory"}
    rows = {}
    try:
        with open(path, newline="") as f:
            for line in csv.DictReader(line for line in f if line.startswith('"')):
                row = rows.setdefault(line["ID"], {"name": line["Kernel Name"], "ms": 0, "sm": 0, "memory": 0})
                scale = {"nsecond": 1e-6, "ns": 1e-6, "usecond": 1e-3, "us": 1e-3}.get(line["Metric Unit"], 1)
                row[short[line["Metric Name"]]] = float(line["Metric Value"].replace(",", "")) * scale
    except (OSError, KeyError, TypeError, ValueError):
        return []
    return list(rows.values())


def running(folder):
    """The step that had begun and not ended when the report was made, None at the end."""
    try:
        with open(os.path.join(folder, "running")) as f:
            return f.read().strip()
    except OSError:
        return None


def peak_mib(path):
    try:
        with open(path) as f:
            used = [int(line) for line in f if line.strip().isdigit()]
    except OSError:
        return None
    return max(used) - used[0] if used else None


def readers(path):
    """Which values each layer reads, from the graph's text."""
    reads = {}
    with open(path) as f:
        for line in f:
            m = re.match(r"((?:%[\w.]+(?:, )?)+) = \w+\(([^)]*)\)", line)
            for y in re.findall(r"%([\w.]+)", m[1]) if m else ():
                reads[y] = re.findall(r"%([\w.]+)", m[2])
    return reads


def costs(folder, model, precision):
    """Layer -> (multiply-adds, bytes of device memory read and written, each value once)."""
    graph = load(os.path.join(folder, model + ".json"), {"layers": [], "inputs": []})
    width = {"fp16": 2, "bf16": 2}.get(precision, 4)
    size = {}
    for value in graph["layers"] + graph["inputs"]:
        size[value["name"]] = width
        for extent in value["shape"]:
            size[value["name"]] *= extent
    reads = readers(os.path.join(folder, model + ".ir"))
    return {v["name"]: (v["macs"], size[v["name"]] + width * v["parameters"] + sum(size.get(r, 0) for r in reads.get(v["name"], [])))
            for v in graph["layers"]}


def known_rms(path, expected):
    """relative_rms, kept beside the file: the report is written after every step."""
    kept = path + ".rms"
    if not os.path.exists(kept) or os.path.getmtime(kept) < max(os.path.getmtime(path), os.path.getmtime(expected)):
        rms = relative_rms(path, expected)
        with open(kept, "w") as f:
            f.write(repr(rms))
    with open(kept) as f:
        return float(f.read())


def measured(folder, model, precision):
    base = os.path.join(folder, f"{model}-{precision}", model)
    bench = load(base + ".bench.json")
    entry = {"model": model, "precision": precision, "bench": bench, "tuned": load(base + ".tuned.json"),
             "peak_mib": peak_mib(base + ".memory")}
    try:
        entry["rms"] = known_rms(base + ".1.npy", os.path.join(folder, model + ".cpu.npy"))
    except (OSError, KeyError, ValueError, OverflowError):
        entry["rms"] = None
    return entry


def roofline(entry, ceilings, cost):
    """Adds to each layer of the benchmark what it costs and the least time that the ceilings allow."""
    if not entry["bench"] or not ceilings or entry["precision"] not in ceilings["macs_per_second"]:
        return
    for layer in entry["bench"].get("layers", []):
        macs, moved = cost.get(layer["name"], (0, 0))
        arithmetic = macs / ceilings["macs_per_second"][entry["precision"]] * 1e3
        memory = moved / ceilings["copy_bytes_per_second"] * 1e3
        layer.update(macs=macs, bytes=moved, least_ms=max(arithmetic, memory), bound="arithmetic" if arithmetic > memory else "memory")


def collect(folder, models, precisions):
    ceilings = load(os.path.join(folder, "ceilings.json"))
    with open(os.path.join(folder, "gpu.txt")) as f:
        run = {"gpu": f.read().strip(), "ceilings": ceilings, "results": read_results(folder),
               "peers": load_lines(os.path.join(folder, "peers.jsonl")),
               "running": running(folder), "profile": profile(os.path.join(folder, "ncu.log")),
               "kernels": kernel_speeds(os.path.join(folder, "kernels.log")), "measured": []}
    for model in models:
        for precision in precisions:
            entry = measured(folder, model, precision)
            roofline(entry, ceilings, costs(folder, model, precision))
            run["measured"].append(entry)
    for entry in run["measured"]:
        if entry["rms"] is not None and not entry["rms"] <= LIMITS[entry["precision"]]:
            run["results"].append({"name": f"accuracy-{entry['model']}-{entry['precision']}", "status": "FAILED",
                                   "said": f"relative RMS {entry['rms']:.2g} exceeds {LIMITS[entry['precision']]:.2g}"})
    return run


# ---- the report


def number(x, form):
    return "-" if x is None else format(x, form)


def time_rows(run):
    yield (f"{'network':<16} {'':<6} {'ms':>10} {'tuned':>10} {'and copies':>10} {'TMAC/s':>9} {'peak MiB':>9} {'RMS':>9}")
    for e in run["measured"]:
        if e["bench"]:
            ms, tuned = e["bench"]["device_min_ms"], e["tuned"]["device_min_ms"] if e["tuned"] else None
            yield (f"{e['model']:<16} {e['precision']:<6} {ms:10.3f} {number(tuned, '10.3f'):>10} {e['bench']['median_ms']:10.3f} "
                   f"{e['bench']['gmac'] / ms:9.2f} {number(e['peak_mib'], '9.0f'):>9} {number(e['rms'], '9.2g'):>9}")


def layer_rows(entry):
    for layer in entry["bench"].get("layers", []):
        row = f"  {layer['name']:<18} {layer['ms']:9.4f} "
        if "least_ms" in layer and layer["ms"] > 0: # not without ceilings
            row += (f"{layer['least_ms']:9.4f} {100 * layer['least_ms'] / layer['ms']:6.0f} %  {layer['bound']:<10} "
                    f"{layer['macs'] / 1e9:9.3f} {layer['bytes'] / 1e6:9.2f}")
        yield row


def peer_rows(run):
    for p in run["peers"]:
        yield f"  {p['name']:<14} {p['precision']:<6} " + (f"{p['ms']:10.3f} ms" if "ms" in p else p["missing"])


def text(run, paper):
    failed = [r for r in run["results"] if r["status"] == "FAILED"]
    out = [run["gpu"], ""]
    if run["ceilings"]:
        rates = ", ".join(f"{p} {r / 1e12:.1f}" for p, r in run["ceilings"]["macs_per_second"].items())
        out += [f"ceilings: copy {run['ceilings']['copy_bytes_per_second'] / 1e9:.0f} GB/s; convolution, TMAC/s: {rates}", ""]
    out += [f"{'checks':<40} status"] + [f"{r['name']:<40} {r['status']:<9} {r['said']}" for r in run["results"]]
    out += ["", "ms: the best run, from device to device; tuned: with measured plans; and copies: the median from host to host"]
    out += list(time_rows(run))
    if run["peers"]:
        out += ["", f"{paper} by others, the best run from device to device:"] + list(peer_rows(run))
    for entry in run["measured"]:
        if entry["model"] == paper and entry["bench"]:
            out += ["", f"{paper}, {entry['precision']}, layer by layer; least: what the ceilings allow for its arithmetic and bytes",
                    f"  {'layer':<18} {'ms':>9} {'least':>9} {'':>8}  {'bound by':<10} {'GMAC':>9} {'MB':>9}"] + list(layer_rows(entry))
    if run["kernels"]:
        out += ["", "own kernels in fp16, from the bytes and arithmetic that each needs; copy is the yardstick"]
        out += ["  " + row for row in run["kernels"]]
    if run["profile"]:
        out += ["", f"{paper}, its kernels by ncu: ms, percent of the GPU's arithmetic and memory throughput"]
        out += [f"  {row['name'][:60]:<60} {row['ms']:9.4f} {row['sm']:6.1f} {row['memory']:6.1f}" for row in run["profile"]]
    if run["running"]:
        out += ["", f"cut off in: {run['running']}"]
    left_out = sum(r["status"] == "left out" for r in run["results"])
    out += ["", f"{len(failed)} of {len(run['results'])} checks failed, {left_out} were left out"]
    return "\n".join(out) + "\n"


def chart(run, paper):
    """A bar for each way to run the paper's network."""
    bars = [(f"voxc {e['precision']}", e["bench"]["device_min_ms"], "#0969da") for e in run["measured"] if e["model"] == paper and e["bench"]]
    bars += [(f"{p['name']} {p['precision']}", p["ms"], "#afb8c1") for p in run["peers"] if "ms" in p]
    longest = max((ms for _, ms, _ in bars), default=1)
    rows = []
    for i, (name, ms, colour) in enumerate(bars):
        y, width = 48 + 24 * i, 520 * ms / longest
        rows.append(f'<text x="190" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
                    f'<rect x="200" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>'
                    f'<text x="{208 + width:.1f}" y="{y + 13}">{ms:.2f} ms</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{64 + 24 * len(bars)}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="white"/><text x="16" y="24" font-size="14" font-weight="bold">{escape(paper)} on '
            f'{escape(run["gpu"].split(",")[0])}, ms per tile, from device to device</text>' + "".join(rows) + "</svg>\n")


def report(folder, models, precisions):
    run = collect(folder, models, precisions)
    written = {"report.txt": text(run, models[0]), "report.svg": chart(run, models[0]), "report.json": json.dumps(run, indent=1) + "\n"}
    for name, content in written.items():
        path = os.path.join(folder, name)
        with open(path + ".part", "w") as f:
            f.write(content)
        os.replace(path + ".part", path) # whole at any moment
    print(written["report.txt"], end="")
    return any(r["status"] == "FAILED" for r in run["results"])


if __name__ == "__main__":
    if sys.argv[1] == "input":
        make_input(sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "volume":
        make_volume(sys.argv[2], sys.argv[3])
    else:
        sys.exit(report(sys.argv[2], sys.argv[3].split(), sys.argv[4].split()))
