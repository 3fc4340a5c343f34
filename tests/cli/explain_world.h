// SPDX-License-Identifier: MIT
// World: a dump of a system that was never there: one nested stream, built so that a test breaks one thing of it. Every
// IPA lies world_offset below its PA, so that a test can see which of the two was told. For the tests of explain only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/spec/cd.h"
#include "model/spec/features.h"
#include "model/spec/ste.h"
#include "platform/explain/explain.h"
#include "platform/explain/image_memory.h"

namespace smmusim::test {

class World {
 public:
  static constexpr std::uint64_t offset = 0x1'0000'0000;  ///< PA - IPA
  static constexpr std::uint32_t sid = 8;
  static constexpr std::uint64_t stream_table = 0x4000'0000;  ///< PA, linear, 2^8 entries
  static constexpr std::uint64_t contexts = 0x5000'0000;      ///< IPA
  static constexpr std::uint64_t stage1_root = 0x5001'0000;   ///< IPA; tables of level 2 and 3 are the next pages
  static constexpr std::uint64_t stage2_root = 0x7000'0000;   ///< PA
  static constexpr std::uint64_t va = 0x1234'5678;
  static constexpr std::uint64_t page = 0x6000'0000;  ///< IPA of va's page

  World();

  /// Structures as write() puts them into memory; change them before that.
  spec::Ste ste;
  spec::Cd cd;
  spec::Features features;
  std::map<std::string, std::uint64_t> registers;  ///< without ID registers
  bool strict = false;

  void put(std::uint64_t pa, std::uint64_t word) { words_[pa] = word; }
  std::uint64_t get(std::uint64_t pa) const { return words_.at(pa); }
  void forget(std::uint64_t pa) { words_.erase(pa); }
  /// STE and CD into memory.
  void write();
  /// PA of the descriptors on the way to va, and of stage 2 on the way to an IPA; levels 1 to 3.
  std::uint64_t stage1_descriptor(int level) const;
  std::uint64_t stage2_descriptor(std::uint64_t ipa, int level) const;
  /// One page of stage 2, all permissions.
  void map_stage2(std::uint64_t ipa);
  /// Stage 1 only: what were IPAs are PAs then.
  void without_stage2();

  static Transaction access();
  explain::Story tell(const Transaction& transaction = access());
  /// As files: lines for --registers, records for --image.
  std::string registers_text() const;
  std::string pages_text() const;

 private:
  std::map<std::uint64_t, std::uint64_t> words_;  // by PA
  std::uint64_t stage2_next_ = stage2_root + 0x1000;
};

}  // namespace smmusim::test
