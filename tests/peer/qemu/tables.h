// SPDX-License-Identifier: MIT
// Translation tables of a case: where they stand, how they are filled (DDI 0487
// D8.2, D8.3). Tables of stage 1 of a nested case stand in guest memory, which
// a stage-2 tree maps as it is handed out. Nothing here judges a structure.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/random.h"

namespace smmusim::peer {

/// The geometry of one tree.
struct Format {
  unsigned stage = 1;
  unsigned granule = 12;     ///< log2 of its bytes: 12, 14 or 16
  unsigned input_bits = 39;  ///< 64 - TxSZ
  int start_level = 1;
  unsigned output_limit = 44;  ///< bits that tables and leaves may use

  unsigned stride() const { return granule - 3; }
  unsigned shift(int level) const { return granule + static_cast<unsigned>(3 - level) * stride(); }
  bool leaf_at(int level) const { return level == 3 || level == 2 || (level == 1 && granule == 12); }
  std::uint64_t index(int level, std::uint64_t input) const;
};
/// The start level of stage 1.
int stage1_start_level(unsigned granule, unsigned input_bits);

enum class MarkKind : std::uint8_t { l1std, ste, cd, table, leaf };
/// A word of the image that the access is likely to use.
struct Mark {
  MarkKind kind;
  unsigned stage;  ///< of table and leaf
  std::uint64_t address;
};

/// What the makers share.
struct Workshop {
  Random& random;
  Case& one;
  std::vector<Mark> marks{};
};

/// Memory that tables can stand in.
class Space {
 public:
  virtual ~Space() = default;
  /// A free block of 2^size_log2 bytes, aligned, below 2^limit.
  virtual std::uint64_t allocate(unsigned size_log2, unsigned limit) = 0;
  /// The physical address of an address that was handed out.
  virtual std::uint64_t physical(std::uint64_t address) const = 0;
};

class PhysicalSpace final : public Space {
 public:
  explicit PhysicalSpace(Workshop& shop) : shop_(shop) {}
  std::uint64_t allocate(unsigned size_log2, unsigned limit) override;
  std::uint64_t physical(std::uint64_t address) const override { return address; }

 private:
  bool claim(std::uint64_t base, std::uint64_t bytes);
  Workshop& shop_;
  std::map<std::uint64_t, std::uint64_t> taken_;  // base to end
};

class Tree {
 public:
  Tree(Workshop& shop, Space& space, const Format& format);
  std::uint64_t root() const { return root_; }
  const Format& format() const { return format_; }
  /// Puts `descriptor` at `level` on the path of `input`, making tables. False:
  /// something is in the way.
  bool put(std::uint64_t input, int level, std::uint64_t descriptor);

 private:
  std::uint64_t table_attributes();
  Workshop& shop_;
  Space& space_;
  Format format_;
  std::uint64_t root_;
};

class GuestSpace final : public Space {
 public:
  GuestSpace(Workshop& shop, PhysicalSpace& physical, Tree& stage2) : shop_(shop), physical_(physical), tree_(stage2) {}
  std::uint64_t allocate(unsigned size_log2, unsigned limit) override;
  std::uint64_t physical(std::uint64_t address) const override;
  /// Maps an address below 2^limit to the physical address `target`, with a
  /// leaf of any size, and returns it.
  std::uint64_t map(std::uint64_t target, unsigned limit);

 private:
  bool map_pages(std::uint64_t ipa, unsigned size_log2);
  Workshop& shop_;
  PhysicalSpace& physical_;
  Tree& tree_;
  std::map<std::uint64_t, std::uint64_t> pages_;  // page of the stage-2 granule to its physical address
};

/// A descriptor without its address: attributes that mostly permit.
std::uint64_t leaf_bits(Random& random, unsigned stage, int level);
/// A level at which a leaf may stand, the page level most often.
int leaf_level(Random& random, const Format& format);

}  // namespace smmusim::peer
