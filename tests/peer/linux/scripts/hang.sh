# SPDX-License-Identifier: MIT
# Never ends.
while :; do sleep 1; done
