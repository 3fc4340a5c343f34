// SPDX-License-Identifier: MIT
// The IORT table; see the header. Node order: ITS group, SMMUs, root complex, so that references point backwards.
#include "platform/emit/iort.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "platform/config/load.h"
#include "platform/emit/address_map.h"
#include "platform/emit/layout.h"

namespace smmusim::emit {
namespace {

// The ACPI header (ACPI 6.5, section 5.2.6).
constexpr std::size_t length_offset = 4;
constexpr std::size_t checksum_offset = 9;
constexpr std::size_t first_node_offset = 48;  // the header's 36 bytes, node count, node offset, 4 reserved

// Revisions of DEN 0049E.e.
constexpr std::uint8_t table_revision = 6;
constexpr std::uint8_t its_group_revision = 1;
constexpr std::uint8_t smmu_revision = 5;
constexpr std::uint8_t root_complex_revision = 4;

enum class NodeType : std::uint8_t { its_group = 0, root_complex = 2, smmu_v3 = 4 };
constexpr std::size_t node_header_bytes = 16;
constexpr std::size_t its_group_bytes = node_header_bytes + 8;
constexpr std::size_t smmu_bytes = node_header_bytes + 52;
constexpr std::size_t root_complex_bytes = node_header_bytes + 24;
constexpr std::size_t mapping_bytes = 20;
constexpr std::size_t node_bytes_max = 0xffff;

constexpr std::uint32_t single_mapping = 1;

// Flags of the SMMUv3 node. COHACC override says that the SMMU is coherent: Linux takes it instead of IDR0.COHACC.
constexpr std::uint32_t cohacc_override = 1U << 0;
constexpr unsigned httu_override_shift = 1;
constexpr std::uint32_t device_id_valid = 1U << 4;
constexpr std::uint32_t generic_smmu_v3 = 0;

// Memory access properties and ATS attribute of the root complex node.
constexpr std::uint32_t fully_coherent = 1;
constexpr std::uint8_t coherent_path_and_attributes = 3;  // CPM and DACS
constexpr std::uint32_t ats_supported = 1U << 0;
constexpr std::uint32_t pri_supported = 1U << 1;
constexpr std::uint32_t pasid_forwarded = 1U << 2;
constexpr std::uint32_t pasid_supported = 1U << 0;  // of the node's flags

/// Maps IDs [input, input + count) to output + (ID - input) of the node at `reference`.
struct IdMapping {
  std::uint32_t input = 0;
  std::uint32_t count = 0;
  std::uint32_t output = 0;
  std::uint32_t reference = 0;
  std::uint32_t flags = 0;
};

/// Little-endian numbers one after the other.
class Bytes {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void text(std::string_view characters) {
    for (const char c : characters) u8(static_cast<std::uint8_t>(c));
  }
  void set_u32(std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i != 4; ++i) bytes_[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  }
  void set_u8(std::size_t at, std::uint8_t value) { bytes_[at] = value; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  const std::vector<std::uint8_t>& all() const { return bytes_; }

 private:
  void number(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i != size; ++i) u8(static_cast<std::uint8_t>(value >> 8 * i));
  }
  std::vector<std::uint8_t> bytes_;
};

class Table {
 public:
  explicit Table(Layout layout) : layout_(std::move(layout)) {}

  std::vector<std::uint8_t> write() {
    table_header();
    if (layout_.its) its_group();
    for (std::size_t i = 0; i != layout_.smmus.size(); ++i) smmu(i);
    root_complex();
    out_.set_u32(length_offset, out_.size());
    out_.set_u32(node_count_offset_, nodes_);
    std::uint8_t sum = 0;
    for (const std::uint8_t byte : out_.all()) sum = static_cast<std::uint8_t>(sum + byte);
    out_.set_u8(checksum_offset, static_cast<std::uint8_t>(-sum));
    return out_.all();
  }

 private:
  void table_header() {
    out_.text("IORT");
    out_.u32(0);  // length: write()
    out_.u8(table_revision);
    out_.u8(0);  // checksum: write()
    out_.text("SMMSIM");
    out_.text("SMMUSIM ");
    out_.u32(1);  // OEM revision
    out_.text("SMMU");
    out_.u32(1);  // creator revision
    node_count_offset_ = out_.size();
    out_.u32(0);  // node count: write()
    out_.u32(first_node_offset);
    out_.u32(0);
  }

  /// `bytes`: of the node without its mappings, which follow at once.
  void node_header(NodeType type, std::uint8_t revision, std::size_t bytes, std::size_t mappings) {
    const std::size_t length = bytes + mappings * mapping_bytes;
    if (length > node_bytes_max) {
      throw InputError(
          fmt::format("{} separate ranges of PCI addresses don't fit in an IORT node, which has at most {}; give "
                      "endpoints consecutive bdf and stream_id",
                      mappings, (node_bytes_max - bytes) / mapping_bytes));
    }
    out_.u8(static_cast<std::uint8_t>(type));
    out_.u16(static_cast<std::uint16_t>(length));
    out_.u8(revision);
    out_.u32(nodes_++);  // identifier
    out_.u32(static_cast<std::uint32_t>(mappings));
    out_.u32(mappings == 0 ? 0 : static_cast<std::uint32_t>(bytes));
  }

  void mappings(const std::vector<IdMapping>& all) {
    for (const IdMapping& mapping : all) {
      out_.u32(mapping.input);
      out_.u32(mapping.count - 1);  // "number of IDs" is one less
      out_.u32(mapping.output);
      out_.u32(mapping.reference);
      out_.u32(mapping.flags);
    }
  }

  void its_group() {
    its_at_ = out_.size();
    node_header(NodeType::its_group, its_group_revision, its_group_bytes, 0);
    out_.u32(1);  // number of ITSs
    out_.u32(address_map::its_id);
  }

  /// StreamIDs become the RIDs they came from, which are the DeviceIDs; then the SMMU's own messages.
  std::vector<IdMapping> smmu_mappings(std::size_t index) const {
    std::vector<IdMapping> all;
    if (!layout_.its) return all;
    for (const RidRange& range : layout_.rids) {
      if (range.smmu == index) all.push_back({range.stream_base, range.count, range.rid_base, its_at_, 0});
    }
    const SmmuPlace& place = layout_.smmus[index];
    if (place.msi) all.push_back({0, 1, place.device_id, its_at_, single_mapping});
    return all;
  }

  void smmu(std::size_t index) {
    const SmmuPlace& place = layout_.smmus[index];
    const std::vector<IdMapping> mapped = smmu_mappings(index);
    const auto gsiv = [&place](unsigned which) { return place.spi(which) + address_map::spi_to_intid; };
    smmus_at_.push_back(out_.size());
    node_header(NodeType::smmu_v3, smmu_revision, smmu_bytes, mapped.size());
    out_.u64(place.frame.base);
    out_.u32((place.coherent ? cohacc_override : 0) | place.httu << httu_override_shift |
             (place.msi ? device_id_valid : 0));
    out_.u32(0);
    out_.u64(place.vatos.value_or(0));
    out_.u32(generic_smmu_v3);
    out_.u32(gsiv(address_map::eventq_spi));
    out_.u32(place.pri ? gsiv(address_map::priq_spi) : 0);
    out_.u32(gsiv(address_map::gerror_spi));
    out_.u32(gsiv(address_map::cmdq_sync_spi));
    out_.u32(0);  // proximity domain: not valid
    out_.u32(place.msi ? static_cast<std::uint32_t>(mapped.size() - 1) : 0);
    mappings(mapped);
  }

  void root_complex() {
    std::vector<IdMapping> mapped;
    for (const RidRange& range : layout_.rids) {
      mapped.push_back({range.rid_base, range.count, range.stream_base, smmus_at_[range.smmu], 0});
    }
    node_header(NodeType::root_complex, root_complex_revision, root_complex_bytes, mapped.size());
    out_.u32(fully_coherent);
    out_.u8(0);  // allocation hints
    out_.u16(0);
    out_.u8(coherent_path_and_attributes);
    out_.u32((layout_.ats ? ats_supported : 0) | (layout_.pri ? pri_supported : 0) |
             (layout_.pasid_bits != 0 ? pasid_forwarded : 0));
    out_.u32(address_map::pcie_segment);
    out_.u8(address_map::pcie_address_bits);
    out_.u16(static_cast<std::uint16_t>(layout_.pasid_bits));
    out_.u8(0);
    out_.u32(layout_.pasid_bits != 0 ? pasid_supported : 0);
    mappings(mapped);
  }

  Layout layout_;
  Bytes out_;
  std::uint32_t nodes_ = 0;
  std::size_t node_count_offset_ = 0;
  std::uint32_t its_at_ = 0;
  std::vector<std::uint32_t> smmus_at_;
};

}  // namespace

std::vector<std::uint8_t> iort_table(const PlatformConfig& config) {
  return Table(layout_of(config)).write();
}

std::string acpi_dump(std::span<const std::uint8_t> table) {
  constexpr std::size_t line_bytes = 16;
  std::string text(table.begin(), table.begin() + 4);
  text += " @ 0x0000000000000000\n";
  for (std::size_t at = 0; at < table.size(); at += line_bytes) {
    const auto line = table.subspan(at, std::min(line_bytes, table.size() - at));
    text += fmt::format("    {:04X}: ", at);
    for (const std::uint8_t byte : line) text += fmt::format("{:02X} ", byte);
    text.append(3 * (line_bytes - line.size()) + 1, ' ');
    for (const std::uint8_t byte : line) text += byte >= ' ' && byte < 0x7f ? static_cast<char>(byte) : '.';
    text += '\n';
  }
  return text + "\n";
}

}  // namespace smmusim::emit
