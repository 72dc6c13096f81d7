"""Uses a page of `segment --page` as a reader does, in a headless Chromium: python3 page.py CHROMIUM PAGE [FOLDER]

Scrolls by wheel, keys, slider and touch, switches labels, goes to a label; each must change what is seen. Fails when the
page says anything on the console, asks the network for anything, or shows nothing. Pictures of the page go to FOLDER.
Speaks the DevTools protocol through two pipes, so that nothing but Python is needed.
"""
import base64
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, program, profile):
        ours_read, theirs_write = os.pipe()
        theirs_read, ours_write = os.pipe()

        def descriptors():  # the browser reads 3 and writes 4
            read, write = os.dup(theirs_read), os.dup(theirs_write)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_read)
        os.close(theirs_write)
        self.read, self.write, self.buffer, self.number, self.session = ours_read, ours_write, b"", 0, None
        self.said, self.asked = [], []

    def message(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            if not select.select([self.read], [], [], max(0, end - time.monotonic()))[0]:
                sys.exit("page.py: the browser does not answer")
            data = os.read(self.read, 1 << 20)
            if not data:
                sys.exit("page.py: the browser ended")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        while True:
            m = self.message(120)
            if m.get("id") == self.number:
                if "error" in m:
                    sys.exit(f"page.py: {method}: {m['error']}")
                return m["result"]
            self.note(m)

    def note(self, m):
        method, p = m.get("method"), m.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.said.append(p["exceptionDetails"].get("exception", {}).get("description") or str(p))
        elif method == "Runtime.consoleAPICalled":
            self.said.append(p["type"] + ": " + str([a.get("value") for a in p["args"]]))
        elif method == "Log.entryAdded":
            self.said.append(p["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(p["request"]["url"])

    def value(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            sys.exit(f"page.py: {expression}: {r['exceptionDetails']}")
        return r["result"].get("value")

    def settle(self):  # two frames, so that what was asked for is drawn
        self.value("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def main():
    program, page = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    folder = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        b = Browser(program, profile)
        try:
            use(b, page, folder)
        finally:
            b.process.terminate()
            b.process.wait(20)


def use(b, page, folder):
    failures = []
    target = b.call("Target.createTarget", url="about:blank")["targetId"]
    b.session = b.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        b.call(domain + ".enable")

    def check(what, right):
        if not right:
            failures.append(what)

    def look(name):
        b.settle()
        png = b.call("Page.captureScreenshot", format="png")["data"]
        if folder:
            (folder / (name + ".png")).write_bytes(base64.b64decode(png))
        return png

    def size(width, height, touch=False):
        b.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        b.call("Emulation.setTouchEmulationEnabled", enabled=touch)

    def scheme(name):
        b.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    # The part of a plane's pixels that the labels' colours cover, and all planes' slices.
    slices = "[...document.querySelectorAll('figure input')].map(e => +e.value).join(' ')"
    pixels = "[...document.querySelectorAll('canvas')].map(c => c.toDataURL()).join(' ')"

    def changes(what, act, same=None):
        before = b.value(same or pixels)
        act()
        b.settle()
        check(f"{what} changes nothing", b.value(same or pixels) != before)

    def box(selector, n=0):
        return b.value(f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
                       f" return [r.x, r.y, r.width, r.height]; }})(document.querySelectorAll('{selector}')[{n}])")

    def mouse(kind, x, y, **more):
        b.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(selector, n=0, fx=.5, fy=.5):
        x, y, w, h = box(selector, n)
        mouse("mousePressed", x + w * fx, y + h * fy, button="left", clickCount=1)
        mouse("mouseReleased", x + w * fx, y + h * fy, button="left", clickCount=1)

    def key(name, code):
        b.call("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=code)
        b.call("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    size(1440, 1000)
    scheme("light")
    b.call("Page.navigate", url=page.as_uri())
    end = time.monotonic() + 120
    while b.value("(document.documentElement || {dataset: {}}).dataset.ready") != "yes":
        if time.monotonic() > end:
            failures.append("the slices never came: " + str(b.value("document.body.innerText"))[:300])
            break
        time.sleep(.05)
    check("three planes", b.value("document.querySelectorAll('canvas').length") == 3)
    b.settle()
    if not failures:
        use_planes(b, look, changes, click, box, mouse, key, slices, pixels)
        light = look("light")
        scheme("dark")
        check("light and dark look the same", look("dark") != light)
        size(390, 844, touch=True)
        b.settle()
        check("it is wider than a telephone",
              b.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
        use_touch(b, changes, box, slices)
        b.value("scrollTo(0, 0)")
        look("telephone")
    check(f"the console says {b.said}", not b.said)
    strangers = [u for u in b.asked if not u.startswith(("file:", "data:", "about:"))]
    check(f"the network is asked for {strangers}", not strangers)
    for failure in failures:
        print("page.py:", failure)
    if failures:
        sys.exit(1)
    print(f"{page.name}: opened, scrolled and switched in Chromium; no words on the console, no requests")


def use_planes(b, look, changes, click, box, mouse, key, slices, pixels):
    first = look("opened")
    for plane in range(3):
        x, y, w, h = box("canvas", plane)
        changes(f"the wheel over plane {plane}",
                lambda: mouse("mouseWheel", x + w / 2, y + h / 2, deltaX=0, deltaY=120))
    if look("scrolled") == first:
        sys.exit("page.py: scrolling does not change the picture")
    click("canvas", 2, .4, .4)
    changes("an arrow key", lambda: key("ArrowDown", 40), slices)
    changes("a slider", lambda: b.value("(e => { e.value = 0; e.dispatchEvent(new Event('input')); })"
                                        "(document.querySelector('figure input'))"), slices)
    changes("a click", lambda: click("canvas", 2, .6, .55), slices)
    click("#reset")
    b.settle()
    changes("switching labels off", lambda: click("#shown"))
    changes("switching them on", lambda: click("#shown"))
    changes("the opacity", lambda: b.value("(e => { e.value = 60; e.dispatchEvent(new Event('input')); })"
                                           "(document.getElementById('opacity'))"))
    changes("the contrast", lambda: b.value("(e => { e.value = 120; e.dispatchEvent(new Event('input')); })"
                                            "(document.getElementById('white'))"))
    changes("the key o", lambda: key("o", 79))
    changes("hiding all labels", lambda: click("#every"))
    click("#every")
    before = b.value("document.getElementById('where').textContent")
    changes("enlarging", lambda: click("figure button", 1))
    look("enlarged")
    changes("the way back", lambda: click("figure button", 1))
    click("#reset")
    last = b.value("document.querySelectorAll('.go').length") - 1
    click(".go", last)
    b.settle()
    name = b.value(f"document.querySelectorAll('.go')[{last}].textContent")
    where = b.value("document.getElementById('where').textContent")
    if name not in where:
        sys.exit(f"page.py: going to {name} leads to: {where} (before: {before})")
    b.value("scrollTo(0, 0)")


def use_touch(b, changes, box, slices):
    def drag():
        x, y, w, h = box("canvas", 2)
        at = [x + w / 2, y + h / 2]
        towards = b.value("(e => e.value * 2 < e.max ? 1 : -1)(document.querySelectorAll('figure input')[2])")
        b.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": at[0], "y": at[1]}])
        for step in range(1, 6):
            b.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": at[0], "y": at[1] + 12 * step * towards}])
        b.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    changes("moving on a touch screen", drag, slices)


main()
