# SPDX-License-Identifier: MIT
"""Cases that configure the SMMU or the kernel, and look at what the driver makes of it."""
import re

from guest import Guest, Monitor, script

TINY = ("--append", "READS=64 ROUNDS=1")
CASES = []

# Bits of the driver's line "features 0x...", from the driver's header (Linux 6.1).
LEVELS2, LITTLE, BIG, PRI, ATS, SEV, MSI, COHERENT, STAGE1, STAGE2, STALL, HYP = (
    1 << bit for bit in (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
RANGE, NESTING = 1 << 15, 1 << 19


def case(function):
    CASES.append((function.__name__, function, False))
    return function


def probed(guest):
    """(ias, oas, features) that the driver has found."""
    line = guest.says(r"arm-smmu-v3 \S+: ias (\d+)-bit, oas (\d+)-bit \(features (0x[0-9a-f]+)\)")
    guest.require(line is not None, "no probe line")
    return int(line[1]), int(line[2]), int(line[3], 16)


# name: settings, bits that are set, bits that are not, output address size.
FEATURES = {
    "defaults": ((), LEVELS2 | LITTLE | SEV | MSI | COHERENT | STAGE1 | RANGE, BIG | PRI | ATS | STAGE2 | STALL | HYP, 48),
    "oas_40": (("smmu.oas=40",), STAGE1, 0, 40),
    "oas_44": (("smmu.oas=44",), STAGE1, 0, 44),
    "no_range_invalidation": (("smmu.ril=off",), STAGE1, RANGE, 48),
    "no_msi": (("smmu.msi=false",), SEV, MSI, 48),
    "no_sev": (("smmu.sev=false",), MSI, SEV, 48),
    "stage_2_only": (("smmu.stages=2",), STAGE2, STAGE1 | NESTING, 48),
    "nested": (("smmu.stages=nested",), STAGE1 | STAGE2, 0, 48),
    "ats": (("smmu.ats=on",), ATS, PRI, 48),
    "ats_and_pri": (("smmu.ats=on", "smmu.pri=true", "smmu.priqs=10"), ATS | PRI, 0, 48),
    "linear_stream_table": (("smmu.st_level=0", "smmu.sidsize=6"), STAGE1, LEVELS2, 48),
    "small_sids": (("smmu.sidsize=8",), STAGE1, 0, 48),
    "both_endians": (("smmu.ttendian=mixed",), LITTLE | BIG, 0, 48),
    "stalls": (("smmu.stall=on", "smmu.stall_max=16"), STALL, 0, 48),
    "hypervisor": (("smmu.stages=nested", "smmu.hyp=true"), HYP, 0, 48),
    # The driver's keys are of the simulated driver; the configuration must be whole.
    "small_queues": (("smmu.cmdqs=7", "smmu.eventqs=7", "driver.command_queue_log2=7", "driver.event_queue_log2=7"), STAGE1, 0, 48),
    "all_granules": (("smmu.granules=4,16,64",), STAGE1, 0, 48),
}


def features_case(settings, present, absent, oas):
    def function(run):
        words = [word for setting in settings for word in ("--set", setting)]
        guest = Guest(run, "--device", "nvme", *TINY, *words)
        guest.require_healthy()
        _, found_oas, features = probed(guest)
        guest.require(features & present == present, f"features 0x{features:x} lack some of 0x{present:x}")
        guest.require(features & absent == 0, f"features 0x{features:x} have some of 0x{absent:x}")
        guest.require(found_oas == oas, f"oas {found_oas}")
        run.note(f"features 0x{features:08x}, oas {found_oas}")
    return function


for _name, _row in FEATURES.items():
    CASES.append((f"features_{_name}", features_case(*_row), False))


def mode_case(append, kind):
    def function(run):
        guest = Guest(run, "--device", "nvme", "--append", f"READS=64 ROUNDS=2 {append}")
        guest.require([row["type"] for row in guest.json["groups"]] == [kind], f"groups {guest.json['groups']}")
        guest.require(guest.json["faults"] == 0 and not guest.smmu("events"), "faults")
        commands = guest.smmu("commands")
        if kind == "DMA":
            guest.require(commands.get("CMD_TLBI_NH_VA", 0) > 100, f"strict mode without invalidations: {commands}")
        elif kind == "DMA-FQ":
            guest.require(commands.get("CMD_TLBI_NH_VA", 0) < 100, f"lazy mode with invalidations: {commands}")
        else:
            guest.require(guest.smmu("walks", "count") == 0, "passthrough with walks")
        run.note(str(commands))
    return function


CASES.append(("mode_strict", mode_case("iommu.strict=1", "DMA"), False))
CASES.append(("mode_lazy", mode_case("iommu.strict=0", "DMA-FQ"), False))
CASES.append(("mode_passthrough", mode_case("iommu.passthrough=1", "identity"), False))


@case
def sync_by_msi(run):
    """With IDR0.MSI the driver polls for the word that CMD_SYNC writes: as many messages as commands."""
    guest = Guest(run, "--device", "nvme", *TINY)
    guest.require_healthy()
    syncs, messages = guest.smmu("commands", "CMD_SYNC"), guest.smmu("interrupts", "msi")
    guest.require(syncs > 100 and messages >= syncs * 0.9, f"{syncs} CMD_SYNC, {messages} messages")
    run.note(f"{syncs} CMD_SYNC, {messages} messages")


@case
def sync_by_event(run):
    guest = Guest(run, "--device", "nvme", "--set", "smmu.msi=false", *TINY)
    guest.require_healthy()
    syncs, messages = guest.smmu("commands", "CMD_SYNC"), guest.smmu("interrupts", "msi")
    guest.require(syncs > 100 and messages == 0, f"{syncs} CMD_SYNC, {messages} messages")


@case
def stage_2_commands(run):
    """A driver without stage 1 uses stage 2, and says so in its commands."""
    guest = Guest(run, "--device", "nvme", "--set", "smmu.stages=2", *TINY)
    guest.require_healthy()
    commands = guest.smmu("commands")
    guest.require(commands.get("CMD_TLBI_S2_IPA", 0) > 100, f"commands {commands}")
    guest.require("CMD_TLBI_NH_VA" not in commands, f"commands {commands}")


# What linux-driver.md says of probe and reset (arm_smmu_device_probe), as (write, offset, value or None).
REGISTERS = [
    (False, 0x00, None), (False, 0x04, None), (False, 0x0c, None), (False, 0x14, None), (False, 0x18, None),
    (False, 0x20, 0), (True, 0x20, 0), (False, 0x24, 0),  # CR0
    (True, 0x28, 0xd75), (True, 0x2c, 0x6),  # CR1, CR2
    (True, 0x80, None), (True, 0x88, 0x10210),  # STRTAB_BASE, _CFG
    (True, 0x90, None), (True, 0x98, 0), (True, 0x9c, 0),  # CMDQ
    (True, 0x20, 0x8), (False, 0x24, 0x8),
    (True, 0x98, None), (True, 0x98, None),  # CFGI_ALL and TLBI_NSNH_ALL, each with its CMD_SYNC
    (True, 0xa0, None), (True, 0x100a8, 0), (True, 0x100ac, 0),  # EVENTQ
    (True, 0x20, 0xc), (False, 0x24, 0xc),
    (True, 0x50, 0), (False, 0x54, 0),  # IRQ_CTRL
    (True, 0x68, 0), (True, 0xb0, 0),  # GERROR_IRQ_CFG0, EVENTQ_IRQ_CFG0
    (True, 0xb0, None), (True, 0xb8, None), (True, 0xbc, 1),
    (True, 0x68, None), (True, 0x70, None), (True, 0x74, 1),
    (True, 0x50, 0x5), (False, 0x54, 0x5),
    (True, 0x20, 0xd), (False, 0x24, 0xd),  # SMMUEN
]


def register_accesses(log, base):
    """(write, offset, value) of each access that QEMU has logged."""
    accesses = []
    for line in log.splitlines():
        found = re.match(r"memory_region_ops_(read|write) .* addr 0x([0-9a-f]+) value 0x([0-9a-f]+) .*'smmusim-smmu'", line)
        if found:
            accesses.append((found[1] == "write", int(found[2], 16) - base, int(found[3], 16)))
    return accesses


@case
def register_order(run):
    """The driver's accesses from probe to SMMUEN are those that the reference tells of."""
    log = run.scratch("registers.log")
    guest = Guest(run, "--kernel", "6.1", "--device", "nvme", "--run", script("idle.sh"), "--qemu-arg=-D", f"--qemu-arg={log}",
                  "--qemu-arg=-d", "--qemu-arg=trace:memory_region_ops_read,trace:memory_region_ops_write")
    with open(log) as file:
        accesses = register_accesses(file.read(), 0x9050000)
    guest.require(len(accesses) >= len(REGISTERS), f"{len(accesses)} accesses")
    for number, (expected, found) in enumerate(zip(REGISTERS, accesses)):
        same = expected[:2] == found[:2] and expected[2] in (None, found[2])
        guest.require(same, f"access {number} is {found}, expected {expected}")
    # Afterwards only the command queue moves, until the shutdown clears CR0.
    for write, offset, value in accesses[len(REGISTERS):]:
        known = (write, offset) in ((True, 0x98), (False, 0x9c)) or offset in (0x20, 0x24)
        guest.require(known, f"access to 0x{offset:x}, value 0x{value:x}")


def commands_of(memory):
    return [tuple(int.from_bytes(memory[at + half:at + half + 8], "little") for half in (0, 8))
            for at in range(0, len(memory), 16)]


@case
def command_encodings(run):
    """The first commands in the guest's memory: opcodes, order and the fields that the reference names."""
    log, dump, monitor = (run.scratch(name) for name in ("registers.log", "queue", "monitor"))

    def save(guest):
        guest.wait_for("smmusim-guest: idle")
        with open(log) as file:
            base = [value for write, offset, value in register_accesses(file.read(), 0x9050000) if write and offset == 0x90]
        qmp = Monitor(monitor)
        qmp.do("pmemsave", val=base[0] & 0x000f_ffff_ffff_ffe0, size=16 * 64, filename=dump)
        qmp.close()
    guest = Guest(run, "--kernel", "6.1", "--device", "nvme", "--set", "smmu.msi=false", "--run", script("idle.sh"),
                  "--qemu-arg=-qmp", f"--qemu-arg=unix:{monitor},server=on,wait=off", "--qemu-arg=-D", f"--qemu-arg={log}",
                  "--qemu-arg=-d", "--qemu-arg=trace:memory_region_ops_write", during=save)
    with open(dump, "rb") as file:
        commands = commands_of(file.read())
    # CS=SEV, inner shareable, write-back, in each of them.
    sync = (0x46 | 2 << 12 | 3 << 22 | 0xf << 24, 0)
    guest.require(commands[0] == (0x04, 31), f"CFGI_ALL is {commands[0]}")
    guest.require(commands[2] == (0x30, 0), f"TLBI_NSNH_ALL is {commands[2]}")
    for number in (1, 3):
        guest.require(commands[number] == sync, f"CMD_SYNC is {tuple(map(hex, commands[number]))}")
    stream = 8 << 32  # 00:01.0
    rest = commands[4:]
    guest.require((0x03 | stream, 1) in rest, "no CFGI_STE with LEAF of the device's stream")
    guest.require((0x01 | stream, 0) in rest, "no PREFETCH_CFG of the device's stream")
    known = {0x01, 0x03, 0x05, 0x11, 0x12, 0x46, 0}
    guest.require({low & 0xff for low, _ in rest} <= known, "another opcode")
    ranges = [(low, high) for low, high in rest if low & 0xff == 0x12]
    guest.require(ranges and all(high >> 10 & 3 == 1 for _, high in ranges), f"TLBI_NH_VA without TG=4K: {ranges}")
