"""What a run of the benchmark says, as text and as Markdown."""
TITLES = {
    "voxc": "voxc",
    "voxc-1": "voxc, 1 thread",
    "voxc-strict": "voxc, strict math",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "torch": "PyTorch",
    "torch-channels-last": "PyTorch, channels last",
    "torch-compile": "PyTorch, torch.compile",
    "tvm": "TVM",
    "onednn": "oneDNN, its 3x3x3 layers only",
    "fma": "FMA peak",
    "fma-1": "FMA peak, 1 thread",
}
PARTIAL = {"onednn", "fma", "fma-1"} # not the whole network
COLUMNS = ["", "version", "best", "median", "CPU time", "best / voxc", "median / voxc", "peak memory", "MACs / FMA peak", "difference"]
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def by_name(network):
    """The peers that ran."""
    return {p["name"]: p for p in network["peers"] if "best_ms" in p}


def fastest(network, key):
    rivals = [p for n, p in by_name(network).items() if n not in PARTIAL and not n.startswith("voxc")]
    return min(rivals, key=lambda p: p[key], default=None)


def fma_rate(network, threads_one):
    """GMAC/s that the multiply-add loop reached in the same minutes."""
    p = by_name(network).get("fma-1" if threads_one else "fma")
    return p["about"]["macs"] * 1e-6 / p["best_ms"] if p else None


def milliseconds(t):
    return f"{t:.0f} ms" if t >= 100 else f"{t:.1f} ms"


def row(network, p):
    name, ours = p["name"], by_name(network).get("voxc")
    if "best_ms" not in p:
        return None
    ratios = [f"{p[k] / ours[k]:.2f}" if ours and not name.startswith("fma") else "" for k in ("best_ms", "median_ms")]
    peak = fma_rate(network, name.endswith("-1"))
    gmac = {"onednn": network["gmac_333"], "fma": None, "fma-1": None}.get(name, network["gmac"])
    rate = f"{gmac * 1e3 / p['best_ms'] / peak:.2f}" if peak and gmac else ""
    if name.startswith("fma"):
        rate = f"{peak:.0f} GMAC/s"
    difference = f"{p['difference']:.1e}" if p.get("difference") is not None and name != "onnxruntime" else ""
    memory = "" if name.startswith("fma") else f"{p['peak_mib']:.0f} MiB"
    times = [""] * 3 if name.startswith("fma") else [milliseconds(p[k]) for k in ("best_ms", "median_ms", "best_cpu_ms")]
    return [TITLES[name], p["about"].get("version", ""), *times, *ratios, memory, rate, difference]


def rows(network):
    return [r for r in (row(network, p) for p in network["peers"]) if r]


def missing(network):
    return [f"{TITLES[p['name']]}: {p['reason'] or 'took no turn'}" for p in network["peers"] if "best_ms" not in p]


def against_fastest(network, ours, what):
    """"" when either did not run."""
    p, rival = by_name(network).get(ours), fastest(network, "best_ms")
    if not p or not rival:
        return ""
    words = []
    for key, of in (("best_ms", "best against best"), ("median_ms", "median against median")):
        rival = fastest(network, key)
        words.append(f"{rival[key] / p[key]:.2f}x {of} ({TITLES[rival['name']]})")
    return f"{what} against the fastest peer: " + ", ".join(words)


def scaling(run, network):
    """Threads against one, which took turns in one process."""
    all_threads, one = (by_name(network).get(name) for name in ("voxc", "voxc-1"))
    if not all_threads or not one:
        return ""
    ratios = [one[key] / all_threads[key] for key in ("best_ms", "median_ms")]
    return f"{run['threads']} threads against one: {ratios[0]:.2f}x best against best, {ratios[1]:.2f}x median against median"


def verdicts(run, network):
    lines = [against_fastest(network, "voxc", "voxc"), against_fastest(network, "voxc-strict", "voxc with strict math"),
             scaling(run, network)]
    return [line for line in lines if line]


def title(network):
    return f"{network['name']}: {'x'.join(map(str, network['input']))}, {network['gmac']:.0f} GMAC"


def text(run, network):
    table = [COLUMNS] + rows(network)
    widths = [max(len(r[i]) for r in table) for i in range(len(COLUMNS))]
    lines = ["", f"{title(network)}, {run['threads']} threads"]
    lines += ["  ".join(v.ljust(w) if i < 2 else v.rjust(w) for i, (v, w) in enumerate(zip(r, widths))) for r in table]
    return "\n".join(lines + missing(network) + verdicts(run, network) + [""])


def markdown(run):
    lines = [f"{run['machine']}; fp32, {run['threads']} threads, {run['rounds']} rounds.", ""]
    for network in run["networks"]:
        lines += [f"**{title(network)}**", "", "| " + " | ".join(COLUMNS) + " |", "|---|---|" + "---:|" * (len(COLUMNS) - 2)]
        lines += ["| " + " | ".join(r) + " |" for r in rows(network)]
        lines += [""] + [f"{line}.  " for line in missing(network) + verdicts(run, network)] + [""]
    return "\n".join(lines)


def write_markdown(run, path):
    """Between the markers of the file, if it has them; else the whole file."""
    try:
        with open(path) as f:
            old = f.read()
    except FileNotFoundError:
        old = ""
    new = markdown(run)
    if BEGIN in old and END in old:
        new = old.split(BEGIN)[0] + BEGIN + "\n" + new + END + old.split(END, 1)[1]
    with open(path, "w") as f:
        f.write(new)
