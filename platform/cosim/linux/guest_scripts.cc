// SPDX-License-Identifier: MIT
// The guest's scripts; see the header. Files they use: /modules/order, /devices (a line each: class, name, node or MAC,
// subnet), /disk.md5, /disk.lists (disk_image.h). Their /tmp is the guest's own, which init_script() mounts; no path of
// the machine that runs QEMU.
#include "platform/cosim/linux/guest_scripts.h"

namespace smmusim::cosim {

std::string_view init_script() {
  return R"sh(#!/bin/busybox sh
# SPDX-License-Identifier: MIT
export PATH=/bin
export HOME=/
/bin/busybox mount -t devtmpfs dev /dev
exec < /dev/console > /dev/console 2>&1
/bin/busybox mount -t proc proc /proc
. /lib/guest.sh
read -r up rest < /proc/uptime
say "user space $up"
/bin/busybox --install -s /bin
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
for module in $(cat /modules/order); do
  insmod /modules/$module.ko || say "error module $module could not be loaded"
done
wait_for_devices
show_groups
sh /script
say "exit $?"
sync
poweroff -f
)sh";
}

std::string_view script_library() {
  return R"sh(# SPDX-License-Identifier: MIT
# Sourced by the guest's scripts.
errors=0

# A line for the launcher. It goes through the kernel's log, so that no other line can begin in the middle of it.
say() { echo "<1>smmusim-guest: $*" > /dev/kmsg; }

fail() {
  errors=$((errors + 1))
  say "error $*"
}

# Milliseconds since the start.
now() {
  read -r up rest < /proc/uptime
  echo $((${up%.*} * 1000 + 1${up#*.} * 10 - 1000))
}

# measure NAME COUNT SINCE: how long COUNT operations took.
measure() { say "measure $1 $2 $(($(now) - $3))"; }

# wait_until SECONDS COMMAND...: until the command works.
wait_until() {
  left=$(($1 * 20))
  shift
  until "$@" 2> /dev/null; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    usleep 50000
  done
}

# The interface with this address.
interface_of() {
  for folder in /sys/class/net/*; do
    [ "$(cat "$folder/address")" = "$1" ] && echo "${folder##*/}" && return 0
  done
  return 1
}

wait_for_devices() {
  while read -r class name where subnet; do
    if [ "$class" = disk ]; then
      wait_until 20 test -b "$where" || say "error $name: no $where"
    else
      wait_until 20 interface_of "$where" > /dev/null || say "error $name: no interface"
    fi
  done < /devices
}

show_groups() {
  for folder in /sys/kernel/iommu_groups/*; do
    [ -d "$folder/devices" ] || continue
    for device in "$folder"/devices/*; do
      say "group ${folder##*/} ${device##*/} $(cat "$folder/type")"
    done
  done
}
)sh";
}

std::string_view default_script() {
  return R"sh(# SPDX-License-Identifier: MIT
. /lib/guest.sh
: "${READS:=1024}" "${ROUNDS:=8}" "${READERS:=$(nproc)}"

# read_groups DISK FIRST STEP: every STEPth group of random blocks, READS in all; the number of errors on stdout.
read_groups() {
  bad=0
  number=0
  done_reads=0
  while [ $done_reads -lt "$READS" ]; do
    while [ $done_reads -lt "$READS" ] && read -r sum blocks; do
      number=$((number + 1))
      done_reads=$((done_reads + 64))
      [ $((number % $3)) -eq "$2" ] || continue
      found=$(for block in $blocks; do
        dd if="$1" bs=4k count=1 skip="$block" iflag=direct 2> /dev/null
      done | md5sum)
      [ "${found%% *}" = "$sum" ] || bad=$((bad + 1))
    done < /disk.lists
  done
  echo $bad
}

random_reads() {
  reader=0
  while [ $reader -lt "$READERS" ]; do
    read_groups "$1" $reader "$READERS" > /tmp/bad.$reader &
    reader=$((reader + 1))
  done
  wait
  for file in /tmp/bad.*; do
    [ "$(cat "$file")" = 0 ] || fail "$1: $(cat "$file") groups of 64 random reads differ"
  done
  rm -f /tmp/bad.*
}

# Rounds of 256 KiB, behind the part whose contents are known.
write_rounds() {
  round=0
  while [ $round -lt "$ROUNDS" ]; do
    place=$((256 + round % 64 * 4))
    dd if=/dev/urandom of=/tmp/written bs=64k count=4 2> /dev/null
    dd if=/tmp/written of="$1" bs=64k seek=$place oflag=direct conv=notrunc 2> /dev/null || fail "$1: write failed"
    dd if="$1" of=/tmp/read bs=64k skip=$place count=4 iflag=direct 2> /dev/null || fail "$1: read failed"
    cmp -s /tmp/written /tmp/read || fail "$1: round $round read back something else"
    round=$((round + 1))
  done
}

test_disk() {
  begin=$(now)
  found=$(dd if="$1" bs=64k count=256 iflag=direct 2> /dev/null | md5sum)
  [ "${found%% *}" = "$(cat /disk.md5)" ] || fail "$1: the contents differ"
  measure "$2.read_64k" 256 "$begin"
  begin=$(now)
  dd if="$1" of=/dev/null bs=4k count=4096 iflag=direct 2> /dev/null || fail "$1: read failed"
  measure "$2.read_4k" 4096 "$begin"
  begin=$(now)
  random_reads "$1"
  measure "$2.random_read_4k" "$READS" "$begin"
  begin=$(now)
  write_rounds "$1"
  measure "$2.write_round" "$ROUNDS" "$begin"
}

# Sends a file to the port that gives back what it gets, and compares.
echo_round() {
  dd if=/dev/urandom of=/tmp/sent bs=64k count=4 2> /dev/null
  timeout 20 nc "$1" 7 < /tmp/sent > /tmp/back
  cmp -s /tmp/sent /tmp/back
}

test_network() {
  interface=$(interface_of "$2") || { fail "$1: no interface"; return; }
  ip link set "$interface" up
  ip addr add "10.0.$3.15/24" dev "$interface"
  wait_until 20 ping -q -c 1 -W 1 "10.0.$3.2" > /dev/null || fail "$1: no answer of the gateway"
  begin=$(now)
  round=0
  while [ $round -lt "$ROUNDS" ]; do
    echo_round "10.0.$3.100" || fail "$1: round $round came back as something else"
    round=$((round + 1))
  done
  measure "$1.echo_round" "$ROUNDS" "$begin"
  ip link set "$interface" down
}

while read -r class name where subnet <&3; do
  if [ "$class" = disk ]; then test_disk "$where" "$name"; else test_network "$name" "$where" "$subnet"; fi
done 3< /devices
say "errors $errors"
[ $errors -eq 0 ]
)sh";
}

}  // namespace smmusim::cosim
