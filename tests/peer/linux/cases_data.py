# SPDX-License-Identifier: MIT
"""Cases in which devices move data: all bytes are compared by the guest or its host."""
import hashlib
import json
import os
import shutil
import subprocess

from guest import Failed, Guest, Skip, cache_folder, script
from vhost_user_disk import VhostUserDisk

SHORT = ("--append", "READS=256 ROUNDS=4")
CASES = []


def case(quick=False):
    def add(function):
        CASES.append((function.__name__, function, quick))
        return function
    return add


def device_case(name, function):
    CASES.append((name, function, False))


def require_replay(run, guest, trace):
    """Every access of the guest's devices is in the trace and gets the same page in timed mode."""
    guest.require(guest.json["record"]["accesses"] == guest.json["translations"], "accesses are missing in the trace")
    done = subprocess.run([run.options.program, "run", "--trace", trace, "--mode", "timed", "--json", "-"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"the trace does not replay: exit code {done.returncode}\n{done.stderr}{done.stdout[-2000:]}")
    statistics = json.loads(done.stdout)
    guest.require(statistics["transactions"] == guest.json["translations"], "transactions of the replay")
    guest.require(statistics["faults"] == 0, "the replay has faults")
    run.note(f"{statistics['transactions']} transactions replayed")


@case(quick=True)
def nvme_recorded_and_replayed(run):
    """The loop from software to study: what the guest did becomes a trace that replays in timed mode."""
    trace = run.scratch("nvme.trace")
    guest = Guest(run, "--device", "nvme", "--record", trace, *SHORT)
    guest.require_healthy()
    guest.require(guest.says(r"arm-smmu-v3 \S+: ias 48-bit, oas 48-bit \(features 0x"), "no probe line")
    guest.require(guest.json["groups"] == [{"group": 0, "device": "0000:00:01.0", "type": "DMA"}], "IOMMU groups")
    require_replay(run, guest, trace)
    run.note(f"boot {guest.json['boot_seconds']:.1f} s")


@case()
def lazy_recorded_and_replayed(run):
    """A driver that invalidates lazily names no pages: the player has to find out whose ASIDs they are."""
    trace = run.scratch("lazy.trace")
    guest = Guest(run, "--device", "nvme", "--device", "virtio-blk", "--record", trace, "--append",
                  "READS=256 ROUNDS=4 iommu.strict=0")
    guest.require_healthy()
    guest.require(guest.smmu("commands", "CMD_TLBI_NH_ASID") > 100, f"commands {guest.smmu('commands')}")
    require_replay(run, guest, trace)


def moves_data(device, *more):
    def function(run):
        guest = Guest(run, "--device", device, *SHORT, *more)
        guest.require_healthy()
        guest.require(len(guest.json["measures"]) > 0, "the guest has measured nothing")
        run.note(f"{guest.json['translations']} translations")
    return function


device_case("virtio_blk_behind_root_port", moves_data("virtio-blk", "--root-port"))
device_case("virtio_net", moves_data("virtio-net"))
device_case("e1000e", moves_data("e1000e"))
device_case("nvme_2_cpus", moves_data("nvme", "--cpus", "2"))


@case()
def four_devices_behind_root_ports(run):
    guest = Guest(run, "--device", "nvme", "--device", "virtio-blk", "--device", "virtio-net", "--device", "e1000e",
                  "--root-port", "--cpus", "2", *SHORT)
    guest.require_healthy()
    # A port and the function behind it share a group: QEMU's ports have no ACS.
    groups = {row["device"]: row["group"] for row in guest.json["groups"]}
    guest.require(len(groups) == 8 and len(set(groups.values())) == 4, f"IOMMU groups {groups}")
    for bus in range(1, 5):
        guest.require(groups[f"0000:{bus:02x}:00.0"] == groups[f"0000:00:{bus:02x}.0"], f"groups of bus {bus}")


@case()
def kernel_6_12_with_ats(run):
    """Linux 6.12 enables ATS from the device tree; then each unmap also invalidates the device's cache.

    It forgets a device that joins the group of another in its list of those with ATS, so the port's ACS is switched on
    to give the disk a group of its own.
    """
    append = "READS=256 ROUNDS=4 pci=config_acs=0011101@0000:00:01.0"
    guest = Guest(run, "--kernel", "6.12", "--device", "virtio-blk", "--root-port", "--set", "smmu.ats=on", "--append", append)
    guest.require_healthy()
    guest.require(guest.json["kernel"].startswith("6.12"), f"kernel {guest.json['kernel']}")
    invalidations, unmaps = (guest.smmu("commands", name) for name in ("CMD_ATC_INV", "CMD_TLBI_NH_VA"))
    guest.require(unmaps > 1000 and invalidations >= unmaps, f"{invalidations} CMD_ATC_INV for {unmaps} unmaps")
    run.note(f"{invalidations} CMD_ATC_INV")


@case()
def kernel_6_12_nvme(run):
    guest = Guest(run, "--kernel", "6.12", "--device", "nvme", *SHORT)
    guest.require_healthy()


@case()
def kernel_of_a_file(run):
    """A copy of Debian's kernel somewhere else, with the folder of its modules named."""
    named = Guest(run, "--kernel", "6.1", "--device", "nvme", *SHORT)  # fetches it if it is not there
    image = run.scratch("Image")
    shutil.copy(os.path.join(cache_folder(), "cosim/linux-6.1/image"), image)
    guest = Guest(run, "--kernel", image, "--modules", os.path.join(cache_folder(), "cosim/linux-6.1/modules"),
                  "--device", "nvme", *SHORT)
    guest.require_healthy()
    guest.require(guest.json["kernel"] == named.json["kernel"], f"kernel {guest.json['kernel']}")
    without = Guest(run, "--kernel", image, "--device", "nvme", "--run", script("fail.sh"), expect=1)
    guest.require("comes from --modules" in without.errors, without.errors)


WRAPPER = """#!/bin/sh
# Gives QEMU by LD_PRELOAD what smmusim gives it by -plugin.
for word; do
  shift
  if [ "$before" = -plugin ]; then list=$word; elif [ "$word" != -plugin ]; then set -- "$@" "$word"; fi
  before=$word
done
[ -n "$list" ] && export SMMUSIM_COSIM="${list#*,}" LD_PRELOAD="${list%%,*}"
exec QEMU "$@"
"""


@case()
def preloaded(run):
    """QEMU 7.2 takes the SMMU also without its plugin interface."""
    qemu = run.options.qemu or "qemu-system-aarch64"
    if "version 7.2" not in subprocess.run([qemu, "-version"], capture_output=True, text=True).stdout:
        raise Skip("only QEMU 7.2 takes LD_PRELOAD")
    wrapper = run.scratch("qemu")
    with open(wrapper, "w") as file:
        file.write(WRAPPER.replace("QEMU \"$@\"", f"{qemu} \"$@\""))
    os.chmod(wrapper, 0o755)
    guest = Guest(run, "--qemu", wrapper, "--device", "nvme", *SHORT)
    guest.require_healthy()


def disk_outside(run, properties, *more):
    """Boots with a disk of VhostUserDisk as second one, and has the guest read and write it."""
    contents = bytearray(os.urandom(4 << 20))
    path = run.scratch("vhost")
    disk = VhostUserDisk(path, contents)
    try:
        guest = Guest(run, "--device", "virtio-blk", "--cpus", "2", "--run", script("vhost_user.sh"),
                      "--append", f"SUM={hashlib.md5(contents[:1 << 20]).hexdigest()}",
                      "--qemu-arg=-object", "--qemu-arg=memory-backend-memfd,id=shared,size=1024M,share=on",
                      "--qemu-arg=-machine", "--qemu-arg=memory-backend=shared",
                      "--qemu-arg=-chardev", f"--qemu-arg=socket,id=vhost,path={path}", *more, "--qemu-arg=-device",
                      "--qemu-arg=vhost-user-blk-pci,chardev=vhost,num-queues=1,iommu_platform=on,disable-legacy=on" + properties)
    finally:
        disk.stop()
    guest.require(disk.failure is None, f"the disk: {disk.failure}")
    guest.require_healthy()
    guest.require(disk.requests >= 256 + 64, f"{disk.requests} requests")
    guest.require(disk.dropped > disk.requests, f"{disk.dropped} translations were dropped in {disk.requests} requests")
    written = guest.says(r"smmusim-guest: written ([0-9a-f]{32})")
    found = hashlib.md5(contents[1 << 20:(1 << 20) + (256 << 10)]).hexdigest()
    guest.require(written is not None and written[1] == found, "the disk has not what the guest wrote")
    run.note(f"{disk.requests} requests, {disk.asked} translations asked for, {disk.dropped} dropped")
    return guest


@case()
def unmap_notifications(run):
    """A disk outside QEMU keeps translations until it is told that they are gone; if it is not, pages get wrong data."""
    disk_outside(run, "")


@case()
def unmap_notifications_with_ats(run):
    """The same with ATS switched on by the driver: then QEMU since 8.1 asks for notifications of another kind."""
    guest = disk_outside(run, ",ats=on,bus=outside", "--kernel", "6.12", "--set", "smmu.ats=on", "--qemu-arg=-device",
                         "--qemu-arg=pcie-root-port,id=outside,chassis=9,slot=9")
    guest.require(guest.smmu("commands", "CMD_ATC_INV") > 0, f"commands {guest.smmu('commands')}")
