"""A peer of the benchmark: a process that has set up one network and computes when it is asked, and only then."""
import json
import os
import select
import signal
import subprocess


class Peer:
    """Starts the command, waits until it has set up and computed once, and stops it until its turn comes.

    reason says in one line why it can't run; then it takes no turns.
    """

    def __init__(self, command, environment, log, limit):
        self.limit, self.reason, self.about, self.peak = limit, None, {}, 0
        with open(log, "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            env={**os.environ, **environment}, start_new_session=True)
        self.pending = b""
        self.about = self.answer() or {}
        if "error" in self.about:
            self.fail(self.about["error"])
        self.pause()

    def fail(self, reason):
        self.reason = self.reason or reason
        self.end()

    def answer(self):
        """The next line as an object; None, with a reason, when there is none."""
        while b"\n" not in self.pending:
            if not select.select([self.process.stdout], [], [], self.limit)[0]:
                return self.fail(f"no answer within {self.limit:.0f} s")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                status = self.process.wait()
                return self.fail("out of memory or killed" if status == -signal.SIGKILL else f"ended with status {status}")
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def ask(self, line):
        if self.reason:
            return None
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            answer = self.answer()
        except BrokenPipeError:
            answer = self.fail("ended")
        self.pause()
        return answer

    def run(self, seconds):
        """[[wall ms, CPU ms], ...] of as many iterations as fit into that time, at least one."""
        answer = self.ask(f"run {seconds}")
        return answer["ms"] if answer and "ms" in answer else []

    def save(self, path):
        return bool((self.ask(f"save {path}") or {}).get("saved"))

    def pause(self):
        """No thread of it may spin in another's turn."""
        if self.process.poll() is None:
            with open(f"/proc/{self.process.pid}/status") as status:
                peak = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
            self.peak = max([self.peak] + [kib / 1024 for kib in peak])
            self.process.send_signal(signal.SIGSTOP)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
