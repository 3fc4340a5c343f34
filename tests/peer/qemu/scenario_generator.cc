// SPDX-License-Identifier: MIT
// See scenario_generator.h. The Command queue's scenarios: batches of any commands, what becomes of those that are
// refused, and accesses in between, which no invalidation may harm.
#include "tests/peer/qemu/scenario_generator.h"

#include <utility>

#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;
using spec::Command;
using spec::Opcode;

constexpr std::uint32_t smmuen = 1, eventqen = 4, cmdqen = 8;

Command sync() {
  Command command;
  command.set<Command::OP>(Opcode::CMD_SYNC);
  return command;
}

struct Weight {
  Opcode opcode;
  unsigned weight;
};
/// Commands that both sides know.
constexpr Weight known[] = {{Opcode::CMD_PREFETCH_CONFIG, 3}, {Opcode::CMD_PREFETCH_ADDR, 3},
                            {Opcode::CMD_CFGI_STE, 5},        {Opcode::CMD_CFGI_STE_RANGE, 5},
                            {Opcode::CMD_CFGI_CD, 4},         {Opcode::CMD_CFGI_CD_ALL, 4},
                            {Opcode::CMD_TLBI_NH_ALL, 3},     {Opcode::CMD_TLBI_NH_ASID, 3},
                            {Opcode::CMD_TLBI_NH_VA, 8},      {Opcode::CMD_TLBI_NH_VAA, 6},
                            {Opcode::CMD_TLBI_S12_VMALL, 3},  {Opcode::CMD_TLBI_S2_IPA, 6},
                            {Opcode::CMD_TLBI_NSNH_ALL, 2},   {Opcode::CMD_SYNC, 8}};
/// Commands of features that QEMU lacks, and takes (row "absent-feature").
constexpr Opcode absent[] = {Opcode::CMD_TLBI_EL3_ALL,  Opcode::CMD_TLBI_EL3_VA, Opcode::CMD_TLBI_EL2_ALL,
                             Opcode::CMD_TLBI_EL2_ASID, Opcode::CMD_TLBI_EL2_VA, Opcode::CMD_TLBI_EL2_VAA,
                             Opcode::CMD_ATC_INV,       Opcode::CMD_PRI_RESP,    Opcode::CMD_RESUME,
                             Opcode::CMD_STALL_TERM};

Opcode random_opcode(Random& random, bool strange) {
  if (strange && random.percent(3)) return static_cast<Opcode>(random.below(256));
  if (strange && random.percent(1)) return absent[random.below(std::size(absent))];
  unsigned total = 0;
  for (const Weight& row : known) total += row.weight;
  auto draw = static_cast<unsigned>(random.below(total));
  const Weight* row = known;
  while (draw >= row->weight) draw -= (row++)->weight;
  return row->opcode;
}

void fill_tlbi(Script& script, Command& command, bool strange) {
  Random& random = script.random;
  const Stream& stream = script.any_stream();
  command.set<Command::VMID>(random.percent(70) ? stream.vmid : static_cast<std::uint16_t>(random.next()));
  command.set<Command::ASID>(random.percent(70) ? stream.asid : static_cast<std::uint16_t>(random.next()));
  const Opcode opcode = command.get<Command::OP>();
  const bool by_address = opcode == Opcode::CMD_TLBI_NH_VA || opcode == Opcode::CMD_TLBI_NH_VAA;
  if (!by_address && opcode != Opcode::CMD_TLBI_S2_IPA) return;
  const Page& page = script.any_page();
  const std::uint64_t address = opcode == Opcode::CMD_TLBI_S2_IPA ? page.ipa : page.input & low_mask(48);
  command.set<Command::Address>((random.percent(70) ? address : random.next() >> random.below(48)) &
                                ~std::uint64_t{0xfff});
  command.set<Command::Leaf>(random.percent(50)).set<Command::TTL>(random.between(0, 3));
  if (random.percent(50)) return;
  command.set<Command::TG>(static_cast<spec::TlbiTg>(random.between(1, 3)));
  command.set<Command::NUM>(random.percent(50) ? 0 : random.between(0, 31));
  command.set<Command::SCALE>(random.percent(50) ? 0 : random.between(0, 31));
  const bool empty = command.get<Command::NUM>() == 0 && command.get<Command::SCALE>() == 0;
  // Without extent it is illegal; QEMU takes it (row "empty-range").
  if (empty && !(strange && random.percent(5))) command.set<Command::NUM>(random.between(1, 31));
}

}  // namespace

Command random_command(Script& script, bool strange) {
  Random& random = script.random;
  const Stream& stream = script.any_stream();
  Command command;
  const Opcode opcode = random_opcode(random, strange);
  command.set<Command::OP>(opcode);
  const bool stage1 = script.scenario.image.stages != Stages::stage2;
  if (opcode == Opcode::CMD_SYNC) {
    command.set<Command::CS>(static_cast<spec::SyncSignal>(random.below(3)));
    command.dw[0] |= random.next() & ~low_mask(16);  // MSI fields, without IDR0.MSI
    command.dw[1] = random.next();
    if (strange && random.permille(5)) command.set<Command::CS>(spec::SyncSignal::reserved);
    return command;
  }
  if (opcode >= Opcode::CMD_TLBI_NH_ALL && opcode <= Opcode::CMD_TLBI_NSNH_ALL) {
    fill_tlbi(script, command, strange);
    return command;
  }
  const bool own = random.percent(70) || (!stage1 && !random.percent(5));
  command.set<Command::StreamID>(own ? stream.device.sid
                                     : static_cast<std::uint32_t>(random.next() >> random.below(64)));
  command.set<Command::SubstreamID>(random.percent(70) ? 0 : static_cast<std::uint32_t>(random.below(1u << 20)));
  command.dw[1] = random.next() & (random.percent(50) ? 0x1f : ~std::uint64_t{0});
  const bool prefetch = opcode == Opcode::CMD_PREFETCH_CONFIG || opcode == Opcode::CMD_PREFETCH_ADDR;
  if (strange && random.permille(prefetch ? 5 : 30)) command.set<Command::SSec>(true);
  return command;
}

Script::Script(Random& the_random, Kind kind, Stages stages) : random(the_random) {
  scenario.kind = kind;
  world = make_world(random, scenario, stages);
}

Step& Script::add(Do what) {
  scenario.steps.emplace_back();
  scenario.steps.back().what = what;
  return scenario.steps.back();
}

void Script::write(std::uint32_t offset, std::uint64_t value, unsigned bytes) {
  Step& step = add(Do::write);
  step.offset = offset;
  step.value = value;
  step.bytes = bytes;
}

void Script::submit(std::vector<Command> commands) {
  add(Do::submit).commands = std::move(commands);
}

void Script::recover() {
  if (random.percent(20)) add(Do::acknowledge);  // without a repair the same command is refused again
  if (random.percent(20)) submit({sync()});      // nothing is consumed
  if (random.percent(15)) {
    write(reg::CR0, eventqen | smmuen);
    write(reg::CR0, cmdqen | eventqen | smmuen);
  }
  if (random.percent(75)) {
    add(Do::repair).commands = {sync()};
  } else {
    add(Do::withdraw);
  }
  add(Do::acknowledge);
}

Access Script::access(const Stream& stream, const Page& page) {
  Access one{stream.device.sid, !stream.device.reads, page.input, 4};
  if (world.tbi) one.address = (one.address & low_mask(56)) | random.below(256) << 56;
  return one;
}

void script_commands(Script& script) {
  Random& random = script.random;
  const std::uint64_t base = scenario_command_queue | script.scenario.cmdq_log2;
  const std::uint32_t entries = 1u << script.scenario.cmdq_log2;
  const unsigned rounds = random.between(2, 4);
  script.write(reg::IRQ_CTRL, random.next() & 5);
  for (unsigned round = 0; round < rounds; ++round) {
    const bool off = random.percent(25);
    if (off) script.write(reg::CR0, eventqen | smmuen);
    if (off && random.percent(40)) {
      const std::uint64_t index = random.next() & (2 * entries - 1);
      script.write(reg::CMDQ_CONS, index);
      script.write(reg::CMDQ_PROD, index);
    }
    const bool abort = off && random.percent(15);
    if (abort) script.write(reg::CMDQ_BASE, nowhere | script.scenario.cmdq_log2, 8);
    std::vector<Command> batch;
    for (unsigned n = random.between(1, entries > 12 ? 12 : entries); n > 0; --n) {
      batch.push_back(random_command(script, true));
    }
    script.submit(std::move(batch));
    if (off) script.write(reg::CR0, cmdqen | eventqen | smmuen);
    if (abort) {
      script.add(Do::acknowledge);  // the fetch aborts again
      script.write(reg::CR0, eventqen | smmuen);
      script.write(reg::CMDQ_BASE, base, 8);
      script.write(reg::CR0, cmdqen | eventqen | smmuen);
      script.add(Do::acknowledge);
    }
    if (random.percent(50)) script.add(Do::access).access = script.access(script.any_stream(), script.any_page());
    for (unsigned n = random.between(1, 2); n > 0; --n) script.recover();
    script.add(Do::access).access = script.access(script.any_stream(), script.any_page());
  }
}

Scenario make_scenario(Kind kind, std::uint64_t seed, std::uint64_t index, Stages stages) {
  Random of_seed(seed ^ 0x5ce7a210);
  Random of_case(of_seed.next() ^ (index * 0xd6e8feb86659fd93));
  Random random(of_case.next());
  Script script(random, kind, stages);
  if (kind == Kind::commands) script_commands(script);
  if (kind == Kind::invalidation) script_invalidation(script);
  if (kind == Kind::queues) script_queues(script);
  return std::move(script.scenario);
}

}  // namespace smmusim::peer
