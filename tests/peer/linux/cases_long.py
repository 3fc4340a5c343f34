# SPDX-License-Identifier: MIT
"""Cases that take minutes: stress, many boots, speed beside QEMU's own SMMU, other versions of QEMU."""
import os
import statistics
import subprocess

from guest import HERE, Failed, Guest, Skip, cache_folder, script

CASES = []
LONG = ("--append", "READS=16000 ROUNDS=50", "--timeout", "580")


def case(function):
    CASES.append((function.__name__, function, False))
    return function


def stress(device, cpus):
    def function(run):
        guest = Guest(run, "--device", device, "--cpus", str(cpus), *LONG)
        guest.require_healthy()
        run.note(f"{guest.json['translations']} translations, {guest.smmu('commands', 'CMD_SYNC')} CMD_SYNC")
    return function


for _device in ("nvme", "virtio-blk", "virtio-net", "e1000e"):
    for _cpus in (1, 2):
        CASES.append((f"stress_{_device.replace('-', '_')}_{_cpus}_cpus", stress(_device, _cpus), False))


@case
def twenty_boots(run):
    seconds = []
    for number in range(20):
        guest = Guest(run, "--device", "nvme", "--run", script("idle.sh"), "--cpus", str(1 + number % 2))
        guest.require_healthy()
        seconds.append(guest.json["boot_seconds"])
    run.note(f"user space after {min(seconds):.2f} to {max(seconds):.2f} s")


@case
def boot_time_beside_plain_qemu(run):
    """At most 1.3 times. In turns, the best of five: a busy host only makes a boot slower.

    With more work than processors on the host the wall clock says little; then QEMU's processor time counts.
    """
    wall, cpu = {}, {}
    for _ in range(5):
        for iommu in ("none", "qemu", "smmusim"):
            guest = Guest(run, "--iommu", iommu, "--device", "nvme", "--run", script("idle.sh"))
            wall[iommu] = min(wall.get(iommu, 1e9), guest.json["boot_seconds"])
            cpu[iommu] = min(cpu.get(iommu, 1e9), guest.json["boot_cpu_seconds"])
    ratio = wall["smmusim"] / wall["none"]
    cpu_ratio = cpu["smmusim"] / cpu["none"]
    busy = os.getloadavg()[0] > os.cpu_count()
    run.note(", ".join(f"{iommu} {wall[iommu]:.2f} s ({cpu[iommu]:.2f} s of a CPU)" for iommu in wall))
    run.note(f"ratio {ratio:.2f} ({cpu_ratio:.2f})" + (", a busy host" if busy else ""))
    if ratio > 1.3 and not (busy and cpu_ratio <= 1.3):
        raise Failed(f"{ratio:.2f} times plain QEMU's")


@case
def read_rate_beside_qemus_smmu(run):
    """At least half. For the SMMU each read is a mapping of its own, wherever it is on the disk."""
    rates = {}
    for _ in range(3):
        for iommu in ("qemu", "smmusim"):
            guest = Guest(run, "--iommu", iommu, "--device", "nvme", "--append", "READS=1024 ROUNDS=1")
            for name in ("nvme.read_4k", "nvme.random_read_4k"):
                rates.setdefault((iommu, name), []).append(guest.measure(name))
    for name in ("nvme.read_4k", "nvme.random_read_4k"):
        ours, theirs = (statistics.median(rates[iommu, name]) for iommu in ("smmusim", "qemu"))
        run.note(f"{name} {ours:.0f}/s, QEMU's {theirs:.0f}/s")
        if ours < 0.5 * theirs:
            raise Failed(f"{name}: {ours / theirs:.2f} of QEMU's")


def other_qemu(suites, versions):
    def function(run):
        cache = os.path.join(cache_folder(), "qemu" if versions == "11.1" else f"qemu-{versions}")
        os.makedirs(cache, exist_ok=True)
        done = subprocess.run([os.path.join(HERE, "../qemu/install"), cache], capture_output=True, text=True,
                              env={**os.environ, "SMMUSIM_PEER_SUITES": suites, "SMMUSIM_PEER_VERSIONS": versions})
        if done.returncode != 0:
            raise Skip(f"QEMU {versions} can't be installed: {done.stderr.strip().splitlines()[-1]}")
        guest = Guest(run, "--qemu", done.stdout.strip(), "--device", "nvme", "--append", "READS=256 ROUNDS=4")
        guest.require_healthy()
        run.note(f"QEMU {guest.json['qemu']}")
    return function


CASES.append(("qemu_10_0", other_qemu("trixie", "10.0"), False))
CASES.append(("qemu_11_1", other_qemu("sid forky", "11.1"), False))
