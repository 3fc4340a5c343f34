// SPDX-License-Identifier: MIT
// The rows. Each says of one field what the host has, what the vSMMU would claim, and when the two fit.
#include "platform/nested/identity.h"

#include <fmt/format.h>

#include "model/spec/codes.h"
#include "model/spec/id_registers.h"
#include "platform/nested/oas.h"

namespace smmusim::nested {
namespace {

using spec::Features;
using spec::IDR0;
using spec::IDR1;
using spec::IDR3;
using spec::IDR5;

enum class Fits : std::uint8_t {
  at_most,     ///< the vSMMU claims no more than the host
  at_least,    ///< nor less: a restriction of the host that guests must know of
  equal,       ///< both the same
  host_two,    ///< TTENDIAN as QEMU reads it: little-endian tables if the host's value is at most 2
  tables,      ///< TTENDIAN: the host reads every table that the vSMMU allows
  formats,     ///< TTF: every format of the vSMMU is the host's
  terminates,  ///< STALL_MODEL: the vSMMU terminates, and the host does not force stalls
};

struct Row {
  std::string_view field;
  unsigned (*host)(const HostReport&);
  unsigned (*guest)(const Features&);
  Fits fits;
  std::string_view because;
};

template <class Field, unsigned Register>
unsigned host_field(const HostReport& host) {
  return static_cast<unsigned>(Field::raw(host.idr[Register]));
}
/// The value that the vSMMU's register would have.
template <class Field, unsigned Register>
unsigned guest_field(const Features& features) {
  return static_cast<unsigned>(Field::raw(spec::id_registers(features).idr[Register]));
}
template <class Field, unsigned Register>
constexpr Row row(std::string_view field, Fits fits, std::string_view because) {
  return {field, &host_field<Field, Register>, &guest_field<Field, Register>, fits, because};
}

constexpr std::string_view reads_tables = "the host's SMMU reads the guest's tables";
constexpr std::string_view takes_commands = "the host's SMMU takes the guest's invalidations";

constexpr Row exact_rows[] = {
    row<IDR0::TTENDIAN, 0>("IDR0.TTENDIAN", Fits::tables, reads_tables),
    row<IDR0::TTF, 0>("IDR0.TTF", Fits::formats, reads_tables),
    row<IDR0::CD2L, 0>("IDR0.CD2L", Fits::at_most, "the host's SMMU reads the guest's CD tables"),
    row<IDR0::ASID16, 0>("IDR0.ASID16", Fits::at_most, "ASIDs are the guest's"),
    row<IDR0::STALL_MODEL, 0>("IDR0.STALL_MODEL", Fits::terminates, "faults of nested streams are never stalled"),
    row<IDR0::TERM_MODEL, 0>("IDR0.TERM_MODEL", Fits::at_least, "a host that always aborts refuses CDs with A = 0"),
    row<IDR1::SSIDSIZE, 1>("IDR1.SSIDSIZE", Fits::at_most, "the host's SMMU looks substreams up"),
    row<IDR3::RIL, 3>("IDR3.RIL", Fits::at_most, takes_commands),
    row<IDR3::BBML, 3>("IDR3.BBML", Fits::at_most, "what the guest may change under a live table"),
    row<IDR5::GRAN4K, 5>("IDR5.GRAN4K", Fits::at_most, reads_tables),
    row<IDR5::GRAN16K, 5>("IDR5.GRAN16K", Fits::at_most, reads_tables),
    row<IDR5::GRAN64K, 5>("IDR5.GRAN64K", Fits::at_most, reads_tables),
    row<IDR5::DS, 5>("IDR5.DS", Fits::at_most, reads_tables),
    row<IDR5::VAX, 5>("IDR5.VAX", Fits::at_most, "input addresses go to the host's SMMU"),
};

constexpr unsigned one(const Features&) {
  return 1;
}

// QEMU's, in its order. Its vSMMU always has the three granules, 16 bits of StreamID and little-endian tables.
constexpr Row qemu_rows[] = {
    row<IDR0::ST_LEVEL, 0>("IDR0.ST_LEVEL", Fits::equal, "QEMU wants the same format of stream tables"),
    row<IDR0::TTENDIAN, 0>("IDR0.TTENDIAN", Fits::host_two, reads_tables),
    {"IDR0.TTF", &host_field<IDR0::TTF, 0>, [](const Features&) { return 2U; }, Fits::at_most, reads_tables},
    {"IDR1.SIDSIZE", &host_field<IDR1::SIDSIZE, 1>, [](const Features&) { return 16U; }, Fits::at_most,
     "QEMU's StreamIDs have 16 bits"},
    row<IDR1::SSIDSIZE, 1>("IDR1.SSIDSIZE", Fits::at_most, "the host's SMMU looks substreams up"),
    row<IDR3::RIL, 3>("IDR3.RIL", Fits::at_most, takes_commands),
    row<IDR5::OAS, 5>("IDR5.OAS", Fits::at_most, "the host's stage 2 takes what the guest's stage 1 gives"),
    row<IDR0::ATS, 0>("IDR0.ATS", Fits::at_most, "QEMU wants it of the host's SMMU"),
    {"IDR5.GRAN4K", &host_field<IDR5::GRAN4K, 5>, &one, Fits::equal, "QEMU offers all granules"},
    {"IDR5.GRAN16K", &host_field<IDR5::GRAN16K, 5>, &one, Fits::equal, "QEMU offers all granules"},
    {"IDR5.GRAN64K", &host_field<IDR5::GRAN64K, 5>, &one, Fits::equal, "QEMU offers all granules"},
};

bool fit(Fits how, unsigned host, unsigned guest) {
  const bool mixed = host == static_cast<unsigned>(spec::Ttendian::mixed);
  switch (how) {
    case Fits::at_most:
      return guest <= host;
    case Fits::at_least:
      return guest >= host;
    case Fits::equal:
      return guest == host;
    case Fits::host_two:
      return host <= 2;
    case Fits::tables:
      return mixed || guest == host;
    case Fits::formats:
      return (guest & ~host) == 0;
    case Fits::terminates:
      return guest == static_cast<unsigned>(spec::StallModel::terminate) &&
             host <= static_cast<unsigned>(spec::StallModel::terminate);
  }
  return false;
}

void check_rows(std::span<const Row> rows, const Features& features, const HostReport& host,
                std::vector<IdentityError>& errors) {
  for (const Row& r : rows) {
    const unsigned here = r.guest(features);
    const unsigned there = r.host(host);
    if (fit(r.fits, there, here)) continue;
    errors.push_back({std::string(r.field), fmt::format("{}: the host has {}, the vSMMU would have {}; {}", r.field,
                                                        there, here, r.because)});
  }
}

/// What no host can be asked for: the uAPI reports none of it, or passes none of its STE fields on.
struct NeverRow {
  std::string_view member;
  bool (*asked)(const Features&);
};
constexpr NeverRow never_rows[] = {
    {"s2p", [](const Features& f) { return f.s2p; }},
    {"httu", [](const Features& f) { return f.httu != spec::Httu::none; }},
    {"btm", [](const Features& f) { return f.btm; }},
    {"mpam", [](const Features& f) { return f.mpam; }},
    {"hyp", [](const Features& f) { return f.hyp; }},
    {"pri", [](const Features& f) { return f.pri; }},
    {"atos", [](const Features& f) { return f.atos; }},
    {"attr_types_ovr", [](const Features& f) { return f.attr_types_ovr; }},
    {"attr_perms_ovr", [](const Features& f) { return f.attr_perms_ovr; }},
    {"fwb", [](const Features& f) { return f.fwb; }},
    {"stt", [](const Features& f) { return f.stt; }},
    {"e0pd", [](const Features& f) { return f.e0pd; }},
    {"epan", [](const Features& f) { return f.epan; }},
    {"pbha", [](const Features& f) { return f.pbha; }},
    {"pasidtt", [](const Features& f) { return f.pasidtt; }},
    {"dpt", [](const Features& f) { return f.dpt; }},
    {"d128", [](const Features& f) { return f.d128; }},
    {"s1pi", [](const Features& f) { return f.s1pi; }},
    {"aie", [](const Features& f) { return f.aie; }},
    {"the", [](const Features& f) { return f.the; }},
};

void check_never(const Features& features, std::vector<IdentityError>& errors) {
  for (const NeverRow& r : never_rows) {
    if (!r.asked(features)) continue;
    errors.push_back({std::string(r.member), fmt::format("{}: the host reports nothing of it, the vSMMU would have it; "
                                                         "it is never offered with accel",
                                                         r.member)});
  }
}

/// QEMU implements two output sizes; the rest is a question of the limit.
void check_oas(const Features& features, const HostReport& host, const IdentityRules& rules,
               std::vector<IdentityError>& errors) {
  if (rules.compat == AccelCompat::qemu) {
    if (features.oas == 44 || features.oas == 48) return;
    errors.push_back({"oas", fmt::format("oas: the vSMMU would have {} bits, the host has {}; QEMU knows 44 and 48",
                                         features.oas, oas_limits(host).idr5)});
    return;
  }
  const OasChoice choice = oas_choice(features.oas, host, rules.oas_check, features.gran64k || features.ds);
  if (!choice.possible) errors.push_back({"IDR5.OAS", "IDR5.OAS: " + choice.reason});
}

unsigned automatic_oas(const Features& wished, const HostReport& host, const IdentityRules& rules) {
  if (rules.compat == AccelCompat::qemu) return oas_limits(host).idr5;
  return largest_oas(host, rules.oas_check, wished.gran64k || wished.ds);
}

}  // namespace

Identity resolve_identity(const Features& wished, const Properties& properties, const HostReport& host,
                          const IdentityRules& rules, bool endpoint_shows_ats) {
  Identity identity;
  Features& f = identity.features;
  f = wished;
  const bool qemu = rules.compat == AccelCompat::qemu;
  f.ril = properties.ril.value_or(host_field<IDR3::RIL, 3>(host) != 0);
  f.ats = properties.ats.value_or(qemu ? host_field<IDR0::ATS, 0>(host) != 0 : endpoint_shows_ats);
  f.ssidsize = properties.ssidsize.value_or(std::min(host_field<IDR1::SSIDSIZE, 1>(host), 20U));
  f.oas = properties.oas.value_or(automatic_oas(wished, host, rules));
  if (f.oas == 0) {
    identity.errors.push_back(
        {"IDR5.OAS", fmt::format("IDR5.OAS: the host takes IPAs of {} bits; the smallest OAS of a "
                                 "vSMMU is 32",
                                 oas_limits(host).of(rules.oas_check))});
    return identity;
  }
  if (properties.cmdqv.value_or(false)) {
    identity.errors.push_back(
        {"cmdqv", "cmdqv: the host offers 0 hardware queues to this version, the vSMMU would have 1; use off or auto"});
  }
  check_never(f, identity.errors);
  check_oas(f, host, rules, identity.errors);
  if (qemu) {
    check_rows(qemu_rows, f, host, identity.errors);
  } else {
    check_rows(exact_rows, f, host, identity.errors);
  }
  return identity;
}

Properties IdentityFreeze::frozen_properties() const {
  if (!frozen_) return properties_;
  Properties fixed = properties_;
  const Features& f = identity_.features;
  fixed.ril = f.ril;
  fixed.oas = f.oas;
  fixed.ssidsize = f.ssidsize;
  fixed.cmdqv = properties_.cmdqv.value_or(false);
  const bool follows_devices = !properties_.ats && !done_ && rules_.compat == AccelCompat::none;
  if (!follows_devices) fixed.ats = f.ats;
  return fixed;
}

std::vector<IdentityError> IdentityFreeze::add(const Newcomer& device) {
  const bool ats_before = frozen_ && identity_.features.ats;
  Identity with = resolve_identity(wished_, frozen_properties(), device.host, rules_, ats_before || device.shows_ats);
  if (!with.errors.empty()) return with.errors;
  identity_ = with;
  frozen_ = true;
  return {};
}

std::vector<IdentityError> IdentityFreeze::machine_done() {
  done_ = true;
  if (frozen_) return {};
  if (properties_.any_auto()) {
    return {{"auto",
             "an accelerated SMMU with properties left to the host (auto) has no device before the machine "
             "starts, and so no host to take them from; add one, or give ril, ats, oas, ssidsize and cmdqv "
             "values"}};
  }
  identity_.features = wished_;
  identity_.features.ril = *properties_.ril;
  identity_.features.ats = *properties_.ats;
  identity_.features.oas = *properties_.oas;
  identity_.features.ssidsize = *properties_.ssidsize;
  frozen_ = true;
  return {};
}

}  // namespace smmusim::nested
