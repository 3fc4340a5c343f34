// SPDX-License-Identifier: MIT
// MD5; see the header. Boost's, which has it for name-based UUIDs.
#include "platform/cosim/linux/md5.h"

#include <fmt/format.h>

#include <boost/uuid/detail/md5.hpp>

namespace smmusim::cosim {

std::string md5(std::string_view bytes) {
  boost::uuids::detail::md5 hash;
  hash.process_bytes(bytes.data(), bytes.size());
  boost::uuids::detail::md5::digest_type words;  // each the big-endian value of four bytes
  hash.get_digest(words);
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", words[0], words[1], words[2], words[3]);
}

}  // namespace smmusim::cosim
