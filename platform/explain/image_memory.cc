// SPDX-License-Identifier: MIT
// ImageMemory: reading the pages file, and reads of at most 64 aligned bytes.
#include "platform/explain/image_memory.h"

#include <fmt/format.h>

#include <cstring>

#include "platform/trace/bytes.h"
#include "platform/trace/error.h"

namespace smmusim::explain {
namespace {

using trace::TraceError;

/// Bytes in memory order to a number, whatever the host's order.
std::uint64_t little_endian(const char* bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i != 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

constexpr std::size_t record_bytes = 8 + ImageMemory::page_bytes;

}  // namespace

void ImageMemory::add_pages(const std::string& path) {
  trace::ByteSource source(path);
  std::array<char, record_bytes> record;
  for (;;) {
    const std::uint64_t offset = source.offset();
    const std::size_t bytes = source.read(record.data(), record.size());
    if (bytes == 0) return;
    const auto wrong = [&](const std::string& sentence) { return TraceError::at_byte(path, offset, sentence); };
    if (bytes != record.size()) {
      throw wrong(
          fmt::format("the record that begins here has {} bytes; a record is an address of 8 bytes and a page "
                      "of 4096",
                      bytes));
    }
    const std::uint64_t address = little_endian(record.data());
    if (address % page_bytes != 0) {
      throw wrong(fmt::format("0x{:x} is no address of a page; it must be a multiple of 4096", address));
    }
    if (pages_.size() == pages_max) throw wrong("the image has more than 4 GiB; keep the pages that the SMMU reads");
    if (!index_.emplace(address, pages_.size()).second) {
      throw wrong(fmt::format("page 0x{:x} is there twice; give each page once", address));
    }
    Page& page = pages_.emplace_back();
    for (std::size_t i = 0; i != page.size(); ++i) page[i] = little_endian(record.data() + 8 + 8 * i);
  }
}

bool ImageMemory::word(std::uint64_t address, std::uint64_t& value) const {
  const auto word = words_.find(address);
  if (word != words_.end()) {
    value = word->second;
    return true;
  }
  const auto page = index_.find(address & ~(page_bytes - 1));
  if (page == index_.end()) return false;
  value = pages_[page->second][address % page_bytes / 8];
  return true;
}

bool ImageMemory::read(const MemoryRequest& request) const {
  if (request.op != MemoryOp::read || request.size % 8 != 0 || request.address.value % 8 != 0) return false;
  for (std::uint32_t at = 0; at != request.size; at += 8) {
    std::uint64_t value = 0;
    if (!word(request.address.value + at, value) && strict_) return false;
    std::memcpy(static_cast<char*>(request.data) + at, &value, sizeof value);
  }
  return true;
}

bool ImageMemory::start(MemoryRequest& request) {
  request.status = read(request) ? MemoryStatus::ok : MemoryStatus::external_abort;
  return true;
}

}  // namespace smmusim::explain
