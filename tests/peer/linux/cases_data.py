# SPDX-License-Identifier: MIT
"""Cases in which devices move data: all bytes are compared by the guest or its host."""
import json
import subprocess

from guest import Failed, Guest

SHORT = ("--append", "READS=256 ROUNDS=4")
CASES = []


def case(quick=False):
    def add(function):
        CASES.append((function.__name__, function, quick))
        return function
    return add


def device_case(name, function):
    CASES.append((name, function, False))


@case(quick=True)
def nvme_recorded_and_replayed(run):
    """The loop from software to study: what the guest did becomes a trace that replays in timed mode."""
    trace = run.scratch("nvme.trace")
    guest = Guest(run, "--device", "nvme", "--record", trace, *SHORT)
    guest.require_healthy()
    guest.require(guest.says(r"arm-smmu-v3 \S+: ias 48-bit, oas 48-bit \(features 0x"), "no probe line")
    guest.require(guest.json["groups"] == [{"group": 0, "device": "0000:00:01.0", "type": "DMA"}], "IOMMU groups")
    guest.require(guest.json["record"]["accesses"] == guest.json["translations"], "accesses are missing in the trace")
    done = subprocess.run([run.options.program, "run", "--trace", trace, "--mode", "timed", "--json", "-"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"the trace does not replay: exit code {done.returncode}\n{done.stderr}{done.stdout[-2000:]}")
    statistics = json.loads(done.stdout)
    guest.require(statistics["transactions"] == guest.json["translations"], "transactions of the replay")
    guest.require(statistics["faults"] == 0, "the replay has faults")
    run.note(f"{statistics['transactions']} transactions replayed, boot {guest.json['boot_seconds']:.1f} s")


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
