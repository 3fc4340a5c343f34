// SPDX-License-Identifier: MIT
// RawWorld; see the header. The offsets below are those of the interface's documentation, not of abi.h.
#include "tests/host/raw_call.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sstream>
#include <stdexcept>

namespace smmusim::host {
namespace {

struct FieldRow {
  const char* name;
  unsigned offset;
  unsigned bytes;
};
struct CallRow {
  const char* name;
  std::uint32_t request;
  unsigned size;
  std::vector<FieldRow> fields;
};

const std::vector<CallRow>& calls() {
  static const std::vector<CallRow> rows = {
      {"DESTROY", 0x3b80, 8, {{"id", 4, 4}}},
      {"IOAS_ALLOC", 0x3b81, 12, {{"flags", 4, 4}, {"out", 8, 4}}},
      {"IOAS_IOVA_RANGES",
       0x3b84,
       32,
       {{"ioas_id", 4, 4}, {"num_iovas", 8, 4}, {"rsv", 12, 4}, {"uptr", 16, 8}, {"alignment", 24, 8}}},
      {"IOAS_MAP",
       0x3b85,
       40,
       {{"flags", 4, 4}, {"ioas_id", 8, 4}, {"rsv", 12, 4}, {"user_va", 16, 8}, {"length", 24, 8}, {"iova", 32, 8}}},
      {"IOAS_UNMAP", 0x3b86, 24, {{"ioas_id", 4, 4}, {"iova", 8, 8}, {"length", 16, 8}}},
      {"OPTION", 0x3b87, 24, {}},
      {"HWPT_ALLOC",
       0x3b89,
       48,
       {{"flags", 4, 4},
        {"dev_id", 8, 4},
        {"pt_id", 12, 4},
        {"out", 16, 4},
        {"rsv", 20, 4},
        {"data_type", 24, 4},
        {"data_len", 28, 4},
        {"uptr", 32, 8},
        {"fault_id", 40, 4},
        {"rsv2", 44, 4}}},
      {"GET_HW_INFO",
       0x3b8a,
       40,
       {{"flags", 4, 4},
        {"dev_id", 8, 4},
        {"data_len", 12, 4},
        {"uptr", 16, 8},
        {"type", 24, 4},
        {"pasid", 28, 1},
        {"rsv", 29, 1},
        {"capabilities", 32, 8}}},
      {"HWPT_INVALIDATE",
       0x3b8d,
       32,
       {{"hwpt_id", 4, 4},
        {"uptr", 8, 8},
        {"data_type", 16, 4},
        {"entry_len", 20, 4},
        {"entry_num", 24, 4},
        {"rsv", 28, 4}}},
      {"FAULT_QUEUE_ALLOC", 0x3b8e, 16, {{"flags", 4, 4}, {"out", 8, 4}, {"fd", 12, 4}}},
      {"IOAS_MAP_FILE", 0x3b8f, 40, {{"ioas_id", 8, 4}}},
      {"VIOMMU_ALLOC",
       0x3b90,
       40,
       {{"flags", 4, 4}, {"type", 8, 4}, {"dev_id", 12, 4}, {"hwpt_id", 16, 4}, {"out", 20, 4}}},
      {"VDEVICE_ALLOC", 0x3b91, 24, {{"viommu_id", 4, 4}, {"dev_id", 8, 4}, {"out", 12, 4}, {"virt_id", 16, 8}}},
      {"CHANGE_PROCESS", 0x3b92, 8, {}},
      {"VEVENTQ_ALLOC",
       0x3b93,
       32,
       {{"flags", 4, 4},
        {"viommu_id", 8, 4},
        {"type", 12, 4},
        {"depth", 16, 4},
        {"out", 20, 4},
        {"fd", 24, 4},
        {"rsv", 28, 4}}},
      {"HW_QUEUE_ALLOC", 0x3b94, 40, {{"viommu_id", 8, 4}, {"type", 12, 4}}},
      {"NOIOMMU_GET_PA", 0x3b95, 40, {}},
      {"BIND", 0x3b76, 16, {{"flags", 4, 4}, {"iommufd", 8, 4}, {"out", 12, 4}}},
      {"ATTACH", 0x3b77, 16, {{"flags", 4, 4}, {"pt_id", 8, 4}, {"pasid", 12, 4}}},
      {"DETACH", 0x3b78, 12, {{"flags", 4, 4}, {"pasid", 8, 4}}},
      {"RESET", 0x3b6f, 8, {}},
  };
  return rows;
}

const CallRow& row_of(const std::string& name) {
  for (const CallRow& row : calls()) {
    if (name == row.name) return row;
  }
  throw std::invalid_argument("no call " + name);
}

const FieldRow& field_of(const CallRow& call, const std::string& name) {
  static const FieldRow size = {"size", 0, 4};
  if (name == "size" || name == "argsz") return size;
  for (const FieldRow& row : call.fields) {
    if (name == row.name) return row;
  }
  throw std::invalid_argument(std::string(call.name) + " has no field " + name);
}

SimulatedHostConfig world_config(const std::string& kernel) {
  SimulatedHostConfig config = bench_config();
  config.kernel = kernel;
  config.smmus.push_back(config.smmus[0]);
  config.devices[0].pasid_bits = 4;
  config.devices.push_back({.name = "vfio2", .bdf = "0001:01:00.0", .smmu = 1, .stream = StreamId(stream_a)});
  return config;
}

}  // namespace

RawWorld::RawWorld(const std::string& kernel) : bench(world_config(kernel)) {
  constexpr std::uint64_t no_object = 999;
  for (const char* name : {"dev", "dev2", "ioas", "empty_ioas", "parent", "plain", "viommu", "abort", "vdev", "events",
                           "faults", "none"}) {
    names[name] = no_object;
  }
  names["va"] = guest_user_va;
  names["mem"] = guest_iova;
  descriptors["bad"] = 77;
  descriptors["iommu"] = static_cast<int>(bench.host.open("/dev/iommu").value);
  for (const char* name : {"vfio0", "vfio1", "vfio2"}) {
    descriptors[name] = static_cast<int>(bench.host.open(std::string("/dev/vfio/devices/") + name).value);
  }
  call("BIND on=vfio0 iommufd=iommu as=dev");
  call("BIND on=vfio2 iommufd=iommu as=dev2");
  call("IOAS_ALLOC as=ioas");
  call("IOAS_ALLOC as=empty_ioas");
  EXPECT_EQ(call("IOAS_MAP ioas_id=ioas flags=7 user_va=va iova=mem length=0x10000000"), "0");
  call("HWPT_ALLOC dev_id=dev pt_id=ioas flags=1 as=parent");
  call("HWPT_ALLOC dev_id=dev pt_id=ioas as=plain");
  call("VIOMMU_ALLOC type=1 dev_id=dev hwpt_id=parent as=viommu");
  call("HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 as=abort");
  call("FAULT_QUEUE_ALLOC as=faults");
}

std::uint64_t RawWorld::value(const std::string& text) const {
  const auto name = names.find(text);
  if (name != names.end()) return name->second;
  const auto descriptor = descriptors.find(text);
  if (descriptor != descriptors.end()) return static_cast<std::uint64_t>(descriptor->second);
  if (text.starts_with("-")) return ~(std::stoull(text.substr(1), nullptr, 0) - 1);
  return std::stoull(text, nullptr, 0);
}

std::string RawWorld::call(const std::string& text) {
  std::istringstream words(text);
  words >> last_call_;
  const CallRow& row = row_of(last_call_);
  std::memset(buffer_, 0, sizeof buffer_);
  std::string on = "iommu", as;
  const auto set = [&](const std::string& name, std::uint64_t number) {
    const FieldRow& field = field_of(row, name);
    std::memcpy(buffer_ + field.offset, &number, field.bytes);
  };
  const auto set_data = [&](const std::string& pair, std::size_t times) {
    const std::size_t comma = pair.find(',');
    data_.clear();
    for (std::size_t i = 0; i != times; ++i) {
      data_.push_back(value(pair.substr(0, comma)));
      data_.push_back(value(pair.substr(comma + 1)));
    }
    set("uptr", static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(data_.data())));
  };
  set("size", row.size);
  for (std::string word; words >> word;) {
    const std::string name = word.substr(0, word.find('='));
    const std::string what = word.substr(word.find('=') + 1);
    if (name == "on") {
      on = what;
    } else if (name == "as") {
      as = what;
    } else if (name == "tail") {
      buffer_[row.size] = static_cast<std::uint8_t>(value(what));
    } else if (name == "ste") {
      set_data(what, 1);
      set("data_type", 2);
      set("data_len", 16);
    } else if (name == "cmd") {
      set_data(what, 200);
      set("data_type", 1);
      set("entry_len", 16);
      set("entry_num", 1);
    } else {
      set(name, value(what));
    }
  }
  const SysResult result = bench.host.ioctl(descriptors.at(on), row.request, buffer_);
  if (!result.ok()) return errno_name(result.error);
  if (!as.empty()) names[as] = field("out");
  return "0";
}

std::uint64_t RawWorld::field(const std::string& name) const {
  const FieldRow& field = field_of(row_of(last_call_), name);
  std::uint64_t number = 0;
  std::memcpy(&number, buffer_ + field.offset, field.bytes);
  return number;
}

}  // namespace smmusim::host
