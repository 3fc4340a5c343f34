# SPDX-License-Identifier: MIT
"""Cases in which something is wrong, provoked or pulled out."""
import os
import shutil
import signal
import subprocess
import sys
import time

from guest import Failed, Guest, Monitor, script

CASES = []


def case(function):
    CASES.append((function.__name__, function, False))
    return function


def require_no_process(marker):
    """No QEMU that was started with this word is left."""
    found = subprocess.run(["pgrep", "-f", marker], capture_output=True, text=True).stdout.split()
    alive = [pid for pid in found if os.path.exists(f"/proc/{pid}/exe") and int(pid) != os.getpid()]
    if alive:
        raise Failed(f"processes {alive} are left")


@case
def bad_dma(run):
    """A device whose driver is gone is made to read where nothing is mapped: the driver prints F_TRANSLATION."""
    guest = Guest(run, "--device", "nvme", "--run", script("bad_dma.sh"))
    guest.require(guest.says(r"event 0x10 received:"), "the driver does not print the event")
    guest.require(guest.smmu("events", "F_TRANSLATION") > 0, f"events {guest.smmu('events')}")
    guest.require(guest.says(r"0x00000000dead0000|0x0*dead0"), "the event does not name the address")
    guest.require(guest.json["faults"] > 0, "no fault is counted")


@case
def bad_dma_wired(run):
    """The same with wired interrupts: the event reaches the driver too."""
    guest = Guest(run, "--device", "nvme", "--set", "smmu.msi=false", "--run", script("bad_dma.sh"))
    guest.require(guest.says(r"event 0x10 received:"), "the driver does not print the event")
    guest.require(guest.smmu("interrupts", "wired") > 0, "no wired interrupt")


@case
def illegal_command(run):
    """The driver sees the error, replaces the command and goes on.

    It waits for its commands with interrupts off, and handles the error in an interrupt: it can be in time only if
    another CPU has that. The replaced command is lost, so what the next accesses see is not checked.
    """
    guest = Guest(run, "--device", "nvme", "--cpus", "2", "--inject", "illegal-command:4000", "--run", script("read_apart.sh"))
    guest.require(guest.says(r"CMDQ error .*Illegal command"), "the driver does not tell of the error")
    guest.require(guest.smmu("command_errors") == 1, f"{guest.smmu('command_errors')} command errors")
    guest.require(not guest.says("CMD_SYNC timeout"), "CMD_SYNC times out")


@case
def defect_inside_qemu(run):
    """A CHECK of the model that fails ends QEMU and us with exit code 70 and one line."""
    guest = Guest(run, "--device", "nvme", "--inject", "defect:50", expect=70)
    lines = guest.errors.strip().splitlines()
    guest.require(len(lines) == 1 and lines[0].startswith("smmusim: "), f"standard error {lines}")
    require_no_process(os.path.basename(guest.folder.name))


@case
def guest_that_hangs(run):
    guest = Guest(run, "--device", "nvme", "--run", script("hang.sh"), "--timeout", "15", "--append",
                  "smmusim.marker=hanging-guest", expect=1)
    guest.require("did not end within 15 s" in guest.errors, "no time-out is told")
    shown = [line for line in guest.errors.splitlines() if line.startswith("smmusim: | ")]
    guest.require(len(shown) == 50, f"{len(shown)} lines of the console are shown")
    guest.require(guest.json["translations"] > 0, "no statistics after a time-out")
    require_no_process("smmusim.marker=hanging-guest")


@case
def script_that_fails(run):
    guest = Guest(run, "--device", "nvme", "--run", script("fail.sh"), expect=1)
    guest.require(guest.json["guest_exit"] == 7, f"exit {guest.json['guest_exit']}")
    guest.require("the guest's script ended with 7" in guest.errors, "standard error")


def end_launcher(run, marker, number):
    """Starts a guest that hangs, ends its launcher by this signal, and gives the folder of its temporary files."""
    folder, console = run.scratch("tmp"), run.scratch("console")
    os.mkdir(folder)
    words = [run.options.program, "cosim", "linux", "--run", script("hang.sh"), "--append", marker, "--console", console,
             *run.common(())]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "TMPDIR": folder})
    deadline = time.monotonic() + 60
    while not os.path.exists(console) or os.path.getsize(console) == 0:
        if time.monotonic() > deadline or process.poll() is not None:
            process.kill()
            raise Failed("the guest does not start")
        time.sleep(0.1)
    process.send_signal(number)
    if process.wait(timeout=10) != -number:
        raise Failed(f"exit code {process.returncode}")
    return folder


@case
def terminated(run):
    """SIGTERM to the launcher leaves no process and no temporary file."""
    folder = end_launcher(run, "smmusim.marker=terminated-guest", signal.SIGTERM)
    require_no_process("smmusim.marker=terminated-guest")
    if os.listdir(folder):
        raise Failed(f"left behind: {os.listdir(folder)}")


@case
def killed(run):
    """SIGKILL to the launcher leaves no process; its temporary files go when the next one starts."""
    folder = end_launcher(run, "smmusim.marker=killed-guest", signal.SIGKILL)
    time.sleep(1)  # QEMU's end takes a moment
    require_no_process("smmusim.marker=killed-guest")
    if not os.listdir(folder):
        raise Failed("there is nothing to be removed")
    subprocess.run([run.options.program, "cosim", "linux", "--qemu", "/bin/true"], capture_output=True,
                   env={**os.environ, "TMPDIR": folder})
    if os.listdir(folder):
        raise Failed(f"left behind: {os.listdir(folder)}")


@case
def removed_and_found_again(run):
    """The driver's side of unplugging: remove the function, look for it again, read."""
    guest = Guest(run, "--device", "nvme", "--root-port", "--run", script("rescan.sh"))
    guest.require_healthy()


@case
def unplugged(run):
    """QEMU takes the device away while it is read, and gives it back."""
    monitor, disk = run.scratch("monitor"), run.scratch("disk")
    with open(disk, "wb") as file:
        file.truncate(16 << 20)

    def unplug(guest):
        guest.wait_for("smmusim-guest: ready to unplug")
        qmp = Monitor(monitor)
        qmp.do("device_del", id="dev0")
        guest.wait_for("smmusim-guest: gone")
        time.sleep(3)  # the slot is switched off a second later, with whatever is in it by then
        qmp.do("device_add", driver="nvme", serial="again", id="again", drive="disk1", bus="port0")
        qmp.close()
    guest = Guest(run, "--device", "nvme", "--root-port", "--run", script("unplug.sh"), "--qemu-arg=-qmp",
                  f"--qemu-arg=unix:{monitor},server=on,wait=off", "--qemu-arg=-drive",
                  f"--qemu-arg=if=none,id=disk1,format=raw,file={disk}", during=unplug)
    guest.require(not guest.says("CMD_SYNC timeout"), "CMD_SYNC times out")


@case
def shared_object_missing(run):
    """A program without the shared object says what to build."""
    alone = run.scratch("smmusim")
    shutil.copy(run.options.program, alone)
    done = subprocess.run([alone, "cosim", "linux"], capture_output=True, text=True)
    if done.returncode != 3 or "libsmmusim-qemu.so" not in done.stderr or "cmake --build" not in done.stderr:
        raise Failed(f"exit code {done.returncode}: {done.stderr}")


@case
def symbols_missing(run):
    """A program that is no QEMU is told what it lacks; nothing of it is called."""
    shared_object = os.path.join(os.path.dirname(run.options.program), "libsmmusim-qemu.so")
    load = f"import ctypes; ctypes.CDLL({shared_object!r}).qemu_plugin_install(0, None, 0, None)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True)
    if done.returncode != 3 or "does not export qmp_query_version, " not in done.stderr or \
            "use qemu-system-aarch64 7.2" not in done.stderr:
        raise Failed(f"exit code {done.returncode}: {done.stderr}")
