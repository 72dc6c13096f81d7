"""A run of the benchmark as an SVG chart: for each network a bar per peer, time relative to ours."""
from html import escape

from report import PARTIAL, TITLES, by_name, milliseconds

WIDTH, LEFT, RIGHT, BAR, GAP, HEAD, TOP = 900, 226, 200, 16, 6, 44, 64
INK, FAINT, OURS, THEIRS, PART = "#1f2328", "#6e7781", "#0969da", "#afb8c1", "#dde2e7"
LIMIT = 4.0 # longer bars are cut, and say so


def element(name, text=None, **attributes):
    written = "".join(f' {k.replace("_", "-")}="{escape(str(v))}"' for k, v in attributes.items())
    return f"<{name}{written}/>" if text is None else f"<{name}{written}>{escape(text)}</{name}>"


def label(x, y, text, anchor="start", fill=INK, size=12, weight="normal"):
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, fill=fill, font_size=size, font_weight=weight,
                   stroke="white", stroke_width=4, paint_order="stroke") # readable where it crosses a line


def bars(network):
    return [p for n, p in by_name(network).items() if n not in ("fma", "fma-1")]


def bar(p, ours, y, scale):
    ratio = p["median_ms"] / ours["median_ms"]
    colour = OURS if p["name"].startswith("voxc") else PART if p["name"] in PARTIAL else THEIRS
    length = min(ratio, LIMIT) * scale
    words = f"{ratio:.2f}\u00d7\u2002{milliseconds(p['median_ms'])}\u2002{p['peak_mib']:.0f} MiB"
    out = [label(LEFT - 8, y + BAR - 4, TITLES[p["name"]], "end"),
           element("rect", x=LEFT, y=y, width=f"{length:.1f}", height=BAR, fill=colour),
           label(LEFT + length + 6, y + BAR - 4, words, fill=FAINT, size=11)]
    if ratio > LIMIT: # a slanted gap near the end
        x = LEFT + length - 14
        out.append(element("path", d=f"M{x:.1f} {y + BAR} l6 {-BAR} h5 l-6 {BAR} z", fill="white"))
    return out


def panel(network, y, scale):
    ours = by_name(network)["voxc"]
    shape = " \u00d7 ".join(map(str, network["input"]))
    out = [label(16, y + 20, network["name"], size=14, weight="bold"),
           label(LEFT, y + 20, f"{shape}, {network['gmac']:.0f} GMAC", fill=FAINT)]
    y += HEAD - 12
    bottom = y + len(bars(network)) * (BAR + GAP)
    out.append(element("line", x1=f"{LEFT + scale:.1f}", x2=f"{LEFT + scale:.1f}", y1=y - 3, y2=bottom - GAP + 3, stroke=OURS,
                       stroke_dasharray="2 3"))
    for p in bars(network):
        out += bar(p, ours, y, scale)
        y += BAR + GAP
    return out, bottom + 14


def chart(run):
    """The SVG text; networks that ours did not compute are left out."""
    networks = [n for n in run["networks"] if "voxc" in by_name(n)]
    longest = max((min(p["median_ms"] / by_name(n)["voxc"]["median_ms"], LIMIT) for n in networks for p in bars(n)), default=1)
    scale = (WIDTH - LEFT - RIGHT) / longest
    body, y = [], TOP
    for network in networks:
        out, y = panel(network, y, scale)
        body += out
    head = [element("rect", width=WIDTH, height=y, fill="white"),
            label(16, 28, "Time for one volume relative to voxc (shorter is faster)", size=16, weight="bold"),
            label(16, 48, f"median and peak memory; fp32, {run['threads']} threads; {run['machine']}", fill=FAINT)]
    opening = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
               'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">')
    return "\n".join([opening, *head, *body, "</svg>", ""])
