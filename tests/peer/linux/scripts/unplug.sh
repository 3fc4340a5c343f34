# SPDX-License-Identifier: MIT
# Reads while the host takes the device away, then from the one that the host adds.
. /lib/guest.sh
while [ -b /dev/nvme0n1 ]; do dd if=/dev/nvme0n1 of=/dev/null bs=4k count=4096 iflag=direct 2> /dev/null; done &
say "ready to unplug"
gone() { [ ! -e /sys/bus/pci/devices/0000:01:00.0 ]; }
wait_until 30 gone || fail "the device does not go"
wait
say "gone"
wait_until 30 test -b /dev/nvme0n1 || wait_until 1 test -b /dev/nvme1n1 || fail "the new device does not come"
disk=$(ls /dev/nvme?n1)
dd if="$disk" of=/dev/null bs=4k count=256 iflag=direct 2> /dev/null || fail "the new device can't be read"
[ $errors -eq 0 ]
