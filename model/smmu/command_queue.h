// SPDX-License-Identifier: MIT
// The Command queue (IHI 0070 chapter 4, sections 3.5, 6.3.26 to 6.3.28 and 7.1): fetches commands in order, carries
// them out, moves CONS. An error leaves CONS at the offender, its code in CMDQ_CONS.ERR, and stops until software
// acknowledges GERROR.CMDQ_ERR.
#pragma once

#include "model/sim/resources.h"
#include "model/sim/task.h"
#include "model/spec/command.h"

namespace smmusim {

struct Core;
struct ConfigInvalidation;

class CommandQueue {
 public:
  explicit CommandQueue(Core& core);

  /// Looks at the queue again: PROD moved, CMDQEN or GERRORN changed.
  void kick();
  bool busy() const { return running_; }
  /// Something a CMD_SYNC may wait for has completed.
  void progress() { completion_.open(); }
  void reset();
  Scope& scope();

 private:
  Task<> run();
  Task<spec::CommandError> consume(spec::Command& command);
  /// Waits for everything that the present CMD_SYNC covers (section 4.7); CERROR_ATC_INV_SYNC if some of it failed.
  Task<spec::CommandError> complete_earlier_commands();
  bool may_consume() const;
  void advance();
  void fail(spec::CommandError error);

  Core& core_;
  Gate completion_;
  bool running_ = false;
};

/// CERROR_ILL or not (section 4.1 and the commands' own), before anything is done.
bool illegal_command(const Core& core, const spec::Command& command);

/// Which configurations a legal CMD_CFGI_* is about.
ConfigInvalidation config_invalidation(const spec::Command& command);

/// Carries out any command but CMD_SYNC, the prefetches, CMD_ATC_INV and CMD_PRI_RESP; it is legal.
void execute_command(Core& core, const spec::Command& command);

}  // namespace smmusim
