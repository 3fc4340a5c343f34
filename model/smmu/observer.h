// SPDX-License-Identifier: MIT
// Observer: watches the model without changing it. explain, timelines and golden traces are observers; the model
// itself never prints. All calls come in simulated order, on the thread that runs the model.
#pragma once

#include <string_view>

#include "model/sim/memory_port.h"
#include "model/smmu/transaction.h"
#include "model/spec/command.h"
#include "model/spec/event.h"

namespace smmusim {

enum class CacheId : std::uint8_t { stream_cache, micro_tlb, config_cache, tlb, walk_cache, ipa_cache };

/// What the translation text has just decided, in its order. a and b are what each line names; 0 if nothing.
enum class Step : std::uint8_t {
  disabled,              ///< SMMUEN is 0; a: GBPA.ABORT
  unsupported,           ///< F_UUT
  stream_table,          ///< a: effective LOG2SIZE, b: SPLIT if two-level, else 0
  stream_out_of_range,   ///< a: effective LOG2SIZE
  stream_not_spanned,    ///< by its L1STD; a: Span, b: index within the second level
  ste_decoded,           ///< a: Config, b: StreamWorld
  access,                ///< after PRIVCFG and INSTCFG; a: 1 if privileged, b: 1 if an instruction fetch
  substream_none,        ///< no substreams, or S1DSS=10: CD 0
  substream_used,        ///< a: index of the CD
  substream_bypass,      ///< S1DSS=01: stage 1 is bypassed
  substream_refused,     ///< a: event number
  cd_not_reachable,      ///< L1CD invalid or its L2Ptr too large; a: L2Ptr, b: V
  cd_decoded,            ///< a: ASID, b: StreamWorld
  bypassed,              ///< no stage translates; a: width that the input was checked against
  input_too_large,       ///< F_ADDR_SIZE of a bypassed stage 1; a: address
  stage1_range,          ///< a: canonical address, b: TTB half << 8 | TxSZ
  stage1_out_of_range,   ///< a: canonical address, b: as stage1_range
  stage1_e0pd,           ///< E0PDx keeps unprivileged accesses out
  stage1_walk_disabled,  ///< EPDx
  stage2_begins,         ///< a: IPA, b: EventClass
  stage2_out_of_range,   ///< a: IPA, b: S2T0SZ
  stage2_ends,           ///< a: PA, b: EventClass
  table,                 ///< a descriptor leads to the next table; a: its base, b: stage << 8 | level + 1 of that table
  leaf,                  ///< a: output page, b: stage << 16 | level << 8 | log2 of the bytes covered (level + 1)
  marked,                ///< a descriptor got AF or dirty state; a: its address, b: stage << 8 | level + 1
  mark_failed,           ///< it had changed in between, and is looked at again; a and b as of marked
  walk_fault,            ///< a descriptor ends the walk; a: event number, b: stage << 8 | level + 1
  external_abort,        ///< of one of the SMMU's own reads; a: address, b: Purpose
  stage2_refuses_walk,   ///< an own read at stage 2; a: IPA, b: EventClass << 8 | 1 for S2AP, 2 for S2PTW
  permitted,             ///< a: what is granted (permission::…), b: output address
  denied,                ///< a: what is granted by the stage that refuses, b: 1 or 2, that stage
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step(Step, std::uint64_t /*a*/, std::uint64_t /*b*/) {}
  /// An STE or CD is ILLEGAL: the sentence of the row, with its section, and its name in the conformance list.
  virtual void illegal(std::string_view /*sentence*/, std::string_view /*rule*/) {}
  /// A translation failed with this event; `recorded` is false where the configuration suppresses it (R, S2R,
  /// RECINVSID). Debug accesses record nothing, but come here.
  virtual void fault(const spec::Event&, bool /*recorded*/) {}
  /// One of the SMMU's own accesses has completed; data and status are set.
  virtual void access(const MemoryRequest&) {}
  virtual void lookup(CacheId, bool /*hit*/) {}
  virtual void fill(CacheId) {}
  /// `written` is false if the record was discarded (queue full, disabled or in error).
  virtual void event(const spec::Event&, bool /*written*/) {}
  /// A command was consumed (error 0) or stopped the queue.
  virtual void command(const spec::Command&, spec::CommandError) {}
  virtual void response(const Transaction&, const Response&) {}
};

}  // namespace smmusim
