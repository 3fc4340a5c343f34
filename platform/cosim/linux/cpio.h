// SPDX-License-Identifier: MIT
// Writer of the archive that Linux takes as initramfs: cpio of the "newc" form. It holds the archive in memory.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace smmusim::cosim {

class CpioWriter {
 public:
  static constexpr unsigned executable = 0755, plain = 0644;

  /// Adds a file, and before it the folders above it that are not there yet. `path` is relative, without "." or "..".
  /// Throws std::invalid_argument for another path, for one that is there already, and for contents of 4 GiB or more.
  void add_file(std::string_view path, std::string_view contents, unsigned permissions = plain);
  void add_folder(std::string_view path);
  void add_link(std::string_view path, std::string_view target);
  void add_character_device(std::string_view path, unsigned major, unsigned minor);

  /// The archive so far, complete with its trailer.
  std::string archive() const;

 private:
  struct Entry {
    std::uint32_t mode = 0;
    std::uint32_t device_major = 0, device_minor = 0;
    std::string_view contents{};
  };
  void add_parents(std::string_view path);
  void take_name(std::string_view path);
  void append(std::string& archive, std::string_view name, const Entry& entry, std::uint32_t number) const;

  std::string bytes_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> folders_;
};

}  // namespace smmusim::cosim
