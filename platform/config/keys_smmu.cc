// SPDX-License-Identifier: MIT
// Rows of the keys that concern the microarchitecture of an SMMU: its TBUs, its TCU, where its registers are.
#include "platform/config/key_rows.h"

namespace smmusim::key_rows {
namespace {

using S = NamedSmmu;
constexpr std::uint64_t entries_max = 1 << 20;
constexpr std::uint64_t ways_max = 1 << 16;
constexpr std::uint64_t cycles_max = 1'000'000;
constexpr std::uint64_t slots_max = 1 << 16;
constexpr std::uint64_t accesses_max = 0xffff;  // numbered in 16 bits
constexpr std::uint64_t walkers_max = 1 << 12;
constexpr std::uint64_t timeout_max = 100'000'000;  // PCIe has a minute and a half

constexpr Choice crossings[] = {{"split", 0}, {"f_uut", 1}};

struct CacheNames {
  std::string_view entries, ways, replacement;
  std::string_view entries_meaning, entries_origin;
};

template <class Access>
void add_cache(std::vector<Key>& keys, Access cache, const CacheNames& names) {
  keys.push_back(integer<S>(names.entries, [cache](auto& s) -> auto& { return cache(s).entries; }, 0, entries_max,
                            {"entries", names.entries_meaning, names.entries_origin}));
  keys.push_back(integer<S>(names.ways, [cache](auto& s) -> auto& { return cache(s).ways; }, 1, ways_max,
                            {"ways", "associativity; the same as entries: fully associative", "usual"}));
  keys.push_back(choice<S>(names.replacement, [cache](auto& s) -> auto& { return cache(s).replacement; }, replacements,
                           {"", "which entry of a set gives way", "usual"}));
}

template <class Access>
Row cycles(std::string_view name, Access access, std::string_view meaning, std::string_view origin) {
  return integer<S>(name, access, 0, cycles_max, {"cycles", meaning, origin});
}

void add_tbu(std::vector<Key>& keys) {
  add_cache(keys, [](auto& s) -> auto& { return s.config.tbu.micro_tlb; },
            {"smmu.tbu.micro_tlb_entries", "smmu.tbu.micro_tlb_ways", "smmu.tbu.micro_tlb_replacement",
             "of the micro TLB of each TBU; 0: none", "the largest of MMU-700's sizes"});
  add_cache(keys, [](auto& s) -> auto& { return s.config.tbu.stream_cache; },
            {"smmu.tbu.stream_cache_entries", "smmu.tbu.stream_cache_ways", "smmu.tbu.stream_cache_replacement",
             "stream configurations kept in each TBU; 0: none", "a root port's usual number of devices"});
  keys.push_back(cycles(
      "smmu.tbu.lookup_cycles", [](auto& s) -> auto& { return s.config.tbu.lookup_cycles; },
      "from a transaction's arrival to the micro TLB's answer", "gem5"));
  keys.push_back(cycles(
      "smmu.tbu.lookup_interval_cycles", [](auto& s) -> auto& { return s.config.tbu.lookup_interval_cycles; },
      "between two look-ups in the micro TLB; 0: no limit", "MMU-600: one a cycle"));
  keys.push_back(cycles(
      "smmu.tbu.link_cycles", [](auto& s) -> auto& { return s.config.tbu.link_cycles; },
      "from TBU to TCU, and the same back", "gem5"));
  keys.push_back(integer<S>("smmu.tbu.translation_slots",
                            [](auto& s) -> auto& { return s.config.tbu.translation_slots; }, 1, slots_max,
                            {"", "translations in flight in each TBU", "XLATE_SLOTS of Intel Agilex 5"}));
  keys.push_back(integer<S>("smmu.tbu.outstanding", [](auto& s) -> auto& { return s.config.tbu.outstanding; }, 1,
                            accesses_max,
                            {"", "accesses accepted and not complete, in each TBU", "half of MMU-700's most"}));
  keys.push_back(
      choice<S>("smmu.tbu.cross_4k", [](auto& s) -> auto& { return s.config.tbu.cross_4k; }, crossings,
                {"", "an access across a 4 KiB boundary is split, or faults with F_UUT", "no device sees a fault"})
          .in_section("16.7.1"));
}

void add_tcu(std::vector<Key>& keys) {
  add_cache(
      keys, [](auto& s) -> auto& { return s.config.tcu.tlb; },
      {"smmu.tcu.tlb_entries", "smmu.tcu.tlb_ways", "smmu.tcu.tlb_replacement", "of the main TLB; 0: none", "gem5"});
  keys.push_back(cycles(
      "smmu.tcu.tlb_cycles", [](auto& s) -> auto& { return s.config.tcu.tlb_cycles; }, "a look-up in the main TLB",
      "gem5"));
  add_cache(keys, [](auto& s) -> auto& { return s.config.tcu.walk_cache; },
            {"smmu.tcu.walk_cache_entries", "smmu.tcu.walk_cache_ways", "smmu.tcu.walk_cache_replacement",
             "of the cache of table descriptors, all levels; 0: none", "gem5, rounded up"});
  keys.push_back(cycles(
      "smmu.tcu.walk_cache_cycles", [](auto& s) -> auto& { return s.config.tcu.walk_cache_cycles; },
      "a look-up in the walk cache", "gem5"));
  add_cache(keys, [](auto& s) -> auto& { return s.config.tcu.ipa_cache; },
            {"smmu.tcu.ipa_cache_entries", "smmu.tcu.ipa_cache_ways", "smmu.tcu.ipa_cache_replacement",
             "of the cache of stage-2 leaves that nested walks use; 0: none", "as the walk cache"});
  keys.push_back(cycles(
      "smmu.tcu.ipa_cache_cycles", [](auto& s) -> auto& { return s.config.tcu.ipa_cache_cycles; },
      "a look-up in the IPA cache", "assumed"));
  add_cache(keys, [](auto& s) -> auto& { return s.config.tcu.config_cache; },
            {"smmu.tcu.config_cache_entries", "smmu.tcu.config_cache_ways", "smmu.tcu.config_cache_replacement",
             "of the cache of STEs and CDs; 0: none", "Intel Agilex 5"});
  keys.push_back(cycles(
      "smmu.tcu.config_cycles", [](auto& s) -> auto& { return s.config.tcu.config_cycles; },
      "a look-up in the configuration cache", "gem5"));
  keys.push_back(cycles(
      "smmu.tcu.walk_step_cycles", [](auto& s) -> auto& { return s.config.tcu.walk_step_cycles; },
      "after each fetch of a walk", "gem5"));
  keys.push_back(integer<S>("smmu.tcu.walkers", [](auto& s) -> auto& { return s.config.tcu.walkers; }, 1, walkers_max,
                            {"", "walks at a time, configuration fetches included", "gem5 ptw_slots"}));
  keys.push_back(cycles(
      "smmu.tcu.command_cycles", [](auto& s) -> auto& { return s.config.tcu.command_cycles; },
      "to execute one command, its fetch apart", "assumed"));
  keys.push_back(integer<S>("smmu.tcu.event_buffer", [](auto& s) -> auto& { return s.config.tcu.event_buffer; }, 1,
                            walkers_max, {"records", "on their way to the Event queue", "assumed"}));
  keys.push_back(boolean<S>("smmu.tcu.suppress_duplicate_stalls",
                            [](auto& s) -> auto& { return s.config.tcu.suppress_duplicate_stalls; },
                            {"", "one record stands for later stalls of the same page", "Arm recommends it"})
                     .in_section("3.12.2.1"));
  keys.push_back(boolean<S>("smmu.tcu.merge_events", [](auto& s) -> auto& { return s.config.tcu.merge_events; },
                            {"", "equal records that wait in event_buffer become one, where STE.MEV allows it",
                             "every fault is seen"})
                     .in_section("7.3.1"));
  keys.push_back(integer<S>("smmu.tcu.atc_invalidations",
                            [](auto& s) -> auto& { return s.config.tcu.atc_invalidations; }, 1, 32,
                            {"", "ATS invalidations outstanding at a time", "the tags of PCIe"})
                     .in_section("4.5.1"));
  keys.push_back(integer<S>("smmu.tcu.atc_inv_timeout_us",
                            [](auto& s) -> auto& { return s.config.tcu.atc_inv_timeout_us; }, 1, timeout_max,
                            {"us", "after which an ATS invalidation without an answer has failed", "assumed"})
                     .in_section("3.9.1.4"));
  keys.push_back(integer<S>("smmu.tcu.clock_mhz", [](auto& s) -> auto& { return s.config.tcu.clock_mhz; }, 1, 10'000,
                            {"MHz", "clock of TCU and TBUs", "a usual interconnect clock"}));
}

void add_frame(std::vector<Key>& keys) {
  keys.push_back(text<S>("smmu.name", [](auto& s) -> auto& { return s.name; }, 1, 64,
                         {"", "how endpoints and statistics call this SMMU", "its place in the list"})
                     .identifies());
  keys.push_back(integer<S>("smmu.tbus", [](auto& s) -> auto& { return s.config.tbus; }, 1, 64,
                            {"", "number of TBUs; endpoints are spread over them", "one root port"}));
  keys.push_back(integer<S>("smmu.frame_base", [](auto& s) -> auto& { return s.config.frame_base.value; }, 0,
                            (std::uint64_t{1} << 52) - 1,
                            {"byte", "address of the registers; a multiple of 64 KiB", "QEMU's virt machine"}));
  keys.push_back(boolean<S>("smmu.gbpa_abort_at_reset", [](auto& s) -> auto& { return s.config.gbpa_abort_at_reset; },
                            {"", "GBPA.ABORT after reset", "bypass, as QEMU"})
                     .in_section("6.3.14"));
}

}  // namespace

std::vector<Key> smmu_keys() {
  std::vector<Key> keys;
  add_frame(keys);
  add_tbu(keys);
  add_tcu(keys);
  return keys;
}

}  // namespace smmusim::key_rows
