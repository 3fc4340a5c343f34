// SPDX-License-Identifier: MIT
// Objects with a descriptor: reading vEVENTs and faults.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "platform/host/iommufd.h"

namespace smmusim::host {
namespace {

constexpr std::size_t vevent_bytes = sizeof(abi::VeventHeader) + sizeof(abi::VeventArmSmmuv3);

/// Reads into `bytes`, and shortens it to what came.
Status read_into(HostSystem& host, int fd, std::vector<std::byte>& bytes) {
  const SysResult result = host.read(fd, bytes.data(), bytes.size());
  if (result.error == EAGAIN) {
    bytes.clear();
    return {};
  }
  if (!result.ok()) return HostError{"read", result.error, 0, {}};
  if (result.value < 0 || static_cast<std::uint64_t>(result.value) > bytes.size()) {
    return HostError{"read", EPROTO, 0, "more bytes than were asked for"};
  }
  bytes.resize(static_cast<std::size_t>(result.value));
  return {};
}

}  // namespace

QueueObject::~QueueObject() {
  iommufd().host().close(fd_);
}

Result<bool> QueueObject::readable() {
  const SysResult result = iommufd().host().poll(fd_);
  if (!result.ok()) return HostError{"poll", result.error, 0, {}};
  return result.value != 0;
}

Result<std::size_t> Veventq::read(std::vector<Vevent>& records, std::size_t records_max) {
  std::vector<std::byte> bytes(std::max<std::size_t>(records_max, 1) * vevent_bytes);
  const Status status = read_into(iommufd().host(), fd(), bytes);
  if (!status) return status.error();
  const std::size_t before = records.size();
  for (std::size_t at = 0; at != bytes.size();) {
    abi::VeventHeader header{};
    if (bytes.size() - at < sizeof header) return HostError{"read", EPROTO, 0, "part of a vEVENT's header"};
    std::memcpy(&header, bytes.data() + at, sizeof header);
    at += sizeof header;
    Vevent record;
    record.sequence = header.sequence;
    record.lost_events = (header.flags & abi::vevent_lost_events) != 0;
    if (!record.lost_events) {
      if (bytes.size() - at < sizeof(abi::VeventArmSmmuv3)) return HostError{"read", EPROTO, 0, "part of a vEVENT"};
      std::memcpy(record.event.dw.data(), bytes.data() + at, sizeof(abi::VeventArmSmmuv3));
      at += sizeof(abi::VeventArmSmmuv3);
    }
    records.push_back(record);
  }
  return records.size() - before;
}

Result<std::size_t> FaultQueue::read(std::vector<abi::PageFault>& faults, std::size_t faults_max) {
  std::vector<std::byte> bytes(std::max<std::size_t>(faults_max, 1) * sizeof(abi::PageFault));
  const Status status = read_into(iommufd().host(), fd(), bytes);
  if (!status) return status.error();
  const std::size_t whole = bytes.size() / sizeof(abi::PageFault);
  const std::size_t before = faults.size();
  faults.resize(before + whole);
  if (whole != 0) std::memcpy(faults.data() + before, bytes.data(), whole * sizeof(abi::PageFault));
  if (bytes.size() % sizeof(abi::PageFault) != 0) return HostError{"read", EPROTO, 0, "part of a page fault"};
  return whole;
}

Status FaultQueue::respond(std::uint32_t cookie, std::uint32_t code) {
  const abi::PageResponse response{cookie, code};
  const SysResult result = iommufd().host().write(fd(), &response, sizeof response);
  if (!result.ok()) return HostError{"write", result.error, 0, {}};
  if (result.value != sizeof response) return HostError{"write", EPROTO, 0, "part of a response was taken"};
  return {};
}

}  // namespace smmusim::host
