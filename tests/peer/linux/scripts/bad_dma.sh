# SPDX-License-Identifier: MIT
# Takes the NVMe from its driver and makes it fetch a command from an address that is mapped to nothing. Registers are
# those of the NVMe base specification: CC 0x14, CSTS 0x1c, AQA 0x24, ASQ 0x28, ACQ 0x30, doorbells from 0x1000.
. /lib/guest.sh
function=0000:00:01.0
folder=/sys/bus/pci/devices/$function
echo $function > $folder/driver/unbind
read -r bar rest < $folder/resource
# Memory space and bus mastering, which the driver has switched off.
printf '\006\004' | dd of=$folder/config bs=1 seek=4 conv=notrunc 2> /dev/null
at() { printf '0x%x' $((bar + $1)); }
devmem "$(at 0x14)" 32 0
devmem "$(at 0x24)" 32 0x001f001f
devmem "$(at 0x28)" 64 0xdead0000
devmem "$(at 0x30)" 64 0xbeef0000
devmem "$(at 0x14)" 32 0x00460001
usleep 100000
say "status $(devmem "$(at 0x1c)" 32)"
devmem "$(at 0x1000)" 32 1
sleep 1
exit 0
