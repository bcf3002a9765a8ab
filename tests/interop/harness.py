"""Servers of the test: started on free loopback ports, waited for by polling, stopped by their own pid."""

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_DEADLINE_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binary():
    """The gateway to test: what ACLGATE_BIN says, else the release build."""
    return os.environ.get("ACLGATE_BIN") or str(HERE.parents[1] / "target/release/aclgate")


def render(template, **values):
    """A policy with its `@NAME@` places filled in; `@SHA256 text@` becomes the hash of the text."""
    text = (HERE / "policies" / template).read_text()
    text = re.sub(r"@SHA256 ([^@]+)@", lambda found: hashlib.sha256(found[1].encode()).hexdigest(), text)
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    left = re.search(r"@[A-Z_]+@", text)
    assert not left, f"{template}: nothing given for {left[0]}"
    return text


def replace_file(path, text):
    """As an editor saves: a new file takes the old one's name."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    os.replace(temporary, path)


class Server:
    """A child process that listens on `port`; its output goes to `log`."""

    def __init__(self, command, port, log):
        self.port, self.log = port, log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def wait(self):
        deadline = time.monotonic() + START_DEADLINE_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args} ended with {self.process.returncode}:\n{self.output()}")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise RuntimeError(f"{self.process.args} did not listen on {self.port}:\n{self.output()}")

    def output(self):
        return Path(self.log).read_text(errors="replace")

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def peak_resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Stage:
    """Starts servers in a folder of its own and stops them in reverse order."""

    def __init__(self, folder):
        self.folder, self.servers = Path(folder), []

    def start(self, command, port, name):
        server = Server([str(part) for part in command], port, self.folder / f"{name}.log")
        self.servers.append(server)
        return server.wait()

    def gateway(self, name, text, port):
        """A gateway of its own with this policy; returns the server and the policy's path."""
        path = self.folder / f"{name}.toml"
        path.write_text(text)
        return self.gateway_at(name, path, port), path

    def gateway_at(self, name, path, port):
        """A gateway with the policy that is in this file."""
        return self.start([binary(), "run", "-c", path], port, name)

    def node(self, script, *arguments):
        return [os.environ.get("NODE") or shutil.which("node"), HERE / script, *arguments]

    def stop(self):
        for server in reversed(self.servers):
            server.stop()

    def show_logs(self):
        for server in self.servers:
            print(f"--- {server.log} (its end)", *server.output().splitlines()[-40:], sep="\n", file=sys.stderr)


@contextmanager
def stage(folder):
    """The servers of one stage: stopped at its end, their logs shown if it fails."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    running = Stage(folder)
    try:
        yield running
    except BaseException as end:
        if not (isinstance(end, SystemExit) and end.code == 0):
            running.show_logs()
        raise
    finally:
        running.stop()
