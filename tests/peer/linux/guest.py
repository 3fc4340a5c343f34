# SPDX-License-Identifier: MIT
"""Starts `smmusim cosim linux` for a case and keeps what came of it: exit code, outcome, console."""
import json
import os
import re
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STARTED_MAX = 600  # seconds for anything that is waited for here


class Skip(Exception):
    """The case can't be had on this machine; the text is the reason."""


class Failed(Exception):
    """Something does not hold."""


def cache_folder():
    """Where kernels and other QEMUs are kept."""
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "smmusim")


def script(name):
    return os.path.join(HERE, "scripts", name)


class Monitor:
    """QEMU's monitor (QMP) over a socket."""

    def __init__(self, path):
        deadline = time.monotonic() + 30
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise Failed("QEMU's monitor does not answer")
                time.sleep(0.1)
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failed(f"QEMU's {command}: {answer['error']}")

    def close(self):
        self.stream.close()
        self.socket.close()


class Guest:
    """One boot. Arguments are those of the command line; `during(guest)` is called once it runs."""

    def __init__(self, case, *arguments, during=None, expect=0):
        self.folder = tempfile.TemporaryDirectory(prefix="smmusim-guest-")
        self.console_path = self.path("console")
        words = [case.options.program, "cosim", "linux", *case.common(arguments), "--console", self.console_path,
                 "--json", self.path("json"), *arguments]
        with open(self.path("out"), "w") as out, open(self.path("err"), "w") as err:
            self.process = process = subprocess.Popen(words, stdout=out, stderr=err)
            try:
                if during:
                    during(self)
                self.code = process.wait(timeout=STARTED_MAX)
            except subprocess.TimeoutExpired:
                raise Failed(f"{' '.join(words)} hangs")
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait()
        self.errors = self.read("err")
        self.console = self.read("console")
        text = self.read("json")
        self.json = json.loads(text) if text else {}
        self.words = words
        if self.code == 3 and expect != 3:
            raise Skip(self.errors.strip().splitlines()[0])
        self.require(self.code == expect, f"exit code {self.code}, expected {expect}")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def read(self, name):
        try:
            with open(self.path(name), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, text, seconds=60):
        """Until the console has it."""
        deadline = time.monotonic() + seconds
        while text not in self.read("console"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise Failed(f"the guest does not say '{text}' within {seconds} s\n{self.read('err')}")
            time.sleep(0.1)

    def require(self, holds, sentence):
        if not holds:
            tail = "\n".join(self.console.splitlines()[-15:]) if hasattr(self, "console") else ""
            raise Failed(f"{sentence}\n{' '.join(self.words)}\n{self.errors}\n{tail}")

    def says(self, pattern):
        return re.search(pattern, self.console)

    def smmu(self, *keys):
        """A counter of the SMMU's statistics; 0 if it is not there."""
        at = self.json.get("smmu", {})
        for key in keys:
            at = at.get(key, 0) if isinstance(at, dict) else 0
        return at

    def measure(self, name):
        """Operations a second of the guest's."""
        for row in self.json["measures"]:
            if row["name"] == name:
                return row["count"] * 1000 / max(1, row["guest_ms"])
        raise Failed(f"the guest has not measured {name}")

    def require_healthy(self):
        """What holds of every boot in which nothing is provoked."""
        self.require(self.json["errors"] == 0, "the guest tells of errors")
        for pattern in ("CMD_SYNC timeout", "CMDQ error", "event 0x", "unexpected global error", "Unhandled context",
                        r"[Ff]ailed to .*iommu", "Call trace", "rcu: INFO"):
            self.require(not self.says(pattern), f"the kernel says '{pattern}'")
        if self.json["iommu"] == "smmusim":
            self.require(self.json["faults"] == 0, f"{self.json['faults']} faults")
            self.require(self.json["translations"] > 0, "nothing was translated")
            self.require(self.smmu("command_errors") == 0, "commands were refused")
            self.require(not self.smmu("events"), f"events: {self.smmu('events')}")
