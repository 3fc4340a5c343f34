// SPDX-License-Identifier: MIT
// MD5 (RFC 1321): what the guest's busybox can compute too. For comparing data only.
#pragma once

#include <string>
#include <string_view>

namespace smmusim::cosim {

/// 32 hexadecimal digits, as md5sum prints them.
std::string md5(std::string_view bytes);

}  // namespace smmusim::cosim
