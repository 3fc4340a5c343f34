// SPDX-License-Identifier: MIT
// CpioWriter; see the header. Linux: Documentation/driver-api/early-userspace/buffer-format.rst.
#include "platform/cosim/linux/cpio.h"

#include <fmt/format.h>

#include <stdexcept>

namespace smmusim::cosim {
namespace {

constexpr std::uint32_t type_folder = 0040000, type_character = 0020000, type_file = 0100000, type_link = 0120000;
constexpr std::size_t alignment = 4;
constexpr std::size_t most_bytes = 0xffff'ffff;
constexpr std::size_t most_name = 4095;  // of Linux: PATH_MAX with the NUL
constexpr std::string_view trailer = "TRAILER!!!";

void pad(std::string& bytes) {
  bytes.append((alignment - bytes.size() % alignment) % alignment, '\0');
}

/// A path that Linux would put where it says.
bool plain_path(std::string_view path) {
  if (path.empty() || path.size() > most_name || path.find('\0') != path.npos || path == trailer) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace

void CpioWriter::take_name(std::string_view path) {
  if (!plain_path(path)) throw std::invalid_argument(fmt::format("cpio: the path '{}' is not plain", path));
  if (!names_.emplace(path).second) throw std::invalid_argument(fmt::format("cpio: '{}' is there already", path));
  add_parents(path);
}

void CpioWriter::add_parents(std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
    const std::string_view parent = path.substr(0, slash);
    if (folders_.contains(parent)) continue;
    if (names_.contains(parent)) throw std::invalid_argument(fmt::format("cpio: '{}' is no folder", parent));
    add_folder(parent);
  }
}

void CpioWriter::append(std::string& archive, std::string_view name, const Entry& entry, std::uint32_t number) const {
  if (entry.contents.size() > most_bytes) throw std::invalid_argument("cpio: a file of 4 GiB or more");
  constexpr unsigned links = 1;
  archive += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", number,
                         entry.mode, 0, 0, links, 0, entry.contents.size(), 0, 0, entry.device_major,
                         entry.device_minor, name.size() + 1, 0);
  archive += name;
  archive += '\0';
  pad(archive);
  archive += entry.contents;
  pad(archive);
}

void CpioWriter::add_file(std::string_view path, std::string_view contents, unsigned permissions) {
  take_name(path);
  append(bytes_, path, {type_file | permissions, 0, 0, contents}, static_cast<std::uint32_t>(names_.size()));
}

void CpioWriter::add_folder(std::string_view path) {
  take_name(path);
  folders_.emplace(path);
  append(bytes_, path, {type_folder | executable}, static_cast<std::uint32_t>(names_.size()));
}

void CpioWriter::add_link(std::string_view path, std::string_view target) {
  constexpr std::uint32_t all = 0777;
  take_name(path);
  append(bytes_, path, {type_link | all, 0, 0, target}, static_cast<std::uint32_t>(names_.size()));
}

void CpioWriter::add_character_device(std::string_view path, unsigned major, unsigned minor) {
  constexpr std::uint32_t owner = 0600;
  take_name(path);
  append(bytes_, path, {type_character | owner, major, minor, {}}, static_cast<std::uint32_t>(names_.size()));
}

std::string CpioWriter::archive() const {
  std::string archive = bytes_;
  append(archive, trailer, {}, 0);
  return archive;
}

}  // namespace smmusim::cosim
