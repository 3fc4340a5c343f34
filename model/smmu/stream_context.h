// SPDX-License-Identifier: MIT
// StreamContext: what the STE and CD of a stream say, decoded once when they are fetched. The configuration cache and
// the TBUs' stream caches hold these, tagged by StreamID and SubstreamID (section 3.17: never by anything else).
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/smmu/set_associative.h"
#include "model/smmu/tlb.h"
#include "model/spec/ste.h"
#include "model/vmsa/s1_walk.h"
#include "model/vmsa/s2_walk.h"

namespace smmusim {

/// The attribute overrides of an STE or of GBPA (sections 5.2 and 6.3.14), as stored.
struct AttributeOverrides {
  bool mtcfg = false;
  std::uint8_t memattr = 0;
  std::uint8_t alloccfg = 0;
  std::uint8_t shcfg = 1;  ///< 1 = use incoming
  std::uint8_t privcfg = 0;
  std::uint8_t instcfg = 0;
};

struct StreamContext {
  StreamId stream_id{};
  SubstreamId substream_id{};
  bool substream_valid = false;
  spec::SteConfig config = spec::SteConfig::abort;
  bool s1_bypassed = false;  ///< Config has stage 1, but S1DSS lets this traffic by, or it is `translated`
  bool translated = false;   ///< for ATS Translated traffic: stage 1 is done, a CD was looked at only to be checked
  spec::Eats eats = spec::Eats::none;  ///< as stored
  bool ppar = false;                   ///< STE.PPAR
  bool cd_a = true;                    ///< CD.A and CD.R (section 3.12)
  bool cd_r = true;
  bool cd_s = false;  ///< CD.S: faults of stage 1 stall
  bool s2_r = true;   ///< STE.S2R: the same for faults of stage 2, which has no RAZ/WI
  bool s2_s = false;  ///< STE.S2S
  bool mev = false;   ///< STE.MEV
  bool dre = false;   ///< STE.DRE and STE.DCP
  bool dcp = false;
  bool uses_vms = false;       ///< mpam comes from a VMS: CMD_CFGI_VMS_PIDM names it by VMID
  MpamIds mpam{};              ///< of accesses and of stage-1 descriptors
  std::uint32_t cd_index = 0;  ///< place in the CD table, what CMD_CFGI_CD names
  AttributeOverrides overrides{};
  MpamIds ste_mpam{};  ///< of L1CD, CD and stage-2 descriptors
  TlbContext tlb{};    ///< of the translations that accesses look up: ns_stage2 if stage 1 is not in use
  S1TTWParams s1[2]{};
  S2TTWParams s2{};

  /// A CD was fetched for it.
  bool depends_on_cd() const { return translates_stage1() || (translated && substream_valid); }
  bool translates_stage1() const { return spec::has_stage1(config) && !s1_bypassed; }
  bool translates_stage2() const { return spec::has_stage2(config); }
  /// Of translations by stage 2 alone.
  TlbContext stage2_tlb() const { return {StreamWorld::ns_stage2, false, Asid(0), tlb.vmid}; }
};

/// What a CMD_CFGI_* names.
struct ConfigInvalidation {
  std::uint32_t first = 0;  ///< StreamIDs, both included
  std::uint32_t last = ~std::uint32_t{0};
  bool one_cd = false;    ///< only the CD at cd_index (CMD_CFGI_CD)
  bool cds_only = false;  ///< CMD_CFGI_CD, CMD_CFGI_CD_ALL: an entry without a CD may stay
  std::uint32_t cd_index = 0;
  bool vms_only = false;  ///< CMD_CFGI_VMS_PIDM: only what comes from the VMS of `vmid`
  Vmid vmid{};

  bool matches(const StreamContext& context) const {
    if (context.stream_id.value < first || context.stream_id.value > last) return false;
    if (cds_only && !context.depends_on_cd()) return false;
    if (vms_only && !(context.uses_vms && context.tlb.vmid == vmid)) return false;
    return !one_cd || context.cd_index == cd_index;
  }
};

class StreamCache {
 public:
  StreamCache(const CacheConfig& config, std::uint64_t seed) : cache_(config, seed) {}

  /// The context of (StreamID, SSV, SubstreamID), or null. Counts and touches if `use`.
  const StreamContext* find(StreamId stream, bool substream_valid, SubstreamId substream, bool use) {
    const StreamContext* hit = last_hit_;
    const bool again = hit != nullptr && hit->stream_id == stream && hit->substream_valid == substream_valid &&
                       (!substream_valid || hit->substream_id == substream);
    if (!again) {
      hit = cache_.find(index_of(stream, substream_valid, substream), tag_of(stream, substream_valid, substream), use,
                        [](const StreamContext&) { return true; });
    }
    if (use) {
      if (hit == nullptr) {
        ++counters_.missed;
        return nullptr;
      }
      ++counters_.hits;
      last_hit_ = hit;
    }
    return hit;
  }

  /// The same for ATS Translated traffic, which has contexts of its own.
  const StreamContext* find_translated(StreamId stream, bool substream_valid, SubstreamId substream, bool use) {
    const StreamContext* hit = cache_.find(index_of(stream, substream_valid, substream),
                                           tag_of(stream, substream_valid, substream) | translated_tag, use,
                                           [](const StreamContext&) { return true; });
    if (use) ++(hit != nullptr ? counters_.hits : counters_.missed);
    return hit;
  }

  bool holds(const StreamContext& context) {
    return (context.translated
                ? find_translated(context.stream_id, context.substream_valid, context.substream_id, false)
                : find(context.stream_id, context.substream_valid, context.substream_id, false)) != nullptr;
  }

  void fill(const StreamContext& context) {
    if (!cache_.present()) return;
    last_hit_ = nullptr;
    cache_.insert(
        index_of(context.stream_id, context.substream_valid, context.substream_id),
        tag_of(context.stream_id, context.substream_valid, context.substream_id) |
            (context.translated ? translated_tag : 0),
        context, [](const StreamContext&) { return true; }, [this](const StreamContext&) { ++counters_.evictions; });
    ++counters_.fills;
  }

  void invalidate(const ConfigInvalidation& what) {
    last_hit_ = nullptr;
    counters_.invalidated += cache_.remove_if([&what](const StreamContext& context) { return what.matches(context); });
  }
  void clear() {
    last_hit_ = nullptr;
    cache_.remove_if([](const StreamContext&) { return true; });
  }

  CacheCounters counters() const { return counters_.with_lookups(); }
  void reset_counters() { counters_ = {}; }
  void count_dropped_fill() { ++counters_.dropped_fills; }

 private:
  static constexpr std::uint64_t translated_tag = std::uint64_t{1} << 62;
  static std::uint64_t index_of(StreamId stream, bool substream_valid, SubstreamId substream) {
    return stream.value ^ (substream_valid ? substream.value : 0);
  }
  static std::uint64_t tag_of(StreamId stream, bool substream_valid, SubstreamId substream) {
    return SetAssociative<StreamContext>::valid | (std::uint64_t{substream_valid} << 52) |
           (std::uint64_t{substream_valid ? substream.value : 0} << 32) | stream.value;
  }

  SetAssociative<StreamContext> cache_;
  CacheCounters counters_;
  const StreamContext* last_hit_ = nullptr;  ///< the most recently used entry: DMA comes in runs of one stream
};

}  // namespace smmusim
