"""A framework as a program of the benchmark; tests/bench/turns.h says how it answers.

usage: worker.py FRAMEWORK MODEL.onnx INPUT THREADS SHAPE; INPUT: raw 32-bit floats; SHAPE: 1,3,132,132,116
"""
import json
import os
import sys
import time

import numpy
from frameworks import FRAMEWORKS
from windows import WINDOWS


def turn(run, seconds):
    """The times of as many iterations as fit, at least one, and the last output."""
    times, begun = [], time.perf_counter()
    while not times or time.perf_counter() - begun < seconds:
        start, cpu = time.perf_counter(), time.process_time()
        output = run()
        times.append([1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)])
    return times, output


def main():
    name, model, path, threads, shape = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1) # what a framework prints is no answer
    x = numpy.fromfile(path, numpy.float32).reshape([int(v) for v in shape.split(",")])
    try:
        run, version = {**FRAMEWORKS, **WINDOWS}[name](model, x, int(threads))
        output = run()
    except Exception as e: # whatever it is, it is this peer's one line
        print(json.dumps({"error": f"{type(e).__name__}: {str(e).strip() or 'no message'}".splitlines()[0][:200]}), file=answers)
        return
    print(json.dumps({"version": version}), file=answers)
    for line in sys.stdin:
        word, what = line.rstrip("\n").split(" ", 1)
        if word == "run":
            times, output = turn(run, float(what))
            print(json.dumps({"ms": times}), file=answers)
        else:
            numpy.ascontiguousarray(output, numpy.float32).tofile(what)
            print(json.dumps({"saved": True}), file=answers)


if __name__ == "__main__":
    main()
