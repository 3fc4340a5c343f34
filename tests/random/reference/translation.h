// SPDX-License-Identifier: MIT
// One translation in the reference walker, from the access to its outcome, with the faults as an internal exception so
// that every step reads as the specification's text. Private to this folder: use refwalk.h.
#ifndef TESTS_RANDOM_REFERENCE_TRANSLATION_H_
#define TESTS_RANDOM_REFERENCE_TRANSLATION_H_

#include <cstdint>
#include <map>
#include <vector>

#include "tests/random/reference/ats.h"
#include "tests/random/reference/refwalk.h"
#include "tests/random/reference/structures.h"
#include "tests/random/reference/tables.h"

namespace refwalk {

/// AF of a descriptor of either stage.
inline constexpr uint64_t kAccessFlag = uint64_t{1} << 10;

/// Thrown by a step that ends the translation.
struct Stop {
  Outcome outcome;
  Event event;
  unsigned number;  // of the event, recorded or not; 0: none would be
};

/// What the tables grant to the access's privilege level.
struct Grant {
  bool read, write, execute;
};

class Translation {
 public:
  Translation(const Registers& registers, const Memory& memory, const Access& access);
  Translation(const Registers& registers, const Memory& memory, const TranslationRequest& request);
  Result run();
  Completion complete();

 private:
  struct Stage1 {
    uint64_t address;
    unsigned size_log2;
    uint8_t mair_attr;
    uint8_t sh;
  };
  struct Stage2 {
    uint64_t address;
    unsigned size_log2;
    unsigned mem_attr;  // descriptor bits [5:2]
    unsigned sh;
  };
  /// A descriptor as it was read.
  struct Word {
    Fetch fetch;
    bool big_endian;
    unsigned run;
    uint64_t descriptor;
  };
  /// Why stage 2 is asked; `for_update`: whether the stage-1 descriptor at `ipa` may be written.
  struct Visit {
    uint64_t ipa;
    FaultClass fault_class;
    bool for_update;
  };

  // refwalk.cc
  Result translate_enabled();
  Result bypass(uint64_t limit_bits);
  Structure fetch_ste();
  uint64_t ste_address();
  void apply_overrides();
  bool stage1_bypassed_by_substream_rules();
  uint64_t cd_address(unsigned index);
  Cd fetch_cd();
  uint64_t cd_memory_address(uint64_t address);
  Structure read_structure(const Fetch& fetch, EventNumber on_abort);
  bool read_word(const Fetch& fetch, bool big_endian, uint64_t* value);

  MemoryAttributes input_attributes() const;
  MemoryAttributes output_attributes(const Stage1* first, const Stage2* second) const;

  // stage1.cc
  Stage1 stage1(const Cd& cd);
  unsigned select_half(const Cd& cd);
  Word stage1_descriptor(const TableFormat& format, int level, uint64_t address);
  bool update_stage1(const Word& word, uint64_t address, uint64_t after);
  Grant stage1_grant(const Cd& cd, const CdHalf& half, uint64_t leaf, uint64_t table_bits) const;

  // stage2.cc
  Stage2 stage2(uint64_t ipa, FaultClass fault_class, bool for_update = false);
  Grant stage2_grant(uint64_t leaf) const;
  void check_stage2_permission(uint64_t leaf, bool clean, const Visit& visit);

  // ats.cc
  Completion complete_enabled();
  void refuse_ats();
  Completion completion_of(const Grant& grant) const;
  bool allows(Grant grant, bool clean);

  // update.cc
  bool read_memory(uint64_t pa, unsigned char* bytes, unsigned count) const;
  bool update(const Word& word, uint64_t after, bool stage2_walk);
  bool writes() const;
  bool makes_dirty(const Visit& visit) const;

  // faults.cc
  uint64_t event_head(EventNumber number) const;
  Event event_with_access(EventNumber number) const;
  [[noreturn]] void stop_silently() const;
  [[noreturn]] void stop_with(EventNumber number) const;
  [[noreturn]] void stop_on_fetch(EventNumber number, uint64_t pa) const;
  [[noreturn]] void walk_abort(bool stage2, FaultClass fault_class, uint64_t pa) const;
  [[noreturn]] void stage1_fault(EventNumber number) const;
  [[noreturn]] void bypass_size_fault() const;
  [[noreturn]] void stage2_fault(EventNumber number, const Visit& visit) const;

  const Registers& registers_;
  const Memory& memory_;
  const Access access_;
  const Features features_;
  const bool is_request_;
  const TranslationRequest request_;
  Grant granted_{true, true, true};  // to a request, by the stages so far
  std::vector<Fetch> fetched_;
  std::vector<Update> updates_;
  std::map<uint64_t, uint64_t> written_;  // words that updates_ changed
  Ste ste_{};
  StreamWorld world_ = StreamWorld::EL1;
  // The access after the STE's overrides.
  bool privileged_ = false;
  bool instruction_ = false;
  // CD.A, CD.R, CD.S, known once a legal CD was fetched.
  bool cd_a_ = false, cd_r_ = false, cd_s_ = false;
};

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_TRANSLATION_H_
