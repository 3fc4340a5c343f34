// SPDX-License-Identifier: MIT
// The presets' values. A parameter that this platform does not have yet is left out, not approximated by another one
// unless its reason says so.
#include "platform/config/presets.h"

#include <algorithm>

namespace smmusim {
namespace {

constexpr std::string_view smallest = "as little as works";
constexpr PresetValue minimal[] = {
    {"smmu.tbu.micro_tlb_entries", "0", smallest},
    {"smmu.tbu.micro_tlb_ways", "1", smallest},
    {"smmu.tbu.stream_cache_entries", "0", smallest},
    {"smmu.tbu.stream_cache_ways", "1", smallest},
    {"smmu.tbu.translation_slots", "1", smallest},
    {"smmu.tcu.tlb_entries", "0", smallest},
    {"smmu.tcu.tlb_ways", "1", smallest},
    {"smmu.tcu.walk_cache_entries", "0", smallest},
    {"smmu.tcu.walk_cache_ways", "1", smallest},
    {"smmu.tcu.ipa_cache_entries", "0", smallest},
    {"smmu.tcu.ipa_cache_ways", "1", smallest},
    {"smmu.tcu.config_cache_entries", "0", smallest},
    {"smmu.tcu.config_cache_ways", "1", smallest},
    {"smmu.tcu.walkers", "1", smallest},
    {"smmu.tcu.event_buffer", "1", smallest},
};

constexpr std::string_view gem5 = "gem5 SMMUv3 default";
constexpr PresetValue gem5_like[] = {
    {"smmu.tbu.micro_tlb_entries", "32", gem5},
    {"smmu.tbu.micro_tlb_ways", "32", "gem5 SMMUv3 default: fully associative"},
    {"smmu.tbu.micro_tlb_replacement", "round-robin", gem5},
    {"smmu.tbu.lookup_cycles", "1", "gem5 utlb_lat"},
    {"smmu.tbu.lookup_interval_cycles", "1", "gem5 utlb_lat / utlb_slots"},
    {"smmu.tbu.link_cycles", "8", "gem5 ifc_smmu_lat and smmu_ifc_lat"},
    {"smmu.tbu.translation_slots", "16", "gem5 xlate_slots of an interface"},
    {"smmu.tcu.tlb_entries", "2048", "gem5 main TLB, which stands in the TBU there"},
    {"smmu.tcu.tlb_ways", "4", gem5},
    {"smmu.tcu.tlb_replacement", "round-robin", gem5},
    {"smmu.tcu.tlb_cycles", "3", "gem5 tlb_lat"},
    {"smmu.tcu.config_cache_entries", "64", gem5},
    {"smmu.tcu.config_cache_ways", "4", gem5},
    {"smmu.tcu.config_cache_replacement", "round-robin", gem5},
    {"smmu.tcu.config_cycles", "3", "gem5 cfg_lat"},
    {"smmu.tcu.walk_cache_entries", "512", "gem5 has 4 + 28 + 348 + 4 for stage 1; the next power of two"},
    {"smmu.tcu.walk_cache_ways", "4", gem5},
    {"smmu.tcu.walk_cache_replacement", "round-robin", gem5},
    {"smmu.tcu.walk_cache_cycles", "4", "gem5 walk_lat"},
    {"smmu.tcu.walk_step_cycles", "1", "gem5's cycle after each PTE"},
    {"smmu.tcu.walkers", "16", "gem5 ptw_slots"},
};

constexpr PresetValue mmu600_like[] = {
    {"smmu.version", "3.1", "MMU-600 TRM"},
    {"smmu.implementer", "0x43b", "Linux: Arm's JEP106 code"},
    {"smmu.product_id", "0x483", "Linux: MMU-600"},
    {"smmu.tbu.micro_tlb_entries", "32", "chosen; the size is a build option"},
    {"smmu.tbu.micro_tlb_ways", "32", "MMU-600 TRM: fully associative"},
    {"smmu.tbu.lookup_interval_cycles", "1", "MMU-600 TRM: one look-up a cycle"},
    {"smmu.tbu.translation_slots", "64", "Intel Agilex 5: XLATE_SLOTS"},
    {"smmu.tcu.tlb_entries", "2048", "chosen; the size of the main TLB is a build option"},
    {"smmu.tcu.tlb_ways", "4", "MMU-600 TRM"},
    {"smmu.tcu.tlb_replacement", "random", "MMU-600 TRM"},
    {"smmu.tcu.walk_cache_entries", "1024", "Intel Agilex 5: 256 for each of the four levels of stage 1"},
    {"smmu.tcu.walk_cache_ways", "4", "MMU-600 TRM"},
    {"smmu.tcu.walk_cache_replacement", "round-robin", "MMU-600 TRM"},
    {"smmu.tcu.config_cache_entries", "256", "Intel Agilex 5"},
    {"smmu.tcu.config_cache_ways", "4", "MMU-600 TRM"},
};

constexpr PresetValue mmu700_like[] = {
    {"smmu.implementer", "0x43b", "Linux: Arm's JEP106 code"},
    {"smmu.product_id", "0x487", "Linux: MMU-700"},
    {"smmu.tbu.micro_tlb_entries", "32", "MMU-700 TRM: 4, 8, 12, 16, 32 or 64"},
    {"smmu.tbu.micro_tlb_ways", "32", "as MMU-600"},
    {"smmu.tbu.translation_slots", "256", "chosen from the TRM's 2 to 512"},
    {"smmu.tbu.outstanding", "512", "MMU-700 TRM: 4 to 512"},
    {"smmu.tcu.tlb_entries", "4096", "chosen from the TRM's 32 to 65536"},
    {"smmu.tcu.tlb_ways", "8", "MMU-700 TRM: 4, 8 or 16"},
    {"smmu.tcu.walk_cache_entries", "4096", "chosen from the TRM's 8 to 65536, unified"},
    {"smmu.tcu.walk_cache_ways", "4", "as MMU-600"},
    {"smmu.tcu.config_cache_entries", "1024", "chosen from the TRM's 4 to 4096"},
    {"smmu.tcu.config_cache_ways", "4", "as MMU-600"},
    {"smmu.tcu.walkers", "64", "chosen from the TRM's PTW_SLOTS of 2 to 512"},
};

constexpr std::string_view isca = "HyperTRIO, ISCA 2020";
constexpr PresetValue hypertrio[] = {
    {"memory.latency_ns", "50", isca},
    {"memory.bandwidth_gbps", "0", "HyperTRIO, ISCA 2020: memory is latency only"},
    {"memory.outstanding", "0", "HyperTRIO, ISCA 2020: memory is latency only"},
    {"pcie.propagation_ns", "450", "HyperTRIO, ISCA 2020: PCIe one way, all of it"},
    {"pcie.processing_ns", "0", "part of the 450 ns"},
    {"pcie.generation", "4", "room for the paper's 200 Gb/s"},
    {"pcie.lanes", "16", "room for the paper's 200 Gb/s"},
    {"endpoint.outstanding", "128", "HyperTRIO needs 102 or more to hide its walks"},
    {"smmu.tcu.clock_mhz", "1000", "so that cycles are the paper's nanoseconds"},
    {"smmu.tbu.micro_tlb_entries", "64", "HyperTRIO's device TLB, until the endpoint has one"},
    {"smmu.tbu.micro_tlb_ways", "8", "HyperTRIO's device TLB, until the endpoint has one"},
    {"smmu.tbu.lookup_cycles", "2", "HyperTRIO: device TLB hit"},
    {"smmu.tbu.link_cycles", "0", "part of the 450 ns"},
    {"smmu.tcu.tlb_entries", "0", "HyperTRIO has none beside the device's"},
    {"smmu.tcu.tlb_ways", "1", "no TLB"},
    {"smmu.tcu.tlb_cycles", "0", "no TLB"},
    {"smmu.tcu.config_cycles", "1", "HyperTRIO: context cache"},
    {"smmu.tcu.walk_cache_entries", "1024", "HyperTRIO: L3 page-walk cache; its L2 of 512 holds no more levels here"},
    {"smmu.tcu.walk_cache_ways", "16", isca},
    {"smmu.tcu.walk_cache_cycles", "5", isca},
    {"smmu.tcu.walk_step_cycles", "0", isca},
    {"smmu.tcu.walkers", "128", "as many as the endpoint has outstanding"},
};

constexpr std::string_view pcie_bench_paper = "pcie-bench, SIGCOMM 2018";
constexpr std::string_view round_trip = "pcie-bench: what its round trip of 533 to 1133 ns has beside link and cache";
constexpr std::string_view fitted = "fitted to pcie-bench's bandwidths of 16 to 2048 bytes, saw-teeth included";
constexpr PresetValue pcie_bench[] = {
    {"pcie.generation", "3", pcie_bench_paper},
    {"pcie.lanes", "8", pcie_bench_paper},
    {"pcie.mps_bytes", "256", pcie_bench_paper},
    {"pcie.mrrs_bytes", "512", pcie_bench_paper},
    {"pcie.rcb_bytes", "64", pcie_bench_paper},
    {"pcie.processing_ns", "140", round_trip},
    {"memory.latency_ns", "20", "pcie-bench: the window is in the last-level cache"},
    {"memory.bandwidth_gbps", "0", "pcie-bench: a cache is not what limits one adapter"},
    {"memory.outstanding", "0", "pcie-bench: a cache is not what limits one adapter"},
    {"endpoint.outstanding", "128", "pcie-bench: enough that latency never limits its bandwidth"},
    {"endpoint.request_ns", "100", round_trip},
    {"endpoint.completion_ns", "120", round_trip},
    {"endpoint.write_interval_ps", "21000", "pcie-bench: its writes of 64 bytes"},
    {"endpoint.read_request_ps", "6800", fitted},
    {"endpoint.write_request_ps", "5750", fitted},
    {"endpoint.copy_gbps", "59", fitted},
    {"endpoint.copy_bytes", "64", "pcie-bench: one byte more costs the time of 64 (257 and 513 bytes)"},
};

constexpr Preset table[] = {
    {"minimal", "no caches, one translation and one walk at a time", minimal},
    {"gem5-like", "the parameters of gem5's SMMUv3", gem5_like},
    {"mmu600-like", "what is public of Arm's MMU-600", mmu600_like},
    {"mmu700-like", "what is public of Arm's MMU-700", mmu700_like},
    {"hypertrio", "the machine of the HyperTRIO paper (ISCA 2020), without ATS", hypertrio},
    {"pcie-bench", "the adapter and the root complex of pcie-bench (SIGCOMM 2018), gen 3 x8", pcie_bench},
};

}  // namespace

std::span<const Preset> presets() {
  return table;
}

const Preset* find_preset(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [name](const Preset& p) { return p.name == name; });
  return found == std::end(table) ? nullptr : found;
}

}  // namespace smmusim
