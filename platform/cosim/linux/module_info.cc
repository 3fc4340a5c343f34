// SPDX-License-Identifier: MIT
// read_module_info(); see the header. Offsets are those of ELF-64 (gABI, chapter 4).
#include "platform/cosim/linux/module_info.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "platform/config/load.h"

namespace smmusim::cosim {
namespace {

constexpr std::size_t header_bytes = 64, section_bytes = 64;
constexpr std::string_view magic{
    "\x7f"
    "ELF\x02\x01",
    6};  // 64 bits, little-endian
constexpr std::size_t at_section_table = 0x28, at_section_size = 0x3a, at_section_count = 0x3c, at_names_index = 0x3e;
constexpr std::size_t in_section_name = 0, in_section_offset = 0x18, in_section_length = 0x20;

class Elf {
 public:
  Elf(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes.size() < header_bytes || !bytes.starts_with(magic)) fail(0, "it is no 64-bit little-endian ELF file");
    table_ = number(at_section_table, 8);
    count_ = number(at_section_count, 2);
    if (number(at_section_size, 2) != section_bytes) fail(at_section_size, "its section headers have another size");
    if (!inside(table_, count_ * section_bytes)) fail(at_section_table, "its section headers lie outside the file");
    const std::uint64_t index = number(at_names_index, 2);
    if (index >= count_) fail(at_names_index, "it has no section names");
    names_ = contents(index);
  }

  /// The section's bytes.
  std::optional<std::string_view> section(std::string_view wanted) const {
    for (std::uint64_t i = 0; i != count_; ++i) {
      const std::uint64_t at = number(header(i) + in_section_name, 4);
      if (at >= names_.size()) fail(header(i), "a section's name lies outside its table");
      const std::string_view rest = names_.substr(at);
      if (rest.substr(0, rest.find('\0')) == wanted) return contents(i);
    }
    return std::nullopt;
  }

  [[noreturn]] void fail(std::uint64_t offset, std::string_view what) const {
    throw InputError(fmt::format("{}: byte {}: {}; give a module of an arm64 kernel, whole", name_, offset, what));
  }

 private:
  std::uint64_t header(std::uint64_t index) const { return table_ + index * section_bytes; }

  bool inside(std::uint64_t offset, std::uint64_t length) const {
    return offset <= bytes_.size() && length <= bytes_.size() - offset;
  }

  /// Little-endian; the caller has looked that it is inside.
  std::uint64_t number(std::uint64_t offset, unsigned length) const {
    std::uint64_t value = 0;
    for (unsigned i = length; i-- != 0;) value = value << 8 | static_cast<unsigned char>(bytes_[offset + i]);
    return value;
  }

  std::string_view contents(std::uint64_t index) const {
    const std::uint64_t offset = number(header(index) + in_section_offset, 8);
    const std::uint64_t length = number(header(index) + in_section_length, 8);
    if (!inside(offset, length)) fail(header(index), "a section lies outside the file");
    return bytes_.substr(offset, length);
  }

  std::string_view bytes_;
  const std::string& name_;
  std::uint64_t table_ = 0, count_ = 0;
  std::string_view names_{};
};

std::vector<std::string> split(std::string_view list, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(separator, begin), list.size());
    if (end != begin) parts.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

ModuleInfo read_module_info(std::string_view bytes, const std::string& name) {
  constexpr std::string_view key = "depends=";
  const Elf elf(bytes, name);
  const std::optional<std::string_view> section = elf.section(".modinfo");
  if (!section) elf.fail(0, "it has no section .modinfo");
  ModuleInfo info;
  for (const std::string& line : split(*section, '\0')) {
    if (line.starts_with(key)) info.depends = split(std::string_view(line).substr(key.size()), ',');
  }
  return info;
}

}  // namespace smmusim::cosim
