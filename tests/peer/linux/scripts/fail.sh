# SPDX-License-Identifier: MIT
exit 7
