// SPDX-License-Identifier: MIT
// Rows of the keys that say what an SMMU implements: every member of spec::Features (IDR0 to IDR6, IIDR, AIDR).
// Legal values of a single field are here; rules between fields are spec::check(), what the model has is supported.h.
#include <algorithm>
#include <stdexcept>

#include "model/spec/features.h"
#include "platform/config/key_rows.h"

namespace smmusim::key_rows {
namespace {

using S = NamedSmmu;
using spec::Features;

constexpr Choice versions[] = {{"3.0", 0}, {"3.1", 1}, {"3.2", 2}, {"3.3", 3}, {"3.4", 4}};
constexpr Choice stage_choices[] = {{"1", 1}, {"2", 2}, {"nested", 3}};
constexpr Choice on_off[] = {{"off", 0}, {"on", 1}};
constexpr Choice on_off_auto_choices[] = {{"off", 0}, {"on", 1}};
constexpr Choice compats[] = {{"none", 0}, {"qemu", 1}};
constexpr Choice httu_choices[] = {{"off", 0}, {"access", 1}, {"access-dirty", 2}, {"access-dirty-table", 3}};
constexpr Choice stall_choices[] = {{"off", 1}, {"on", 0}, {"forced", 2}};
constexpr Choice endians[] = {{"mixed", 0}, {"little", 2}, {"big", 3}};
constexpr std::uint64_t address_sizes[] = {32, 36, 40, 42, 44, 48, 52, 56};
constexpr std::uint64_t va_sizes[] = {48, 52, 56};
constexpr std::uint64_t granule_sizes[] = {4, 16, 64};
constexpr std::string_view linux_needs = "as Linux finds it in most SMMUs";
constexpr std::string_view optional = "an optional feature";

/// Keys that follow others unless they are set: where the architecture's rules (spec::check()) leave a single value
/// given the rest, the loader takes it. `origin` says what they follow.
struct Follower {
  std::string_view key, origin;
};
constexpr Follower followers[] = {
    {"smmu.ril", "follows smmu.version: on where it may be, from 3.1"},
    {"smmu.vax", "follows smmu.ds: 52 with it"},
    {"smmu.hyp", "follows smmu.version and smmu.stages: on from 3.2 with both stages"},
    {"smmu.had", "follows smmu.stages: on with stage 1, without it impossible"},
    {"smmu.xnx", "follows smmu.version and smmu.stages: on from 3.1 with stage 2"},
    {"smmu.fwb", "follows smmu.version: on from 3.2"},
    {"smmu.bbml", "follows smmu.version: 1 from 3.2"},
    {"smmu.e0pd", "follows smmu.version: on from 3.3"},
    {"smmu.ptwnnc", "follows smmu.version and smmu.stages: on from 3.3 with stage 2"},
    {"smmu.epan", "follows smmu.version: on from 3.4"},
    {"smmu.mteperm", "follows smmu.version and smmu.stages: on from 3.4 with stage 2"},
};

/// A member that is a flag, or a number up to `max`.
struct Flag {
  std::string_view key, member;
  bool Features::*flag;
  std::string_view section, meaning, origin;
};
struct Number {
  std::string_view key, member;
  unsigned Features::*number;
  std::uint64_t max;
  std::string_view section;
  Words words;
};

constexpr Flag flags[] = {
    {"smmu.ttf_lpae", "ttf_lpae", &Features::ttf_lpae, "6.3.1", "VMSAv8-32 LPAE translation tables", optional},
    {"smmu.ttf_vmsav8_64", "ttf_vmsav8_64", &Features::ttf_vmsav8_64, "6.3.1", "VMSAv8-64 translation tables",
     linux_needs},
    {"smmu.cohacc", "cohacc", &Features::cohacc, "6.3.1", "the SMMU's own accesses are coherent", linux_needs},
    {"smmu.btm", "btm", &Features::btm, "6.3.1", "broadcast TLB maintenance", optional},
    {"smmu.dormhint", "dormhint", &Features::dormhint, "6.3.1", "dormant hint", optional},
    {"smmu.hyp", "hyp", &Features::hyp, "6.3.1", "EL2 stage-1 contexts", optional},
    {"smmu.split_stage_ats", "split_stage_ats", &Features::split_stage_ats, "6.3.1", "split-stage ATS (NS1ATS = 0)",
     optional},
    {"smmu.asid16", "asid16", &Features::asid16, "6.3.1", "16-bit ASIDs", linux_needs},
    {"smmu.msi", "msi", &Features::msi, "6.3.1", "message-signalled interrupts", linux_needs},
    {"smmu.sev", "sev", &Features::sev, "6.3.1", "CMD_SYNC can send an event to the processors", linux_needs},
    {"smmu.atos", "atos", &Features::atos, "6.3.1", "address translation operations", optional},
    {"smmu.pri", "pri", &Features::pri, "6.3.1", "page requests", optional},
    {"smmu.vmw", "vmw", &Features::vmw, "6.3.1", "VMID wildcards", optional},
    {"smmu.vmid16", "vmid16", &Features::vmid16, "6.3.1", "16-bit VMIDs", optional},
    {"smmu.cd2l", "cd2l", &Features::cd2l, "6.3.1", "two-level tables of context descriptors", optional},
    {"smmu.vatos", "vatos", &Features::vatos, "6.3.1", "virtual ATOS page", optional},
    {"smmu.atsrecerr", "atsrecerr", &Features::atsrecerr, "6.3.1", "ATS errors are recorded", optional},
    {"smmu.term_model", "term_model", &Features::term_model, "6.3.1", "terminated transactions always abort (CD.A = 1)",
     optional},
    {"smmu.rme_impl", "rme_impl", &Features::rme_impl, "6.3.1", "Realm Management Extension", optional},
    {"smmu.ecmdq", "ecmdq", &Features::ecmdq, "6.3.2", "enhanced command queues", optional},
    {"smmu.tables_preset", "tables_preset", &Features::tables_preset, "6.3.2", "the stream table's place is fixed",
     optional},
    {"smmu.queues_preset", "queues_preset", &Features::queues_preset, "6.3.2", "the queues' places are fixed",
     optional},
    {"smmu.rel", "rel", &Features::rel, "6.3.2", "preset places are relative to the SMMU's base", optional},
    {"smmu.attr_types_ovr", "attr_types_ovr", &Features::attr_types_ovr, "6.3.2", "memory attributes can be overridden",
     optional},
    {"smmu.attr_perms_ovr", "attr_perms_ovr", &Features::attr_perms_ovr, "6.3.2", "PnU and InD can be overridden",
     optional},
    {"smmu.had", "had", &Features::had, "6.3.4", "hierarchical attributes can be disabled",
     "mandatory from version 3.1"},
    {"smmu.pbha", "pbha", &Features::pbha, "6.3.4", "page-based hardware attributes", optional},
    {"smmu.xnx", "xnx", &Features::xnx, "6.3.4", "execute-never by privilege at stage 2", optional},
    {"smmu.pps", "pps", &Features::pps, "6.3.4", "PASID in page request group responses", optional},
    {"smmu.mpam", "mpam", &Features::mpam, "6.3.4", "memory partitioning and monitoring", optional},
    {"smmu.fwb", "fwb", &Features::fwb, "6.3.4", "stage 2 can force write-back", optional},
    {"smmu.stt", "stt", &Features::stt, "6.3.4", "small translation tables", optional},
    {"smmu.e0pd", "e0pd", &Features::e0pd, "6.3.4", "unprivileged access can be denied by half of the VA space",
     optional},
    {"smmu.ptwnnc", "ptwnnc", &Features::ptwnnc, "6.3.4", "walks to Device memory are cacheable", optional},
    {"smmu.dpt", "dpt", &Features::dpt, "6.3.4", "Device Permission Table", optional},
    {"smmu.pasidtt", "pasidtt", &Features::pasidtt, "6.3.4", "PASID on translated transactions", optional},
    {"smmu.epan", "epan", &Features::epan, "6.3.4", "enhanced privileged access never", optional},
    {"smmu.s1pi", "s1pi", &Features::s1pi, "6.3.4", "stage-1 permission indirection", optional},
    {"smmu.s2pi", "s2pi", &Features::s2pi, "6.3.4", "stage-2 permission indirection", optional},
    {"smmu.s2po", "s2po", &Features::s2po, "6.3.4", "stage-2 permission overlay", optional},
    {"smmu.the", "the", &Features::the, "6.3.4", "translation hardening", optional},
    {"smmu.mteperm", "mteperm", &Features::mteperm, "6.3.4", "no-tag-access memory at stage 2", optional},
    {"smmu.aie", "aie", &Features::aie, "6.3.4", "attribute index extension", optional},
    {"smmu.ds", "ds", &Features::ds, "6.3.6", "52-bit addresses with 4 and 16 KiB granules", optional},
    {"smmu.d128", "d128", &Features::d128, "6.3.6", "128-bit descriptors", optional},
};

constexpr Number numbers[] = {
    {"smmu.sidsize", "sidsize", &Features::sidsize, 32, "6.3.2", {"bit", "size of a StreamID", "QEMU; a PCIe segment"}},
    {"smmu.st_level",
     "st_level",
     &Features::st_level,
     1,
     "6.3.1",
     {"", "0: linear stream tables; 1: two-level ones too", linux_needs}},
    {"smmu.bbml", "bbml", &Features::bbml, 2, "6.3.4", {"", "level of break-before-make support", optional}},
    {"smmu.cmdqs", "cmdqs", &Features::cmdqs, 19, "6.3.2", {"log2(entries)", "largest Command queue", "QEMU"}},
    {"smmu.eventqs", "eventqs", &Features::eventqs, 19, "6.3.2", {"log2(entries)", "largest Event queue", "QEMU"}},
    {"smmu.priqs", "priqs", &Features::priqs, 19, "6.3.2", {"log2(entries)", "largest PRI queue", "no PRI; with it 8"}},
    {"smmu.stall_max",
     "stall_max",
     &Features::stall_max,
     65535,
     "6.3.6",
     {"", "stalled transactions at a time", "no stall"}},
    {"smmu.ba_vatos",
     "ba_vatos",
     &Features::ba_vatos,
     1023,
     "6.3.3",
     {"64 KiB", "place of the VATOS page beyond the first two", "no VATOS"}},
    {"smmu.cmdq_control_page_log2nump",
     "cmdq_control_page_log2nump",
     &Features::cmdq_control_page_log2nump,
     8,
     "6.3.45",
     {"log2(pages)", "ECMDQ control pages", "no ECMDQ"}},
    {"smmu.cmdq_control_page_log2numq",
     "cmdq_control_page_log2numq",
     &Features::cmdq_control_page_log2numq,
     8,
     "6.3.45",
     {"log2(queues)", "queues in each ECMDQ control page", "no ECMDQ"}},
    {"smmu.partid_max", "partid_max", &Features::partid_max, 65535, "6.3.41", {"", "largest PARTID", "no MPAM"}},
    {"smmu.pmg_max", "pmg_max", &Features::pmg_max, 255, "6.3.41", {"", "largest PMG", "no MPAM"}},
    {"smmu.implementer",
     "implementer",
     &Features::implementer,
     0xfff,
     "6.3.7",
     {"", "IIDR.Implementer (JEP106)", "QEMU: none claimed"}},
    {"smmu.product_id",
     "product_id",
     &Features::product_id,
     0xfff,
     "6.3.7",
     {"", "IIDR.ProductID", "QEMU: none claimed"}},
    {"smmu.variant", "variant", &Features::variant, 15, "6.3.7", {"", "IIDR.Variant", "QEMU: none claimed"}},
    {"smmu.revision", "revision", &Features::revision, 15, "6.3.7", {"", "IIDR.Revision", "QEMU: none claimed"}},
};

/// `on`, `off` or `auto` for one flag.
Row on_off_auto(std::string_view name, bool Features::*flag, const Words& words) {
  return choice<S>(
             name, [flag](auto& s) -> auto& { return s.config.features.*flag; }, on_off, words)
      .or_auto();
}

Row stages() {
  Row made = row<S>("smmu.stages", KeyType::choice, {"", "stages of translation", "what a driver without guests uses"});
  made.choices = stage_choices;
  made.get = [](const Subject& s) -> Value {
    const Features& f = s.smmu->config.features;
    return std::string(f.s1p && f.s2p ? "nested" : f.s2p ? "2" : "1");
  };
  made.set = [](const Subject& s, const Value& value) {
    const std::string& text = std::get<std::string>(value);
    s.smmu->config.features.s1p = text != "2";
    s.smmu->config.features.s2p = text != "1";
  };
  return std::move(made).in_section("6.3.1").of_members("s1p s2p");
}

Row granules() {
  Row made = row<S>("smmu.granules", KeyType::integers, {"KiB", "translation granules", "what Linux uses"});
  made.legal = granule_sizes;
  made.get = [](const Subject& s) -> Value {
    const Features& f = s.smmu->config.features;
    std::vector<std::uint64_t> list;
    if (f.gran4k) list.push_back(4);
    if (f.gran16k) list.push_back(16);
    if (f.gran64k) list.push_back(64);
    return list;
  };
  made.set = [](const Subject& s, const Value& value) {
    const auto& list = std::get<std::vector<std::uint64_t>>(value);
    const auto has = [&list](std::uint64_t n) { return std::find(list.begin(), list.end(), n) != list.end(); };
    Features& f = s.smmu->config.features;
    f.gran4k = has(4);
    f.gran16k = has(16);
    f.gran64k = has(64);
  };
  return std::move(made).in_section("6.3.6").of_members("gran4k gran16k gran64k");
}

/// AIDR as text. The major revision is 0 in every SMMUv3.
Row version() {
  return choice<S>("smmu.version", [](auto& s) -> auto& { return s.config.features.version_minor; }, versions,
                   {"", "architecture version (AIDR)", "the highest whose mandatory features are all present"})
      .in_section("6.3.8")
      .of_members("version_major version_minor");
}

void add_acceleration(std::vector<Key>& keys) {
  keys.push_back(boolean<S>("smmu.accel", [](auto& s) -> auto& { return s.accel; },
                            {"", "accelerated by the host's SMMU", "follows host.mode: where there is a host"}));
  keys.push_back(choice<S>("smmu.compat", [](auto& s) -> auto& { return s.acceleration.compat; }, compats,
                           {"", "with accel: what of the host is checked: what can be, or what QEMU checks",
                            "every feature that the guest could use"}));
  keys.push_back(choice<S>("smmu.cmdqv", [](auto& s) -> auto& { return s.acceleration.cmdqv; }, on_off_auto_choices,
                           {"", "with accel: command queues of the host's hardware (Tegra241); none are mapped yet",
                            "the host's, and this version maps none"})
                     .or_auto());
  keys.push_back(integer<S>("smmu.batch_max", [](auto& s) -> auto& { return s.acceleration.batch_max; }, 1, 4096,
                            {"commands", "with accel: invalidations that one call hands to the host",
                             "63 to 256 suit Linux, which cuts them up anyway"}));
  keys.push_back(integer<S>("smmu.veventq_depth", [](auto& s) -> auto& { return s.acceleration.veventq_depth; }, 1,
                            1 << 16,
                            {"records", "with accel: of the queue in which the host hands out faults",
                             "as other monitors have it (64 to 256)"}));
}

void add_main(std::vector<Key>& keys) {
  keys.push_back(version());
  keys.push_back(stages());
  keys.push_back(granules());
  keys.push_back(one_of<S>("smmu.oas", [](auto& s) -> auto& { return s.config.features.oas; }, address_sizes,
                           {"bit", "size of output addresses; auto, with accel only: the host's",
                            "the largest that 4 KiB granules give without DS"})
                     .or_auto()
                     .in_section("6.3.6")
                     .of_members("oas"));
  keys.push_back(
      one_of<S>("smmu.vax", [](auto& s) -> auto& { return s.config.features.vax; }, va_sizes,
                {"bit", "size of input addresses of each half of the VA space", "VMSAv8-64 without extensions"})
          .in_section("6.3.6")
          .of_members("vax"));
  keys.push_back(integer<S>("smmu.ssidsize", [](auto& s) -> auto& { return s.config.features.ssidsize; }, 0, 20,
                            {"bit", "size of a SubstreamID; 0: no substreams", "QEMU"})
                     .or_auto()
                     .in_section("6.3.2")
                     .of_members("ssidsize"));
  keys.push_back(
      on_off_auto("smmu.ril", &Features::ril, {"", "range invalidation", ""}).in_section("6.3.4").of_members("ril"));
  keys.push_back(on_off_auto("smmu.ats", &Features::ats, {"", "PCIe Address Translation Services", "QEMU"})
                     .in_section("6.3.1")
                     .of_members("ats"));
  add_acceleration(keys);
  keys.push_back(choice<S>("smmu.httu", [](auto& s) -> auto& { return s.config.features.httu; }, httu_choices,
                           {"", "hardware update of access flag and dirty state", optional})
                     .in_section("6.3.1")
                     .of_members("httu"));
  keys.push_back(
      choice<S>("smmu.stall", [](auto& s) -> auto& { return s.config.features.stall_model; }, stall_choices,
                {"", "the stall model: terminate only, stall or terminate, stall forced", "PCIe devices do not stall"})
          .in_section("6.3.1")
          .of_members("stall_model"));
  keys.push_back(choice<S>("smmu.ttendian", [](auto& s) -> auto& { return s.config.features.ttendian; }, endians,
                           {"", "endianness of translation tables", linux_needs})
                     .in_section("6.3.1")
                     .of_members("ttendian"));
}

}  // namespace

std::vector<Key> feature_keys() {
  std::vector<Key> keys;
  add_main(keys);
  for (const Number& n : numbers) {
    const auto number = n.number;
    keys.push_back(integer<S>(
                       n.key, [number](auto& s) -> auto& { return s.config.features.*number; }, 0, n.max, n.words)
                       .in_section(n.section)
                       .of_members(n.member));
  }
  for (const Flag& f : flags) {
    const auto flag = f.flag;
    keys.push_back(
        boolean<S>(f.key, [flag](auto& s) -> auto& { return s.config.features.*flag; }, {"", f.meaning, f.origin})
            .in_section(f.section)
            .of_members(f.member));
  }
  keys.push_back(integer<S>("smmu.idr4", [](auto& s) -> auto& { return s.config.features.idr4; }, 0, 0xffff'ffff,
                            {"", "IDR4, IMPLEMENTATION DEFINED", "nothing to say"})
                     .in_section("6.3.5")
                     .of_members("idr4"));
  for (const Follower& follower : followers) {
    Key& key = *std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == follower.key; });
    key.follows = true;
    key.automatic = true;
    key.origin = follower.origin;
  }
  return keys;
}

}  // namespace smmusim::key_rows
