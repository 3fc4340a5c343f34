// SPDX-License-Identifier: MIT
// Accesses that arrive, are answered and retire at random times on the engine, and commands between them. It judges no
// answer.
#include "tests/random/backbone_traffic.h"

#include <algorithm>
#include <iterator>

namespace smmusim {

using spec::Command;
using spec::Opcode;

void Traffic::add(const Question& question, Time span) {
  Client& client = clients_.emplace_back();
  client.traffic = this;
  client.question = question;
  client.arrival.client = &client;
  client.arrival.fire = &Traffic::arrive;
  client.retirement.client = &client;
  client.retirement.fire = &Traffic::retire;
  client.request.client = &client;
  client.request.fire = &Traffic::answer;
  client.request.transaction = transaction_of(question);
  machine_.engine.schedule_in(random_.below(span), client.arrival);
}

void Traffic::arrive(EventNode& node) {
  Client& client = *static_cast<Node&>(node).client;
  CaseMachine& machine = client.traffic->machine_;
  if (machine.smmu.submit(machine.tbu_of(client.question.access), client.request)) answer(client.request);
}

void Traffic::answer(EventNode& node) {
  Client& client = *static_cast<Request&>(node).client;
  client.answered = true;
  Traffic& traffic = *client.traffic;
  traffic.machine_.engine.schedule_in(traffic.random_.below(100'000), client.retirement);
}

void Traffic::retire(EventNode& node) {
  Client& client = *static_cast<Node&>(node).client;
  client.traffic->machine_.smmu.retire(client.request);
}

namespace {

/// What the machine's features permit; TLB commands after those without an address.
std::vector<Opcode> legal_commands(const spec::Features& features) {
  std::vector<Opcode> opcodes{Opcode::CMD_SYNC,           Opcode::CMD_SYNC,     Opcode::CMD_SYNC,
                              Opcode::CMD_TLBI_NSNH_ALL,  Opcode::CMD_CFGI_STE, Opcode::CMD_CFGI_STE_RANGE,
                              Opcode::CMD_PREFETCH_CONFIG};
  const auto add = [&opcodes](std::initializer_list<Opcode> more) { opcodes.insert(opcodes.end(), more); };
  if (features.s1p) {
    add({Opcode::CMD_TLBI_NH_ALL, Opcode::CMD_TLBI_NH_ASID, Opcode::CMD_TLBI_NH_VA, Opcode::CMD_TLBI_NH_VAA,
         Opcode::CMD_CFGI_CD, Opcode::CMD_CFGI_CD_ALL});
  }
  if (features.s2p) add({Opcode::CMD_TLBI_S12_VMALL, Opcode::CMD_TLBI_S2_IPA});
  if (features.hyp) {
    add({Opcode::CMD_TLBI_EL2_ALL, Opcode::CMD_TLBI_EL2_ASID, Opcode::CMD_TLBI_EL2_VA, Opcode::CMD_TLBI_EL2_VAA});
  }
  return opcodes;
}

}  // namespace

Command Traffic::harmless_command() {
  const std::vector<Opcode> opcodes = legal_commands(machine_.config.features);
  const Opcode opcode = opcodes[random_.below(opcodes.size())];
  Command command = command_of(opcode);
  if (opcode == Opcode::CMD_SYNC) return command;
  // Aimed at what an access of this traffic uses, mostly.
  const Question& aim = clients_[random_.below(clients_.size())].question;
  const refwalk::Access& target = aim.access;
  // A request may end at its STE, while this would set AF where stage 2 maps the CD.
  if (aim.request && opcode == Opcode::CMD_PREFETCH_CONFIG) return command_of(Opcode::CMD_SYNC);
  if (opcode < Opcode::CMD_TLBI_NH_ALL) {
    command.set<Command::StreamID>(target.sid).set<Command::SSV>(target.ssv);
    command.set<Command::SubstreamID>(target.ssv ? target.ssid : 0);
    if (opcode == Opcode::CMD_CFGI_STE_RANGE) command.set<Command::Range>(static_cast<unsigned>(random_.below(32)));
    if (opcode != Opcode::CMD_PREFETCH_CONFIG) command.set<Command::Leaf>(random_.percent(50));
    return command;
  }
  command.set<Command::VMID>(static_cast<std::uint16_t>(random_.below(256)));
  if (opcode != Opcode::CMD_TLBI_S2_IPA) command.set<Command::ASID>(static_cast<std::uint16_t>(random_.below(256)));
  constexpr Opcode addressed[] = {Opcode::CMD_TLBI_NH_VA, Opcode::CMD_TLBI_NH_VAA, Opcode::CMD_TLBI_EL2_VA,
                                  Opcode::CMD_TLBI_EL2_VAA, Opcode::CMD_TLBI_S2_IPA};
  if (std::find(std::begin(addressed), std::end(addressed), opcode) != std::end(addressed)) {
    command.set<Command::Address>(target.address).set<Command::Leaf>(random_.percent(50));
  }
  return command;
}

void Traffic::add_harmless_commands(Time span) {
  Issue& issue = issues_.emplace_back();
  issue.traffic = this;
  issue.fire = &Traffic::issue;
  const std::uint64_t count = 1 + random_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) issue.commands.push_back(harmless_command());
  machine_.engine.schedule_in(random_.below(span), issue);
}

void Traffic::issue(EventNode& node) {
  auto& self = static_cast<Issue&>(node);
  CaseMachine& machine = self.traffic->machine_;
  for (const Command& command : self.commands) {
    if (!machine.push(command)) break;  // a full queue: what is there is enough
  }
  machine.ring();
}

bool Traffic::all_answered() const {
  for (const Client& client : clients_) {
    if (!client.answered) return false;
  }
  return true;
}

}  // namespace smmusim
