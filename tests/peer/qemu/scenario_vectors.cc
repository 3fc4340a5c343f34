// SPDX-License-Identifier: MIT
// See scenario_vectors.h. The image is that of vector_image.h. The right answers are from the specification, not from
// either side.
#include "tests/peer/qemu/scenario_vectors.h"

#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/layout.h"
#include "tests/peer/qemu/vector_image.h"
#include "tests/peer/qemu/vectors.h"

namespace smmusim::peer {
namespace {

using namespace image;
using spec::Command;
using spec::Opcode;
namespace reg = spec::reg;

constexpr std::uint32_t smmuen = 1, eventqen = 4, cmdqen = 8, bit31 = 0x80000000u;
constexpr unsigned bad_ste = 0x04, bad_cd = 0x0a, translation = 0x10, permission = 0x13;
constexpr std::uint64_t one = 1;
constexpr std::uint16_t asid = 0x1e20;
constexpr std::uint32_t reader = 0x10;

Step& add(Scenario& s, Do what) {
  s.steps.emplace_back();
  s.steps.back().what = what;
  return s.steps.back();
}
void access(Scenario& s, std::uint64_t address = iova, std::uint32_t stream = sid) {
  Step& step = add(s, Do::access);
  step.access = {stream, stream != reader, address, 4};
}
void fault(Scenario& s) {
  access(s, iova + 0x1000);
}
void store(Scenario& s, std::uint64_t address, std::uint64_t word) {
  add(s, Do::store).stores = {{address, word}};
}
void write(Scenario& s, std::uint32_t offset, std::uint64_t value, unsigned bytes = 4) {
  Step& step = add(s, Do::write);
  step.offset = offset;
  step.value = value;
  step.bytes = bytes;
}
Command command(Opcode opcode) {
  Command made;
  made.set<Command::OP>(opcode);
  return made;
}
void submit(Scenario& s, std::vector<Command> commands) {
  commands.push_back(command(Opcode::CMD_SYNC));
  add(s, Do::submit).commands = std::move(commands);
}
Command by_va(std::uint64_t address, std::uint16_t named = asid) {
  return command(Opcode::CMD_TLBI_NH_VA).set<Command::ASID>(named).set<Command::Address>(address & ~low_mask(12));
}
Round changed(Changed what) {
  Round round;
  round.changed = what;
  return round;
}

unsigned event(const Observation& seen) {
  return seen.events.empty() ? 0 : static_cast<unsigned>(seen.events[0][0] & 0xff);
}
bool lands(const Observation& seen, const Snapshot&) {
  return event(seen) == 0 && seen.landed && seen.address == vector_target;
}
bool stays_out(const Observation& seen, const Snapshot&) {
  return event(seen) == 0 && !seen.landed;
}
template <unsigned Event>
bool faults(const Observation& seen, const Snapshot&) {
  return event(seen) == Event && !seen.landed;
}
template <std::uint32_t Error>
bool refuses(const Observation&, const Snapshot& after) {
  return (after.active() & 1) != 0 && after.cmdq_cons == Error << 24;
}
bool accepts(const Observation&, const Snapshot& after) {
  return after.active() == 0 && (after.cmdq_cons & 0xfffff) == after.cmdq_prod;
}

/// A change of a word, its invalidation, and the accesses before and after.
void stale(Scenario& s, std::uint64_t address, std::vector<Command> commands, const Round& round,
           std::uint64_t at = iova) {
  access(s, at);
  store(s, address, s.image.word(address) ^ one);
  submit(s, std::move(commands));
  access(s, at);
  s.steps.back().round = round;
}

constexpr ScenarioVector rows[] = {
    // What a driver relies on: the sides agree.
    {"tlbi-va", 5, [](Scenario& s) { stale(s, l3, {by_va(iova)}, changed(Changed::s1_leaf)); }, faults<translation>,
     nullptr},
    {"tlbi-table", 5, [](Scenario& s) { stale(s, l2, {by_va(iova)}, changed(Changed::s1_table)); }, faults<translation>,
     nullptr},
    {"tlbi-range", 5,
     [](Scenario& s) {
       Command range = by_va(iova - 0x3000);
       range.set<Command::TG>(spec::TlbiTg::kib4).set<Command::NUM>(3);
       stale(s, l3, {range}, changed(Changed::s1_leaf));
     },
     faults<translation>, nullptr},
    {"tlbi-ipa", 6,
     [](Scenario& s) {
       Command ipa = command(Opcode::CMD_TLBI_S2_IPA);
       ipa.set<Command::Address>(iova & ~low_mask(12));
       stale(s, l3, {ipa}, changed(Changed::s2_leaf));
     },
     faults<translation>, nullptr},
    {"tlbi-nested", 7,
     [](Scenario& s) {
       Command ipa = command(Opcode::CMD_TLBI_S2_IPA);
       ipa.set<Command::Address>(0x4ecba000);
       stale(s, identity + 8 * 0xba, {ipa, command(Opcode::CMD_TLBI_NH_ALL)}, changed(Changed::s2_leaf));
     },
     faults<translation>, nullptr},
    {"cfgi-ste", 5,
     [](Scenario& s) {
       Command cfgi = command(Opcode::CMD_CFGI_STE);
       cfgi.set<Command::StreamID>(sid);
       stale(s, ste_at, {cfgi}, changed(Changed::ste));
     },
     faults<bad_ste>, nullptr},
    {"cfgi-cd", 5,
     [](Scenario& s) {
       Command cfgi = command(Opcode::CMD_CFGI_CD);
       cfgi.set<Command::StreamID>(sid);
       access(s);
       store(s, cd_at, s.image.word(cd_at) ^ Cd::V::mask);
       submit(s, {cfgi});
       access(s);
     },
     faults<bad_cd>, nullptr},
    {"reserved-opcode", 5, [](Scenario& s) { submit(s, {command(static_cast<Opcode>(0x0f))}); }, refuses<1>, nullptr},
    {"fetch-abort", 5,
     [](Scenario& s) {
       write(s, reg::CR0, eventqen | smmuen);
       write(s, reg::CMDQ_BASE, nowhere | s.cmdq_log2, 8);
       submit(s, {});
       write(s, reg::CR0, cmdqen | eventqen | smmuen);
     },
     refuses<2>, nullptr},
    {"error-stays", 5,
     [](Scenario& s) {
       submit(s, {command(static_cast<Opcode>(0x0f))});
       write(s, reg::CR0, eventqen | smmuen);
       write(s, reg::CR0, cmdqen | eventqen | smmuen);
       submit(s, {});
     },
     refuses<1>, nullptr},
    {"error-repaired", 5,
     [](Scenario& s) {
       submit(s, {command(static_cast<Opcode>(0x0f))});
       add(s, Do::repair).commands = {command(Opcode::CMD_SYNC)};
       add(s, Do::acknowledge);
     },
     accepts, nullptr},
    {"error-withdrawn", 5,
     [](Scenario& s) {
       submit(s, {command(static_cast<Opcode>(0x0f))});
       add(s, Do::withdraw);
       add(s, Do::acknowledge);
     },
     accepts, nullptr},
    {"queue-wraps", 5,
     [](Scenario& s) {
       s.cmdq_index = 31;
       submit(s, {command(Opcode::CMD_TLBI_NSNH_ALL)});
     },
     accepts, nullptr},
    {"eventq-off", 5,
     [](Scenario& s) {
       write(s, reg::CR0, cmdqen | smmuen);
       fault(s);
     },
     stays_out, nullptr},
    {"eventq-drained", 5,
     [](Scenario& s) {
       s.eventq_log2 = 0;
       fault(s);
       add(s, Do::drain).count = 1;
       fault(s);
     },
     faults<translation>, nullptr},
    {"gbpa-without-update", 5,
     [](Scenario& s) {
       write(s, reg::CR0, cmdqen | eventqen);
       write(s, reg::GBPA, one << 20);
       access(s, vector_target);
     },
     lands, nullptr},
    {"gbpa-abort", 5,
     [](Scenario& s) {
       write(s, reg::CR0, cmdqen | eventqen);
       write(s, reg::GBPA, bit31 | one << 20);
       access(s, vector_target);
     },
     stays_out, nullptr},
    {"eventq-abort", 5,
     [](Scenario& s) {
       write(s, reg::CR0, cmdqen | smmuen);
       write(s, reg::EVENTQ_BASE, nowhere | s.eventq_log2, 8);
       write(s, reg::CR0, cmdqen | eventqen | smmuen);
       fault(s);
     },
     [](const Observation& seen, const Snapshot& after) { return event(seen) == 0 && after.active() == 4; }, nullptr},
    // One minimal scenario for each explained divergence.
    {"divergence/sync-cs", 5,
     [](Scenario& s) { submit(s, {command(Opcode::CMD_SYNC).set<Command::CS>(spec::SyncSignal::reserved)}); },
     refuses<1>, "sync-cs"},
    {"divergence/absent-feature", 5, [](Scenario& s) { submit(s, {command(Opcode::CMD_RESUME)}); }, refuses<1>,
     "absent-feature"},
    {"divergence/prefetch-ssec", 5,
     [](Scenario& s) {
       submit(s, {command(Opcode::CMD_PREFETCH_CONFIG).set<Command::StreamID>(sid).set<Command::SSec>(true)});
     },
     refuses<1>, "prefetch-ssec"},
    {"divergence/empty-range", 5, [](Scenario& s) { submit(s, {by_va(iova).set<Command::TG>(spec::TlbiTg::kib4)}); },
     refuses<1>, "empty-range"},
    {"divergence/cfgi-cd-stage2", 6,
     [](Scenario& s) {
       s.image.stages = Stages::stage2;
       submit(s, {command(Opcode::CMD_CFGI_CD_ALL).set<Command::StreamID>(0x200)});
     },
     refuses<1>, "cfgi-cd-stage2"},
    {"divergence/event-overflow", 5,
     [](Scenario& s) {
       s.eventq_log2 = 0;
       fault(s);
       fault(s);
     },
     [](const Observation& seen, const Snapshot& after) {
       return event(seen) == 0 && after.active() == 0 && (after.eventq_prod & bit31) != 0;
     },
     "event-overflow"},
    {"divergence/ovflg-cleared", 5,
     [](Scenario& s) {
       s.overflow_flags = true;
       fault(s);
     },
     [](const Observation& seen, const Snapshot& after) {
       return event(seen) == translation && (after.eventq_prod & bit31) != 0;
     },
     "ovflg-cleared"},
    {"divergence/event-after-abort", 5,
     [](Scenario& s) {
       write(s, reg::CR0, cmdqen | smmuen);
       write(s, reg::EVENTQ_BASE, nowhere | s.eventq_log2, 8);
       write(s, reg::CR0, cmdqen | eventqen | smmuen);
       fault(s);
       write(s, reg::CR0, cmdqen | smmuen);
       write(s, reg::EVENTQ_BASE, scenario_event_queue | s.eventq_log2, 8);
       write(s, reg::CR0, cmdqen | eventqen | smmuen);
       fault(s);
     },
     stays_out, "event-after-abort"},
    {"divergence/event-irq", 5,
     [](Scenario& s) {
       write(s, reg::IRQ_CTRL, 4);
       fault(s);
       fault(s);
     },
     [](const Observation& seen, const Snapshot& after) { return event(seen) == translation && after.wires == 0; },
     "event-irq"},
    {"interrupts-off", 5,
     [](Scenario& s) {
       fault(s);
       submit(s, {command(static_cast<Opcode>(0x0f))});
     },
     [](const Observation&, const Snapshot& after) { return after.active() == 1 && after.wires == 0; }, nullptr},
    {"event-interrupt", 5,
     [](Scenario& s) {
       write(s, reg::IRQ_CTRL, 4);
       fault(s);
     },
     [](const Observation&, const Snapshot& after) { return after.wires == 1; }, nullptr},
    {"gerror-interrupt", 5,
     [](Scenario& s) {
       write(s, reg::IRQ_CTRL, 1);
       submit(s, {command(static_cast<Opcode>(0x0f))});
     },
     [](const Observation&, const Snapshot& after) { return after.wires == 8; }, nullptr},
    {"sync-interrupt", 5,
     [](Scenario& s) { submit(s, {command(Opcode::CMD_SYNC).set<Command::CS>(spec::SyncSignal::irq)}); },
     [](const Observation&, const Snapshot& after) { return after.wires == 4; }, nullptr},
    {"divergence/write-guard", 5, [](Scenario& s) { write(s, reg::EVENTQ_PROD, 3); },
     [](const Observation&, const Snapshot& after) { return after.eventq_prod == 0; }, "write-guard"},
    {"divergence/s2-root-frozen", 7,
     [](Scenario& s) {
       Command ipa = command(Opcode::CMD_TLBI_S2_IPA);
       ipa.set<Command::Address>(tables);
       Round round = changed(Changed::s2_root);
       round.root = true;
       stale(s, identity + 8 * 0xd0, {ipa, command(Opcode::CMD_TLBI_NH_ALL)}, round);
     },
     faults<translation>, "s2-root-frozen"},
    {"divergence/global-asid", 5,
     [](Scenario& s) {
       Round round = changed(Changed::s1_leaf);
       round.global_other_asid = true;
       stale(s, l3, {by_va(iova, asid ^ 1)}, round);
     },
     faults<translation>, "global-asid"},
    {"divergence/tlb-tag", 5,
     [](Scenario& s) {
       put<Cd::TBI0>(s.image, cd_at, 1);
       Round round = changed(Changed::s1_leaf);
       round.tagged = true;
       stale(s, l3, {by_va(iova)}, round, iova | std::uint64_t{0x12} << 56);
     },
     faults<translation>, "tlb-tag"},
    {"divergence/split-leaf", 7,
     [](Scenario& s) {
       s.image.words[l2] = 0x4ec00741;
       Round round = changed(Changed::s1_leaf);
       round.other_part = true;
       stale(s, l2, {by_va(0x8080600000)}, round, 0x80806ba564);
     },
     faults<translation>, "split-leaf"},
    {"divergence/hit-stage", 6,
     [](Scenario& s) {
       reads(s.image);
       clear(s.image, l3, 1 << 7);
       access(s, iova, reader);
       access(s);
     },
     faults<permission>, "hit-stage"},
    {"divergence/hit-ipa", 7,
     [](Scenario& s) {
       reads(s.image);
       clear(s.image, identity + 8 * 0xba, 1 << 7);
       access(s, iova, reader);
       access(s);
     },
     [](const Observation& seen, const Snapshot& after) {
       return faults<permission>(seen, after) && seen.events[0][3] == 0x4ecba000;
     },
     "hit-ipa"},
    {"divergence/hit-read", 6,
     [](Scenario& s) {
       reads(s.image);
       clear(s.image, l3, 1 << 6);
       access(s);
       access(s, iova, reader);
     },
     faults<permission>, "hit-read"},
};

}  // namespace

std::span<const ScenarioVector> scenario_vectors() {
  return rows;
}

Scenario scenario_of(const ScenarioVector& vector) {
  Scenario scenario;
  scenario.image = image::make(vector.config);
  scenario.image.words[vector_target & ~std::uint64_t{7}] = 0x5a5a5a5a5a5a5a5a;
  scenario.targets = {vector_target & ~low_mask(12)};
  vector.edit(scenario);
  return scenario;
}

}  // namespace smmusim::peer
