# SPDX-License-Identifier: MIT
# Reads the second virtio disk in single blocks, each by a program of its own, so that each goes to another page of memory,
# often by the address that the page before it had. SUM is the MD5 of the first 1 MiB. Then writes 256 KiB behind it.
. /lib/guest.sh
disk=/dev/vdb
wait_until 20 test -b $disk || fail "no $disk"
found=$(block=0
  while [ $block -lt 256 ]; do
    dd if=$disk bs=4k count=1 skip=$block iflag=direct 2> /dev/null
    block=$((block + 1))
  done | md5sum)
[ "${found%% *}" = "$SUM" ] || fail "the contents differ"
dd if=/dev/urandom of=/tmp/written bs=4k count=64 2> /dev/null
block=0
while [ $block -lt 64 ]; do
  dd if=/tmp/written of=$disk bs=4k count=1 skip=$block seek=$((256 + block)) oflag=direct conv=notrunc 2> /dev/null ||
    fail "block $block can't be written"
  block=$((block + 1))
done
say "written $(md5sum < /tmp/written)"
[ $errors -eq 0 ]
