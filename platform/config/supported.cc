// SPDX-License-Identifier: MIT
// The rows: this version has Non-secure stages 1 and 2 of VMSAv8-64, ATS and PRI.
#include "platform/config/supported.h"

#include <algorithm>

namespace smmusim {
namespace {

using S = const NamedSmmu&;
using P = const PlatformConfig&;

constexpr UnsupportedRow<NamedSmmu> smmu_rows[] = {
    {"smmu.dpt", [](S s) { return s.config.features.dpt; },
     "the Device Permission Table is not supported by this version; use dpt = false"},
    {"smmu.accel", [](S s) { return s.accel && s.config.features.s2p; },
     "the guest of an accelerated SMMU has stage 1 alone, stage 2 is the host's; use stages = \"1\""},
    {"smmu.ttf_lpae", [](S s) { return s.config.features.ttf_lpae; },
     "VMSAv8-32 LPAE tables are not supported by this version; use ttf_lpae = false"},
    {"smmu.ttf_vmsav8_64", [](S s) { return !s.config.features.ttf_vmsav8_64; },
     "VMSAv8-64 is the only table format of this version; use ttf_vmsav8_64 = true"},
    {"smmu.btm", [](S s) { return s.config.features.btm; },
     "broadcast TLB maintenance is not supported by this version; use btm = false"},
    {"smmu.dormhint", [](S s) { return s.config.features.dormhint; },
     "the dormant hint is not supported by this version; use dormhint = false"},
    {"smmu.atos", [](S s) { return s.config.features.atos; },
     "ATOS is not supported by this version; use atos = false"},
    {"smmu.vatos", [](S s) { return s.config.features.vatos; },
     "ATOS is not supported by this version; use vatos = false"},
    {"smmu.rme_impl", [](S s) { return s.config.features.rme_impl; },
     "the Realm Management Extension is not supported by this version; use rme_impl = false"},
    {"smmu.ecmdq", [](S s) { return s.config.features.ecmdq; },
     "enhanced command queues are not supported by this version; use ecmdq = false"},
    {"smmu.tables_preset", [](S s) { return s.config.features.tables_preset; },
     "preset tables are not supported by this version; use tables_preset = false"},
    {"smmu.queues_preset", [](S s) { return s.config.features.queues_preset; },
     "preset queues are not supported by this version; use queues_preset = false"},
    {"smmu.pbha", [](S s) { return s.config.features.pbha; },
     "PBHA is not supported by this version; use pbha = false"},
    {"smmu.s1pi", [](S s) { return s.config.features.s1pi; },
     "permission indirection is not supported by this version; use s1pi = false"},
    {"smmu.s2pi", [](S s) { return s.config.features.s2pi; },
     "permission indirection is not supported by this version; use s2pi = false"},
    {"smmu.s2po", [](S s) { return s.config.features.s2po; },
     "permission overlays are not supported by this version; use s2po = false"},
    {"smmu.the", [](S s) { return s.config.features.the; },
     "translation hardening is not supported by this version; use the = false"},
    {"smmu.aie", [](S s) { return s.config.features.aie; },
     "the attribute index extension is not supported by this version; use aie = false"},
    {"smmu.d128", [](S s) { return s.config.features.d128; },
     "128-bit descriptors are not supported by this version; use d128 = false"},
    {"smmu.vax", [](S s) { return s.config.features.vax > 52; },
     "input addresses of 56 bits come with 128-bit descriptors, which this version does not support; use vax = 48 or "
     "52"},
};

constexpr UnsupportedRow<NamedSmmu> driver_rows[] = {
    {"smmu.granules", [](S s) { return !s.config.features.gran4k; },
     "the simulated driver makes tables of 4 KiB pages; add 4"},
    {"smmu.ttendian", [](S s) { return s.config.features.ttendian == spec::Ttendian::big; },
     "the simulated driver's tables are little-endian; use ttendian = \"little\" or \"mixed\""},
};

constexpr UnsupportedRow<NamedSmmu> replay_rows[] = {
    {"smmu.stall", [](S s) { return s.config.features.stall_model == spec::StallModel::stall_forced; },
     "the simulated driver's streams do not stall, which such an SMMU refuses; use stall = \"on\" or \"off\""},
    {"smmu.stall",
     [](S s) { return !s.config.timed && s.config.features.stall_model == spec::StallModel::stall_and_terminate; },
     "untimed devices can't wait for the end of a stall; use stall = \"off\" or mode = \"timed\""},
};

std::size_t accelerated(P p) {
  return static_cast<std::size_t>(std::count_if(p.smmus.begin(), p.smmus.end(), [](S s) { return s.accel; }));
}

constexpr UnsupportedRow<PlatformConfig> platform_rows[] = {
    {"driver.demand_paging", [](P p) { return p.host.mode != HostMode::none && p.driver.demand_paging != 0; },
     "a host's kernel passes no Page Requests to a guest; use demand_paging = 0, or host.mode = \"none\""},
    {"smmu.accel", [](P p) { return p.host.mode == HostMode::none && accelerated(p) != 0; },
     "there is no host to accelerate it; set host.mode"},
    {"host.mode", [](P p) { return p.host.mode != HostMode::none && accelerated(p) == 0; },
     "no SMMU is accelerated; set smmu.accel = true, or host.mode = \"none\""},
    {"smmu.accel",
     [](P p) { return p.host.mode != HostMode::none && accelerated(p) != 0 && accelerated(p) != p.smmus.size(); },
     "some SMMUs are accelerated and some are not, which this version can't mix; set smmu.accel for all or for none"},
};

}  // namespace

std::span<const UnsupportedRow<NamedSmmu>> unsupported_of_smmu() {
  return smmu_rows;
}
std::span<const UnsupportedRow<NamedSmmu>> unsupported_by_driver() {
  return driver_rows;
}
std::span<const UnsupportedRow<NamedSmmu>> unsupported_by_replay() {
  return replay_rows;
}
std::span<const UnsupportedRow<PlatformConfig>> unsupported_of_platform() {
  return platform_rows;
}

}  // namespace smmusim
