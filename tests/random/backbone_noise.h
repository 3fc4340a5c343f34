// SPDX-License-Identifier: MIT
// NoisePort: memory that answers every read with random bits, for the hostile leg of the backbone. It keeps nothing
// that is written and compares nothing.
#pragma once

#include <array>
#include <cstdint>
#include <set>

#include "tests/random/backbone_machine.h"

namespace smmusim {

/// Memory of random words, the same at the same address until renew(). Structures get, by a percentage that the seed
/// chooses, the bits that let a walk go on; otherwise hardly any would. For some seeds all pointers lie within 64 KiB,
/// so that tables loop and structures overlap.
class NoisePort final : public MemoryPort {
 public:
  NoisePort(Engine& engine, std::uint64_t seed, bool timed, unsigned oas);

  bool start(MemoryRequest& request) override;
  void abandon(const Scope& scope) override { engine_.cancel(scope); }

  /// Other bits everywhere from now on.
  void renew(std::uint64_t seed) { seed_ = seed; }
  /// From now on reads of commands at this address give CMD_SYNC.
  void replace_command(std::uint64_t address) { replaced_.insert(address); }
  void calm() { aborts_ = 0; }

  std::uint64_t accesses = 0;
  std::uint64_t structures = 0;   ///< reads of L1STD, STE, L1CD, CD
  std::uint64_t descriptors = 0;  ///< reads of translation tables
  std::uint64_t last_command = 0;

 private:
  using Words = std::array<std::uint64_t, 8>;
  void fill(MemoryRequest& request);
  void make_sensible(const MemoryRequest& request, Words& words, TestRandom& noise) const;
  void make_sensible_ste(Words& words, TestRandom& noise) const;
  static void make_sensible_cd(Words& words, TestRandom& noise, std::uint64_t pointer);

  Engine& engine_;
  TestRandom random_;
  std::uint64_t seed_;
  bool timed_;
  unsigned oas_;
  unsigned sense_ = 0;
  unsigned aborts_ = 0;
  std::uint64_t pointer_ = 0;  // bits that a sensible pointer may have
  std::set<std::uint64_t> replaced_;
};

}  // namespace smmusim
