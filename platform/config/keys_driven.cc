// SPDX-License-Identifier: MIT
// Rows of the keys of an [[endpoint]] that a simulated driver uses: an NVMe controller and what its driver has it do,
// and the same of an iommu-testdev.
#include "platform/config/key_rows.h"

namespace smmusim::key_rows {
namespace {

using E = EndpointConfig;
constexpr Choice models[] = {{"dma", 0}, {"nvme", 1}, {"iommu-testdev", 2}};
constexpr std::uint64_t block_sizes[] = {512, 1024, 2048, 4096};
constexpr std::uint64_t bytes_max = 2 << 20;  // MDTS

template <class Member>
Row number(std::string_view name, Member NvmeSettings::*member, std::uint64_t min, std::uint64_t max,
           const Words& words) {
  return integer<E>(
      name, [member](auto& e) -> auto& { return e.nvme.*member; }, min, max, words);
}

void add_device(std::vector<Key>& keys) {
  keys.push_back(choice<E>(
      "endpoint.model", [](auto& e) -> auto& { return e.model; }, models,
      {"", "plays the trace's accesses, or is an NVMe controller, or QEMU's iommu-testdev", "what a trace needs"}));
  keys.push_back(text<E>("endpoint.nvme_file", [](auto& e) -> auto& { return e.nvme.file; }, 0, 4096,
                         {"", "the namespace, read and written; empty: in memory", "no file is touched"}));
  keys.push_back(number("endpoint.nvme_mib", &NvmeSettings::mib, 1, 1 << 20,
                        {"MiB", "of a namespace in memory, which takes what is written",
                         "small enough that blocks are read which were written"}));
  keys.push_back(one_of<E>("endpoint.nvme_block", [](auto& e) -> auto& { return e.nvme.block_bytes; }, block_sizes,
                           {"bytes", "of a logical block", "usual"}));
  keys.push_back(number("endpoint.nvme_channels", &NvmeSettings::channels, 1, 65535,
                        {"commands", "that the medium works on at a time", "a small drive"}));
  keys.push_back(number("endpoint.nvme_command_ns", &NvmeSettings::command_ns, 0, 1'000'000,
                        {"ns", "from the arrival of a command to its start", "a fast controller"}));
  keys.push_back(number("endpoint.nvme_read_ns", &NvmeSettings::read_ns, 0, 100'000'000,
                        {"ns", "the medium takes for a read", "low-latency flash"}));
  keys.push_back(number("endpoint.nvme_write_ns", &NvmeSettings::write_ns, 0, 100'000'000,
                        {"ns", "the medium takes for a write", "low-latency flash"}));
}

void add_load(std::vector<Key>& keys) {
  keys.push_back(number("endpoint.nvme_commands", &NvmeSettings::commands, 1, 1'000'000'000,
                        {"commands", "that the driver makes", "a second or two of host time"}));
  keys.push_back(number("endpoint.nvme_queues", &NvmeSettings::queues, 1, 64,
                        {"pairs", "of I/O queues, each with its interrupt", "one CPU"}));
  keys.push_back(number("endpoint.nvme_depth", &NvmeSettings::depth, 1, 1023,
                        {"commands", "at a time in each queue", "a usual benchmark"}));
  keys.push_back(number("endpoint.nvme_bytes_min", &NvmeSettings::bytes_min, 512, bytes_max,
                        {"bytes", "of the shortest command", "a page"}));
  keys.push_back(number("endpoint.nvme_bytes_max", &NvmeSettings::bytes_max, 512, bytes_max,
                        {"bytes", "of the longest; lengths between are equally likely", "a page"}));
  keys.push_back(number("endpoint.nvme_read_percent", &NvmeSettings::read_percent, 0, 100,
                        {"%", "of the commands are reads, the others writes", "half of each"}));
  keys.push_back(boolean<E>("endpoint.nvme_offsets", [](auto& e) -> auto& { return e.nvme.offsets; },
                            {"", "buffers begin anywhere in a page", "page caches are aligned"}));
}

void add_testdev(std::vector<Key>& keys) {
  keys.push_back(integer<E>("endpoint.testdev_writes", [](auto& e) -> auto& { return e.testdev.writes; }, 1,
                            1'000'000'000, {"writes", "that an iommu-testdev's driver has it do", "a second or less"}));
  keys.push_back(integer<E>("endpoint.testdev_bytes", [](auto& e) -> auto& { return e.testdev.bytes_max; }, 1, 1 << 20,
                            {"bytes", "of the longest; all lengths are equally likely, from anywhere in a page",
                             "so that two pages are met"}));
}

}  // namespace

void add_driven_device_keys(std::vector<Key>& keys) {
  add_device(keys);
  add_load(keys);
  add_testdev(keys);
}

}  // namespace smmusim::key_rows
