# SPDX-License-Identifier: MIT
# Removes the function and finds it again, three times; its data must be the same.
. /lib/guest.sh
sum() { dd if=/dev/nvme0n1 bs=64k count=16 iflag=direct 2> /dev/null | md5sum; }
before=$(sum)
for round in 1 2 3; do
  echo 1 > /sys/bus/pci/devices/0000:01:00.0/remove
  [ -b /dev/nvme0n1 ] && fail "round $round: the disk is still there"
  echo 1 > /sys/bus/pci/rescan
  wait_until 20 test -b /dev/nvme0n1 || fail "round $round: the disk is not found again"
  [ "$(sum)" = "$before" ] || fail "round $round: the contents differ"
done
[ $errors -eq 0 ]
