// SPDX-License-Identifier: MIT
// Story: one translation as it was told: what was fetched, what each step decided, the answer and the event. Plain
// values without a layout: story_text.cc and story_json.cc write it down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/smmu/transaction.h"
#include "model/spec/decode.h"
#include "model/spec/event.h"

namespace smmusim::explain {

/// What a step decided.
struct Decision {
  std::string_view key;      ///< stable name, as in JSON: that of the Step
  std::string text;          ///< one sentence without a full stop
  std::string_view section;  ///< of IHI 0070 unless it says otherwise
};

/// A structure that was fetched.
struct Fetch {
  std::string structure;                   ///< "L1STD", "STE", "L1CD", "CD", "VMS", "descriptor"
  std::string_view section;                ///< that defines it
  std::string place;                       ///< how its address comes about
  std::uint64_t address = 0;               ///< PA
  std::optional<std::uint64_t> ipa;        ///< if stage 2 has translated it
  bool aborted = false;                    ///< then there are no words
  std::vector<std::uint64_t> words;        ///< 64 bits each, as stored, little-endian
  bool big_endian = false;                 ///< a descriptor that the SMMU reads so
  std::vector<spec::DecodedField> fields;  ///< those that matter
  std::vector<unsigned> reserved_bits_set;
  unsigned stage = 0;  ///< of a descriptor
  int level = 0;
};

/// A fetch with what it led to, or a decision that needed none.
struct StoryStep {
  std::string number;  ///< "3", and below it "3.1"
  unsigned depth = 0;  ///< 1: stage 2 of an address that the SMMU itself reads
  std::optional<Fetch> fetch;
  std::vector<Decision> decisions;
};

struct EventStory {
  spec::Event event{};
  bool recorded = false;  ///< the configuration lets it be recorded
};

struct Story {
  Transaction transaction{};
  std::vector<std::string> notes;  ///< what the reader must know beforehand
  std::vector<StoryStep> steps;
  Response response{};
  std::optional<EventStory> event;
  std::string verdict;  ///< what happened and why, one sentence
};

/// "proceed", "abort", "raz_wi", "stall".
std::string_view name_of(Outcome outcome);

/// For people; `colour`: with the escape sequences of a terminal.
std::string to_text(const Story& story, bool colour);
/// A JSON document. Its keys stay: request{sid, ssid, address, size, access, instruction, privileged}, notes[],
/// steps[{number, depth, structure, section, address, ipa, place, aborted, words[], fields[{name, bits, value,
/// meaning}], reserved_bits_set[], stage, level, decisions[{step, text, section}]}] (from structure to level only in a
/// fetch), outcome, pa, page_bytes, read_allowed, write_allowed, attributes{type, shareability, meaning} or null,
/// event{name, recorded, words[], fields[]} or null, verdict. Addresses, words and values are hexadecimal strings.
std::string to_json(const Story& story);

/// "Normal iWB-oWB", "Device-nGnRE" ... of a MAIR byte (Arm ARM D8.5.. and table of MAIR_ELx), and the shareability.
std::string describe(const MemoryAttributes& attributes);
/// "4 KiB", "2 MiB" ...
std::string bytes_text(std::uint64_t bytes);

}  // namespace smmusim::explain
