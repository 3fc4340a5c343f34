# SPDX-License-Identifier: MIT
# Reads on the one of two CPUs that does not get the SMMU's error interrupt: its queue's interrupts, and with them the
# commands to the SMMU, are there too.
. /lib/guest.sh
irq=$(sed -n 's/^ *\([0-9]*\):.*arm-smmu-v3-gerror.*/\1/p' /proc/interrupts)
mask=$(cat "/proc/irq/$irq/effective_affinity")
say "the error interrupt $irq has the CPUs $mask"
taskset $((3 - mask)) dd if=/dev/nvme0n1 of=/dev/null bs=4k count=4096 iflag=direct 2> /dev/null
exit 0
