// SPDX-License-Identifier: MIT
// Raw calls to a host as text: `HWPT_ALLOC dev_id=dev pt_id=ioas flags=1`. Fields by the names of the kernel's
// structures, values as numbers or names of objects that a RawWorld has. What the typed client never sends can be sent.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/host/host_bench.h"

namespace smmusim::host {

/// A host with one of everything, and its names for values:
///   descriptors (`on=`): iommu, vfio0 (bound), vfio1 (not bound), vfio2 (bound, behind another SMMU), bad
///   dev, dev2: bound devices; ioas (has the guest's memory), empty_ioas, parent, plain (HWPT over ioas, no parent),
///   viommu, abort (nested HWPT), vdev, events (vEVENTQ), faults (fault queue), none (no object), va (user address of
///   the memory), mem (the guest's address of it)
/// Those that the kernel can't make are `none`.
struct RawWorld {
  explicit RawWorld(const std::string& kernel);

  /// Does the call and gives the name of its errno, "0" without one. Fields that are not given are zero, but `size` and
  /// `argsz`, which are the structure's. `tail=N` sets the byte behind the structure. `ste=A,B` and `cmd=A,B` are data;
  /// `entry_num` up to 200 repeats the command. `as=NAME` names the object that the call makes.
  std::string call(const std::string& text);
  /// A field of the last call's structure as it came back.
  std::uint64_t field(const std::string& name) const;

  std::uint64_t value(const std::string& text) const;

  HostBench bench;
  std::map<std::string, std::uint64_t> names;
  std::map<std::string, int> descriptors;

 private:
  std::string last_call_;
  alignas(8) std::uint8_t buffer_[128] = {};
  std::vector<std::uint64_t> data_;
};

}  // namespace smmusim::host
