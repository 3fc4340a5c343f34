// SPDX-License-Identifier: MIT
// Rows of the keys that concern the platform as a whole: mode, trace, memory, PCIe, driver, host.
#include "platform/config/key_rows.h"
#include "platform/config/presets.h"

namespace smmusim::key_rows {
namespace {

using P = PlatformConfig;
constexpr std::uint64_t address_max = (std::uint64_t{1} << 56) - 1;  // the largest physical address there is

constexpr Choice modes[] = {{"timed", 0}, {"untimed", 1}};
constexpr Choice replays[] = {{"closed", 0}, {"recorded", 1}};
constexpr Choice stream_tables[] = {{"linear", 0}, {"2-level", 1}};
constexpr Choice context_tables[] = {{"linear", 0}, {"4K", 1}, {"64K", 2}};
constexpr Choice s1dss_choices[] = {{"terminate", 0}, {"bypass", 1}, {"substream0", 2}};
constexpr Choice host_modes[] = {{"none", 0}, {"simulated", 1}, {"hardware", 2}, {"auto", 3}};
constexpr Choice oas_checks[] = {{"aperture", 0}, {"idr5", 1}};
constexpr Choice acs_policies[] = {{"off", 0}, {"isolate", 1}, {"direct", 2}};
constexpr Choice kernels[] = {{"6.1", 0}, {"6.12", 1}, {"6.13", 2}, {"7.1", 3}, {"7.2", 4}, {"7.4", 5}};
constexpr std::uint64_t page_sizes[] = {4, 16, 64};
constexpr std::uint64_t host_address_sizes[] = {32, 36, 40, 42, 44, 48, 52};
constexpr Choice dllp_spacings[] = {{"observed", 0}, {"latest", 1}};
constexpr Choice driver_stages[] = {{"1", 0}, {"2", 1}, {"nested", 2}};
constexpr Choice stage2_leaves[] = {{"4K", 12}, {"2M", 21}, {"1G", 30}};
constexpr std::uint64_t lane_counts[] = {1, 2, 4, 8, 12, 16, 32};
constexpr std::uint64_t payload_sizes[] = {128, 256, 512, 1024, 2048, 4096};
constexpr std::uint64_t completion_boundaries[] = {64, 128};
constexpr std::uint64_t splits[] = {6, 8, 10};

/// Only the name is kept here; the loader applies a preset's values before everything else.
Row preset() {
  static const std::vector<Choice> names = [] {
    std::vector<Choice> list{{"none", 0}};
    for (const Preset& p : presets()) list.push_back({p.name, static_cast<unsigned>(list.size())});
    return list;
  }();
  Row made = row<P>("preset", KeyType::choice, {"", "values to start from; every other key overrides it", "none"});
  made.choices = names;
  made.get = [](const Subject& s) -> Value { return s.platform->preset.empty() ? "none" : s.platform->preset; };
  made.set = [](const Subject& s, const Value& value) {
    const auto& name = std::get<std::string>(value);
    s.platform->preset = name == "none" ? "" : name;
  };
  return made;
}

void add_top(std::vector<Key>& keys) {
  keys.push_back(preset());
  keys.push_back(
      choice<P>("mode", [](auto& p) -> auto& { return p.mode; }, modes,
                {"", "whether simulated time passes; untimed answers everything at once", "the usual study"}));
  keys.push_back(integer<P>("seed", [](auto& p) -> auto& { return p.seed; }, 0, ~std::uint64_t{0} >> 1,
                            {"", "of every pseudo-random choice of the simulation; up to the largest integer of TOML",
                             "any number would do"}));
  keys.push_back(text<P>("trace.file", [](auto& p) -> auto& { return p.trace.file; }, 0, 4096,
                         {"", "the trace to replay, as --trace", "none; a run needs one"})
                     .in_words("a path"));
  keys.push_back(choice<P>("trace.replay", [](auto& p) -> auto& { return p.trace.replay; }, replays,
                           {"", "closed: as fast as the limits let; recorded: at the trace's time stamps",
                            "time stamps of an emulated CPU are no real distances"}));
  keys.push_back(boolean<P>("trace.check", [](auto& p) -> auto& { return p.trace.check; },
                            {"", "compare each translation with the answer that the trace recorded", "a free check"}));
}

void add_memory(std::vector<Key>& keys) {
  keys.push_back(integer<P>("memory.base", [](auto& p) -> auto& { return p.memory.base; }, 0, address_max,
                            {"byte", "first address of main memory; a multiple of 4096", "QEMU's virt machine"}));
  keys.push_back(
      integer<P>("memory.size", [](auto& p) -> auto& { return p.memory.size; }, 4096, address_max + 1,
                 {"byte", "size of main memory; addresses beyond it are external aborts", "room for any trace"}));
  keys.push_back(integer<P>("memory.latency_ns", [](auto& p) -> auto& { return p.memory.latency_ns; }, 0, 1'000'000,
                            {"ns", "from an access to its answer", "DDR4, row hit or miss averaged"}));
  keys.push_back(integer<P>("memory.bandwidth_gbps", [](auto& p) -> auto& { return p.memory.bandwidth_gbps; }, 0,
                            100'000,
                            {"10^9 bit/s", "of all accesses together; 0: unlimited", "one DDR4-3200 channel"}));
  keys.push_back(integer<P>("memory.outstanding", [](auto& p) -> auto& { return p.memory.outstanding; }, 0, 65536,
                            {"accesses", "at a time; 0: unlimited", "a memory controller's usual queue"}));
  keys.push_back(integer<P>(
      "msi.base", [](auto& p) -> auto& { return p.msi.base; }, 0, address_max,
      {"byte", "first address of the interrupt controller's doorbells", "QEMU's virt machine (GICv2m to GIC ITS)"}));
  keys.push_back(
      integer<P>("msi.size", [](auto& p) -> auto& { return p.msi.size; }, 0, address_max + 1,
                 {"byte", "size of the doorbell range; 0: there is none", "QEMU's virt machine (GICv2m to GIC ITS)"}));
}

void add_pcie(std::vector<Key>& keys) {
  keys.push_back(integer<P>("pcie.generation", [](auto& p) -> auto& { return p.pcie.generation; }, 1, 6,
                            {"", "of the link: 2.5, 5, 8, 16, 32 or 64 GT/s a lane", "a data-centre NVMe drive"}));
  keys.push_back(one_of<P>("pcie.lanes", [](auto& p) -> auto& { return p.pcie.lanes; }, lane_counts,
                           {"lanes", "width of the link", "a data-centre NVMe drive"}));
  keys.push_back(one_of<P>("pcie.mps_bytes", [](auto& p) -> auto& { return p.pcie.mps_bytes; }, payload_sizes,
                           {"byte", "Max_Payload_Size", "most root ports"}));
  keys.push_back(one_of<P>("pcie.mrrs_bytes", [](auto& p) -> auto& { return p.pcie.mrrs_bytes; }, payload_sizes,
                           {"byte", "Max_Read_Request_Size", "its value after reset"}));
  keys.push_back(one_of<P>("pcie.rcb_bytes", [](auto& p) -> auto& { return p.pcie.rcb_bytes; }, completion_boundaries,
                           {"byte", "Read Completion Boundary", "most root ports"}));
  keys.push_back(integer<P>("pcie.propagation_ns", [](auto& p) -> auto& { return p.pcie.propagation_ns; }, 0, 1'000'000,
                            {"ns", "along the link, one way", "about one metre"}));
  keys.push_back(
      integer<P>("pcie.processing_ns", [](auto& p) -> auto& { return p.pcie.processing_ns; }, 0, 1'000'000,
                 {"ns", "through device and root complex, one way", "half of pcie-bench's round trip without memory"}));
  keys.push_back(choice<P>("pcie.dllp_spacing", [](auto& p) -> auto& { return p.pcie.dllp_spacing; }, dllp_spacings,
                           {"", "how often receivers send Acks and credits: as measured, or as late as they may",
                            "what measured adapters and the published formulae agree on"}));
  keys.push_back(
      boolean<P>("pcie.ats_supported", [](auto& p) -> auto& { return p.pcie.ats_supported; },
                 {"", "whether the root complex takes ATS, as firmware says (IORT, device tree)", "it does"}));
  keys.push_back(integer<P>("pcie.outstanding", [](auto& p) -> auto& { return p.pcie.outstanding; }, 1, 65535,
                            {"requests", "of the root complex at a time, for each TBU", "more than one link needs"}));
  keys.push_back(integer<P>("pcie.switch_ns", [](auto& p) -> auto& { return p.pcie.switch_ns; }, 0, 1'000'000,
                            {"ns", "through a switch, one way", "port to port of usual switches"}));
  keys.push_back(choice<P>("pcie.acs", [](auto& p) -> auto& { return p.pcie.acs; }, acs_policies,
                           {"",
                            "ACS of switches: isolate sends peers' traffic up to the SMMU, direct lets translated "
                            "requests through",
                            "Linux with an IOMMU"}));
}

void add_credits(std::vector<Key>& keys) {
  keys.push_back(integer<P>("pcie.posted_header_credits", [](auto& p) -> auto& { return p.pcie.posted_header_credits; },
                            0, 127, {"TLPs", "posted, in the root port's receive buffer; 0: unlimited", "usual"}));
  keys.push_back(integer<P>(
      "pcie.posted_data_credits", [](auto& p) -> auto& { return p.pcie.posted_data_credits; }, 0, 2047,
      {"16 bytes", "of posted TLPs in the root port's receive buffer; 0: unlimited", "64 TLPs of 256 bytes"}));
  keys.push_back(integer<P>("pcie.non_posted_header_credits",
                            [](auto& p) -> auto& { return p.pcie.non_posted_header_credits; }, 0, 127,
                            {"TLPs", "non-posted, in the root port's receive buffer; 0: unlimited", "usual"}));
}

Row context_table() {
  Row made = row<P>("driver.context_table", KeyType::choice,
                    {"", "CD tables of streams with substreams: one level, or two with leaves of 4 or 64 KiB",
                     "64K beyond 1024 CDs where the SMMUs have two levels, as Linux"});
  made.choices = context_tables;
  made.get = [](const Subject& s) -> Value {
    const auto& format = s.platform->driver.context_table;
    if (!format) return Automatic{};
    return std::string(context_tables[static_cast<unsigned>(*format)].name);
  };
  made.set = [](const Subject& s, const Value& value) {
    s.platform->driver.context_table.reset();
    if (std::holds_alternative<Automatic>(value)) return;
    for (const Choice& c : context_tables) {
      if (c.name == std::get<std::string>(value))
        s.platform->driver.context_table = static_cast<spec::S1Format>(c.value);
    }
  };
  return std::move(made).or_auto().in_section("5.2");
}

void add_driver(std::vector<Key>& keys) {
  keys.push_back(choice<P>("driver.stages", [](auto& p) -> auto& { return p.driver.stages; }, driver_stages,
                           {"", "stages that the driver uses; nested: the trace's outputs are intermediate addresses",
                            "follows smmu.stages: 1 where the SMMU has stage 1, else 2"})
                     .or_auto());
  keys.push_back(choice<P>("driver.stage2_leaf", [](auto& p) -> auto& { return p.driver.stage2_leaf; }, stage2_leaves,
                           {"", "largest leaf of the stage 2 below a nested stream; other stages do not use it",
                            "what a hypervisor with huge pages maps"}));
  keys.push_back(choice<P>("driver.stream_table", [](auto& p) -> auto& { return p.driver.stream_table; }, stream_tables,
                           {"", "format of the stream table", "2-level where the SMMU has it, as Linux"})
                     .or_auto()
                     .in_section("6.3.25"));
  keys.push_back(one_of<P>("driver.stream_table_split", [](auto& p) -> auto& { return p.driver.stream_table_split; },
                           splits, {"bit", "StreamID bits of the second level (STRTAB_BASE_CFG.SPLIT)", "Linux"})
                     .in_section("6.3.25"));
  keys.push_back(context_table());
  keys.push_back(choice<P>("driver.s1dss", [](auto& p) -> auto& { return p.driver.s1dss; }, s1dss_choices,
                           {"", "what becomes of accesses without PASID on streams that have PASIDs (STE.S1DSS)",
                            "Linux: they use CD 0"})
                     .in_section("5.2"));
  keys.push_back(integer<P>("driver.command_queue_log2", [](auto& p) -> auto& { return p.driver.command_queue_log2; },
                            1, 19, {"log2(entries)", "size of the Command queue; at most smmu.cmdqs", "one 4 KiB page"})
                     .in_section("6.3.26"));
  keys.push_back(integer<P>("driver.event_queue_log2", [](auto& p) -> auto& { return p.driver.event_queue_log2; }, 0,
                            19, {"log2(entries)", "size of the Event queue; at most smmu.eventqs", "two 4 KiB pages"})
                     .in_section("6.3.29"));
  keys.push_back(boolean<P>("driver.ats_split", [](auto& p) -> auto& { return p.driver.ats_split; },
                            {"", "of nested streams: ATS for stage 1 alone, stage 2 at every access (STE.EATS = 2)",
                             "full ATS is faster"})
                     .in_section("3.9.1.3"));
  keys.push_back(integer<P>("driver.pri_queue_log2", [](auto& p) -> auto& { return p.driver.pri_queue_log2; }, 0, 19,
                            {"log2(entries)", "size of the PRI queue; at most smmu.priqs", "one 4 KiB page"})
                     .in_section("6.3.33"));
  keys.push_back(integer<P>("driver.demand_paging", [](auto& p) -> auto& { return p.driver.demand_paging; }, 0, 100,
                            {"%", "pages of devices with PRI that are mapped only when the device requests them",
                             "DMA buffers are mapped before"}));
  keys.push_back(integer<P>("driver.page_request_ns", [](auto& p) -> auto& { return p.driver.page_request_ns; }, 0,
                            1'000'000'000,
                            {"ns", "the handler takes for an entry of the PRI queue, one after the other", "assumed"}));
  keys.push_back(integer<P>("driver.page_fault_ns", [](auto& p) -> auto& { return p.driver.page_fault_ns; }, 0,
                            1'000'000'000,
                            {"ns", "from there until the requested page is mapped", "a minor fault, woken threads"}));
  keys.push_back(integer<P>("driver.tables_base", [](auto& p) -> auto& { return p.driver.tables_base; }, 0, address_max,
                            {"byte", "where the driver builds tables and queues; a multiple of 64 KiB",
                             "in memory, below 4 GiB, above what the shipped traces touch"}));
}

void add_host(std::vector<Key>& keys) {
  keys.push_back(choice<P>("host.mode", [](auto& p) -> auto& { return p.host.mode; }, host_modes,
                           {"", "the host SMMU of accelerated nested mode", "none: everything is emulated"}));
  keys.push_back(
      choice<P>("host.oas_check", [](auto& p) -> auto& { return p.host.oas_check; }, oas_checks,
                {"", "what limits the OAS of an accelerated SMMU", "what the host's stage 2 really accepts"}));
  keys.push_back(choice<P>("host.kernel", [](auto& p) -> auto& { return p.host.kernel; }, kernels,
                           {"", "Linux of the simulated host", "the first that reports ATS by device"}));
  keys.push_back(one_of<P>("host.page_size", [](auto& p) -> auto& { return p.host.page_kib; }, page_sizes,
                           {"KiB", "of the simulated host's kernel and of its stage 2", "most distributions"}));
  keys.push_back(one_of<P>("host.oas", [](auto& p) -> auto& { return p.host.oas; }, host_address_sizes,
                           {"bit", "output addresses of the simulated host's SMMU", "a server's"})
                     .in_section("6.3.6"));
  keys.push_back(integer<P>("host.ssidsize", [](auto& p) -> auto& { return p.host.ssidsize; }, 0, 20,
                            {"bit", "SubstreamIDs of the simulated host's SMMU", "PCIe's PASIDs"})
                     .in_section("6.3.2"));
  keys.push_back(boolean<P>("host.ats", [](auto& p) -> auto& { return p.host.ats; },
                            {"", "ATS of the simulated host's SMMU", "a server's"})
                     .in_section("6.3.1"));
  keys.push_back(integer<P>("host.ioctl_ns", [](auto& p) -> auto& { return p.host.ioctl_ns; }, 0, 1'000'000'000,
                            {"ns", "of any call to the simulated host", "a system call with looks at a few objects"}));
  keys.push_back(integer<P>("host.invalidate_entry_ns", [](auto& p) -> auto& { return p.host.invalidate_entry_ns; }, 0,
                            1'000'000'000, {"ns", "to copy and rewrite one invalidation", "a few dozen instructions"}));
  keys.push_back(integer<P>("host.attach_ns", [](auto& p) -> auto& { return p.host.attach_ns; }, 0, 1'000'000'000,
                            {"ns", "to attach a device, its STE's update apart", "assumed"}));
  keys.push_back(integer<P>("host.event_ns", [](auto& p) -> auto& { return p.host.event_ns; }, 0, 1'000'000'000,
                            {"ns", "from a physical event to its vEVENT", "an interrupt and its thread"}));
}

}  // namespace

std::vector<Key> platform_keys() {
  std::vector<Key> keys;
  add_top(keys);
  add_memory(keys);
  add_pcie(keys);
  add_credits(keys);
  add_driver(keys);
  add_host(keys);
  return keys;
}

}  // namespace smmusim::key_rows
