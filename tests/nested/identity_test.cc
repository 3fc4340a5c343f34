// SPDX-License-Identifier: MIT
// What an accelerated SMMU may claim of a host: every field's row in both directions, what is never offered, `auto` and
// its freezing, and QEMU's checks where they differ.
#include "platform/nested/identity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/spec/id_registers.h"

namespace smmusim::nested {
namespace {

using spec::Features;

/// A guest that any server's SMMU can serve.
Features usual_guest() {
  Features f;
  f.gran16k = true;
  f.gran64k = true;
  return f;
}

/// A host that has more than the guest could want.
Features rich_host() {
  Features f;
  f.version_minor = 3;
  f.s2p = true;
  f.cd2l = true;
  f.ats = true;
  f.ssidsize = 20;
  f.sidsize = 32;
  f.bbml = 2;
  f.gran16k = f.gran64k = true;
  f.vax = 52;
  f.ds = true;
  f.oas = 52;
  f.ttendian = spec::Ttendian::mixed;
  f.stall_model = spec::StallModel::stall_and_terminate;
  f.stall_max = 8;
  return f;
}

HostReport report_of(const Features& host, unsigned aperture_bits = 48) {
  const spec::IdRegisters ids = spec::id_registers(host);
  HostReport report;
  std::copy_n(ids.idr, report.idr.size(), report.idr.begin());
  report.iidr = ids.iidr;
  report.aidr = ids.aidr;
  report.aperture_last = (std::uint64_t{1} << aperture_bits) - 1;
  return report;
}

Properties fixed() {
  return {.ril = true, .ats = false, .cmdqv = false, .oas = 48, .ssidsize = 0};
}

std::vector<std::string> fields(const std::vector<IdentityError>& errors) {
  std::vector<std::string> names;
  for (const IdentityError& error : errors) names.push_back(error.field);
  return names;
}

/// A change of guest or host, and the one field that then does not fit.
struct Row {
  const char* name;
  void (*change)(Features& guest, Features& host, Properties& properties);
  const char* field;  ///< empty: it fits
  const char* host_value;
  const char* guest_value;
};

constexpr const char* fits = "";

constexpr Row rows[] = {
    {"nothing", [](Features&, Features&, Properties&) {}, fits, "", ""},
    {"big-endian tables on a mixed host", [](Features& g, Features&, Properties&) { g.ttendian = spec::Ttendian::big; },
     fits, "", ""},
    {"big-endian tables on a little host",
     [](Features& g, Features& h, Properties&) {
       g.ttendian = spec::Ttendian::big;
       h.ttendian = spec::Ttendian::little;
     },
     "IDR0.TTENDIAN", "2", "3"},
    {"any endianness on a little host",
     [](Features& g, Features& h, Properties&) {
       g.ttendian = spec::Ttendian::mixed;
       h.ttendian = spec::Ttendian::little;
     },
     "IDR0.TTENDIAN", "2", "0"},
    {"LPAE only host",
     [](Features&, Features& h, Properties&) {
       h.ttf_lpae = true;
       h.ttf_vmsav8_64 = false;
     },
     "IDR0.TTF", "1", "2"},
    {"host with both formats", [](Features&, Features& h, Properties&) { h.ttf_lpae = true; }, fits, "", ""},
    {"CD2L", [](Features& g, Features& h, Properties&) { g.cd2l = true, h.cd2l = false; }, "IDR0.CD2L", "0", "1"},
    {"CD2L of both", [](Features& g, Features&, Properties&) { g.cd2l = true; }, fits, "", ""},
    {"ASID16", [](Features&, Features& h, Properties&) { h.asid16 = false; }, "IDR0.ASID16", "0", "1"},
    {"8-bit ASIDs", [](Features& g, Features& h, Properties&) { g.asid16 = h.asid16 = false; }, fits, "", ""},
    {"a guest that stalls",
     [](Features& g, Features&, Properties&) {
       g.stall_model = spec::StallModel::stall_and_terminate;
       g.stall_max = 1;
     },
     "IDR0.STALL_MODEL", "0", "0"},
    {"a host that forces stalls",
     [](Features&, Features& h, Properties&) { h.stall_model = spec::StallModel::stall_forced; }, "IDR0.STALL_MODEL",
     "2", "1"},
    {"a host that always aborts", [](Features&, Features& h, Properties&) { h.term_model = true; }, "IDR0.TERM_MODEL",
     "1", "0"},
    {"a guest that always aborts", [](Features& g, Features&, Properties&) { g.term_model = true; }, fits, "", ""},
    {"substreams", [](Features&, Features& h, Properties& p) { p.ssidsize = 9, h.ssidsize = 8; }, "IDR1.SSIDSIZE", "8",
     "9"},
    {"as many substreams", [](Features&, Features& h, Properties& p) { p.ssidsize = h.ssidsize = 8; }, fits, "", ""},
    {"RIL", [](Features&, Features& h, Properties&) { h.ril = false; }, "IDR3.RIL", "0", "1"},
    {"no RIL", [](Features&, Features& h, Properties& p) { h.ril = false, p.ril = false; }, fits, "", ""},
    {"BBML", [](Features& g, Features& h, Properties&) { g.bbml = 2, h.bbml = 1; }, "IDR3.BBML", "1", "2"},
    {"4K", [](Features&, Features& h, Properties&) { h.gran4k = false; }, "IDR5.GRAN4K", "0", "1"},
    {"16K", [](Features&, Features& h, Properties&) { h.gran16k = false; }, "IDR5.GRAN16K", "0", "1"},
    {"64K", [](Features&, Features& h, Properties&) { h.gran64k = false; }, "IDR5.GRAN64K", "0", "1"},
    {"no 16K in either", [](Features& g, Features& h, Properties&) { g.gran16k = h.gran16k = false; }, fits, "", ""},
    {"VAX", [](Features& g, Features& h, Properties&) { g.vax = 52, h.vax = 48, h.ds = false; }, "IDR5.VAX", "0", "1"},
    {"DS",
     [](Features& g, Features& h, Properties&) {
       g.vax = 52;
       g.ds = true;
       h.ds = false;
     },
     "IDR5.DS", "0", "1"},
    {"StreamIDs are the guest's", [](Features&, Features& h, Properties&) { h.sidsize = 8; }, fits, "", ""},
    {"stream tables are the guest's",
     [](Features&, Features& h, Properties&) {
       h.st_level = 0;
       h.sidsize = 6;
     },
     fits, "", ""},
    {"an SMMU may always claim ATS", [](Features&, Features& h, Properties& p) { p.ats = true, h.ats = false; }, fits,
     "", ""},
    {"OAS", [](Features&, Features&, Properties& p) { p.oas = 52; }, "IDR5.OAS", "48", "52"},
    {"a smaller OAS", [](Features&, Features&, Properties& p) { p.oas = 32; }, fits, "", ""},
    {"hardware queues", [](Features&, Features&, Properties& p) { p.cmdqv = true; }, "cmdqv", "0", "1"},
};

TEST(NestedIdentity, EachFieldFitsOrSaysBothValues) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Features guest = usual_guest(), host = rich_host();
    Properties properties = fixed();
    row.change(guest, host, properties);
    const Identity identity = resolve_identity(guest, properties, report_of(host), {}, false);
    if (*row.field == 0) {
      EXPECT_TRUE(identity.errors.empty()) << identity.errors.front().message;
      continue;
    }
    ASSERT_EQ(fields(identity.errors), std::vector<std::string>{row.field});
    const std::string& message = identity.errors.front().message;
    const std::size_t host_at = message.find("host"), guest_at = message.find("vSMMU");
    ASSERT_NE(host_at, std::string::npos) << message;
    ASSERT_NE(guest_at, std::string::npos) << message;
    EXPECT_NE(message.find(row.host_value, host_at), std::string::npos) << message;
    EXPECT_NE(message.find(row.guest_value, guest_at), std::string::npos) << message;
  }
}

TEST(NestedIdentity, AllErrorsAreShownAtOnce) {
  Features host = rich_host();
  host.ril = false;
  host.asid16 = false;
  host.gran64k = false;
  const Identity identity = resolve_identity(usual_guest(), fixed(), report_of(host), {}, false);
  EXPECT_EQ(fields(identity.errors), (std::vector<std::string>{"IDR0.ASID16", "IDR3.RIL", "IDR5.GRAN64K"}));
}

TEST(NestedIdentity, WhatTheHostReportsNothingOfIsNeverOffered) {
  using Change = void (*)(Features&);
  const std::pair<const char*, Change> never[] = {
      {"s2p", [](Features& f) { f.s2p = true; }},
      {"httu", [](Features& f) { f.httu = spec::Httu::access; }},
      {"httu", [](Features& f) { f.httu = spec::Httu::access_dirty; }},
      {"btm", [](Features& f) { f.btm = true; }},
      {"mpam", [](Features& f) { f.mpam = true; }},
      {"hyp", [](Features& f) { f.hyp = true; }},
      {"pri", [](Features& f) { f.pri = true; }},
      {"attr_types_ovr", [](Features& f) { f.attr_types_ovr = true; }},
      {"attr_perms_ovr", [](Features& f) { f.attr_perms_ovr = true; }},
      {"e0pd", [](Features& f) { f.e0pd = true; }},
      {"stt", [](Features& f) { f.stt = true; }},
  };
  Features host = rich_host();
  host.httu = spec::Httu::access_dirty;
  host.btm = host.mpam = host.hyp = host.pri = host.e0pd = host.stt = true;
  host.attr_types_ovr = host.attr_perms_ovr = true;
  for (const auto& [member, change] : never) {
    SCOPED_TRACE(member);
    Features guest = usual_guest();
    change(guest);
    const Identity identity = resolve_identity(guest, fixed(), report_of(host), {}, false);
    EXPECT_EQ(fields(identity.errors), std::vector<std::string>{member});
  }
}

TEST(NestedIdentity, AutoTakesTheHosts) {
  Features host = rich_host();
  host.ril = false;
  host.ssidsize = 7;
  const Properties automatic;
  const Identity identity = resolve_identity(usual_guest(), automatic, report_of(host, 44), {}, false);
  ASSERT_TRUE(identity.errors.empty());
  EXPECT_FALSE(identity.features.ril);
  EXPECT_EQ(identity.features.ssidsize, 7u);
  EXPECT_EQ(identity.features.oas, 44u);
}

TEST(NestedIdentity, AutoAtsFollowsTheEndpointsAndNotTheHostsSmmu) {
  for (const bool host_ats : {false, true}) {
    for (const bool shown : {false, true}) {
      Features host = rich_host();
      host.ats = host_ats;
      const Identity identity = resolve_identity(usual_guest(), {}, report_of(host), {}, shown);
      EXPECT_TRUE(identity.errors.empty());
      EXPECT_EQ(identity.features.ats, shown) << host_ats;
    }
  }
}

TEST(NestedIdentity, ValuesOfFeaturesThatAreNoPropertiesStay) {
  Features guest = usual_guest();
  guest.cd2l = true;
  guest.sidsize = 12;
  const Identity identity = resolve_identity(guest, fixed(), report_of(rich_host()), {}, false);
  guest.ril = true;
  EXPECT_EQ(identity.features, guest);
}

// QEMU's checks, which are others.

constexpr IdentityRules qemu{.compat = AccelCompat::qemu};

struct QemuRow {
  const char* name;
  void (*change)(Features& guest, Features& host, Properties& properties);
  std::vector<std::string> fields;
};

TEST(NestedIdentity, QemuChecksWhatItChecksInItsOrder) {
  const QemuRow qemu_rows[] = {
      {"nothing", [](Features&, Features&, Properties&) {}, {}},
      {"stream table format",
       [](Features&, Features& h, Properties&) { h.st_level = 0, h.sidsize = 16; },
       {"IDR0.ST_LEVEL"}},
      {"big-endian host",
       [](Features&, Features& h, Properties&) { h.ttendian = spec::Ttendian::big; },
       {"IDR0.TTENDIAN"}},
      {"mixed-endian host", [](Features&, Features& h, Properties&) { h.ttendian = spec::Ttendian::mixed; }, {}},
      {"LPAE host",
       [](Features&, Features& h, Properties&) { h.ttf_lpae = true, h.ttf_vmsav8_64 = false; },
       {"IDR0.TTF"}},
      {"host of 15 bits", [](Features&, Features& h, Properties&) { h.sidsize = 15; }, {"IDR1.SIDSIZE"}},
      {"a guest of 8 bits is taken for 16",
       [](Features& g, Features& h, Properties&) { g.sidsize = 8, h.sidsize = 8; },
       {"IDR1.SIDSIZE"}},
      {"substreams", [](Features&, Features& h, Properties& p) { p.ssidsize = 9, h.ssidsize = 8; }, {"IDR1.SSIDSIZE"}},
      {"RIL", [](Features&, Features& h, Properties&) { h.ril = false; }, {"IDR3.RIL"}},
      {"OAS above the host's", [](Features&, Features& h, Properties&) { h.oas = 44; }, {"IDR5.OAS"}},
      {"an OAS that QEMU does not know", [](Features&, Features&, Properties& p) { p.oas = 40; }, {"oas"}},
      {"ATS is wanted of the SMMU",
       [](Features&, Features& h, Properties& p) { p.ats = true, h.ats = false; },
       {"IDR0.ATS"}},
      {"granules that nobody asked for",
       [](Features& g, Features& h, Properties&) { g.gran16k = h.gran16k = false, h.gran4k = false; },
       {"IDR5.GRAN4K", "IDR5.GRAN16K"}},
      {"what QEMU forgets",
       [](Features& g, Features& h, Properties&) {
         g.bbml = 2, h.bbml = 1;
         g.cd2l = true, h.cd2l = false;
         h.asid16 = false;
         h.term_model = true;
         h.stall_model = spec::StallModel::stall_forced;
       },
       {}},
      {"several",
       [](Features&, Features& h, Properties&) { h.ril = false, h.gran64k = false, h.st_level = 0; },
       {"IDR0.ST_LEVEL", "IDR3.RIL", "IDR5.GRAN64K"}},
  };
  for (const QemuRow& row : qemu_rows) {
    SCOPED_TRACE(row.name);
    Features guest = usual_guest(), host = rich_host();
    Properties properties = fixed();
    row.change(guest, host, properties);
    EXPECT_EQ(fields(resolve_identity(guest, properties, report_of(host, 40), qemu, false).errors), row.fields);
  }
}

TEST(NestedIdentity, QemusAutoAtsIsTheHostSmmus) {
  for (const bool host_ats : {false, true}) {
    Features host = rich_host();
    host.ats = host_ats;
    host.oas = 48;
    EXPECT_EQ(resolve_identity(usual_guest(), {}, report_of(host), qemu, !host_ats).features.ats, host_ats);
  }
}

// The freezing of auto.

TEST(NestedFreeze, TheFirstDeviceDecidesAndLaterOnesMustFit) {
  IdentityFreeze freeze(usual_guest(), {}, {});
  Features small = rich_host();
  small.ssidsize = 4;
  ASSERT_TRUE(freeze.add({report_of(small, 44), false}).empty());
  ASSERT_TRUE(freeze.add({report_of(rich_host(), 48), false}).empty());
  ASSERT_TRUE(freeze.machine_done().empty());
  EXPECT_EQ(freeze.features().ssidsize, 4u);
  EXPECT_EQ(freeze.features().oas, 44u);
  Features smaller = small;
  smaller.ssidsize = 3;
  EXPECT_EQ(fields(freeze.add({report_of(smaller, 44), false})), std::vector<std::string>{"IDR1.SSIDSIZE"});
  EXPECT_EQ(fields(freeze.add({report_of(small, 42), false})), std::vector<std::string>{"IDR5.OAS"});
  EXPECT_TRUE(freeze.add({report_of(rich_host(), 48), false}).empty());
  EXPECT_EQ(freeze.features().ssidsize, 4u) << "a device that was plugged in later changed a frozen value";
}

TEST(NestedFreeze, ADeviceThatDoesNotFitChangesNothing) {
  IdentityFreeze freeze(usual_guest(), {}, {});
  Features without = rich_host();
  without.gran4k = false;
  EXPECT_FALSE(freeze.add({report_of(without), true}).empty());
  EXPECT_FALSE(freeze.machine_done().empty()) << "it froze the properties though it is not there";
}

TEST(NestedFreeze, AutoAtsWaitsForAllColdDevices) {
  IdentityFreeze freeze(usual_guest(), {}, {});
  ASSERT_TRUE(freeze.add({report_of(rich_host()), false}).empty());
  EXPECT_FALSE(freeze.features().ats);
  ASSERT_TRUE(freeze.add({report_of(rich_host()), true}).empty());
  EXPECT_TRUE(freeze.features().ats);
  ASSERT_TRUE(freeze.add({report_of(rich_host()), false}).empty());
  ASSERT_TRUE(freeze.machine_done().empty());
  EXPECT_TRUE(freeze.features().ats);
}

TEST(NestedFreeze, AHotPluggedDeviceWithAtsFindsItAsItWas) {
  IdentityFreeze freeze(usual_guest(), {}, {});
  ASSERT_TRUE(freeze.add({report_of(rich_host()), false}).empty());
  ASSERT_TRUE(freeze.machine_done().empty());
  EXPECT_TRUE(freeze.add({report_of(rich_host()), true}).empty());
  EXPECT_FALSE(freeze.features().ats);
}

TEST(NestedFreeze, WithoutAColdDeviceAutoHasNoHost) {
  IdentityFreeze open(usual_guest(), {}, {});
  EXPECT_EQ(fields(open.machine_done()), std::vector<std::string>{"auto"});
  IdentityFreeze settled(usual_guest(), fixed(), {});
  ASSERT_TRUE(settled.machine_done().empty());
  EXPECT_EQ(settled.features().oas, 48u);
  EXPECT_FALSE(settled.features().ats);
}

}  // namespace
}  // namespace smmusim::nested
