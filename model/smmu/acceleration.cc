// SPDX-License-Identifier: MIT
// Which commands and registers concern an Accelerator, and what a stream's STE tells it. STEs are read by the text that
// translation uses (config_fetch.cc), through the port that answers at once: it is software that does it.
#include "model/smmu/acceleration.h"

#include "model/smmu/accelerator.h"
#include "model/smmu/core.h"
#include "model/smmu/translate.h"
#include "model/spec/ste.h"

namespace smmusim {
namespace {

using spec::Command;
using spec::CommandError;
using spec::Opcode;
using spec::Ste;

StreamSetting setting_of(Core& core, StreamId stream) {
  Transaction transaction;
  transaction.stream_id = stream;
  Response response;
  TranslationOp op(core, Consultation(transaction, response, false), debug_effects, core.debug_memory, false);
  Ste ste;
  Task<> fetch = fetch_ste(core, op, ste);
  SMMUSIM_CHECK(fetch.run_to_completion());
  StreamSetting setting;
  if (op.failed()) {
    setting.conduct = StreamConduct::fault;
    setting.event = op.fault.type;
    setting.fetch_address = op.fault.fetch_address & low_mask(core.config.features.oas);
  } else if (const auto config = ste.get<Ste::Config>(); !spec::aborts(config)) {
    setting.conduct = spec::has_stage1(config) ? StreamConduct::stage1 : StreamConduct::bypass;
    if (setting.conduct == StreamConduct::stage1) setting.ste = {ste.dw[0], ste.dw[1]};
  }
  return setting;
}

/// False if one of them could not be set.
bool configure(Core& core, std::uint32_t first, std::uint32_t last, bool by_command) {
  bool all = true;
  for (const StreamId stream : core.accelerator->streams()) {
    if (stream.value < first || stream.value > last) continue;
    all = core.accelerator->configure(stream, setting_of(core, stream), by_command) && all;
  }
  return all;
}

bool invalidates_stes(Opcode opcode) {
  return opcode == Opcode::CMD_CFGI_STE || opcode == Opcode::CMD_CFGI_STE_RANGE;
}

bool is_forwarded(Opcode opcode) {
  return opcode == Opcode::CMD_CFGI_CD || opcode == Opcode::CMD_CFGI_CD_ALL || opcode == Opcode::CMD_ATC_INV ||
         (opcode >= Opcode::CMD_TLBI_NH_ALL && opcode <= Opcode::CMD_TLBI_NSNH_ALL);
}

}  // namespace

CommandError accelerate_command(Core& core, const Command& command) {
  if (core.accelerator == nullptr) return CommandError::CERROR_NONE;
  const Opcode opcode = command.get<Command::OP>();
  if (invalidates_stes(opcode)) {
    if (!core.regs.smmuen()) return CommandError::CERROR_NONE;  // GBPA rules; STEs count from SMMUEN on
    const ConfigInvalidation what = config_invalidation(command);
    const bool done = configure(core, what.first, what.last, true);
    return done ? CommandError::CERROR_NONE : CommandError::CERROR_ILL;
  }
  if (opcode == Opcode::CMD_SYNC) return core.accelerator->synchronise();
  return is_forwarded(opcode) ? core.accelerator->forward(command) : CommandError::CERROR_NONE;
}

void accelerate_registers(Core& core) {
  if (core.accelerator == nullptr) return;
  if (core.regs.smmuen()) {
    configure(core, 0, ~std::uint32_t{0}, false);
  } else {
    core.accelerator->disable(as<spec::GBPA>(core.regs.gbpa).get<spec::GBPA::ABORT>());
  }
}

bool accelerator_settled(const Core& core) {
  return core.accelerator == nullptr || core.accelerator->settled();
}

}  // namespace smmusim
