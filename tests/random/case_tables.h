// SPDX-License-Identifier: MIT
// Building blocks of the case generator: random numbers, address spaces that hand out memory (physical, or guest
// memory behind stage 2), and translation-table trees filled with random leaves (DDI 0487 D8.2, D8.3).
// Private to tests/random; use case_generator.h.
#ifndef TESTS_RANDOM_CASE_TABLES_H_
#define TESTS_RANDOM_CASE_TABLES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/random/case_generator.h"
#include "tests/random/reference/tables.h"

namespace refwalk {

/// splitmix64: small, good enough, the same everywhere.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// Uniform in [0, count); `count` must not be 0.
  uint64_t below(uint64_t count) { return next() % count; }
  unsigned between(unsigned low, unsigned high) { return low + static_cast<unsigned>(below(high - low + 1)); }
  bool percent(unsigned chance) { return below(100) < chance; }

 private:
  uint64_t state_;
};

/// Memory that tables can be put into.
class Space {
 public:
  virtual ~Space() = default;
  /// A fresh block of 2^size_log2 bytes, aligned, below 2^limit.
  virtual uint64_t allocate(unsigned size_log2, unsigned limit) = 0;  // throws std::runtime_error if full
  virtual void write(uint64_t address, uint64_t word) = 0;
  /// Address of 64 KB whose reads abort.
  virtual uint64_t aborting_block() = 0;
};

/// Keeps blocks of one address space apart.
class Regions {
 public:
  /// Claims [base, base + 2^size_log2); false if some of it is taken.
  bool claim(uint64_t base, unsigned size_log2);

 private:
  std::map<uint64_t, uint64_t> ends_;  // base -> end
};

class PhysicalSpace : public Space {
 public:
  PhysicalSpace(SparseImage& image, Rng& rng, unsigned oas) : image_(image), rng_(rng), oas_(oas) {}
  uint64_t allocate(unsigned size_log2, unsigned limit) override;
  void write(uint64_t address, uint64_t word) override { image_.words[address] = word; }
  uint64_t aborting_block() override;

 private:
  SparseImage& image_;
  Rng& rng_;
  unsigned oas_;
  Regions regions_;
  uint64_t aborting_ = 0;
  bool has_aborting_ = false;
};

/// A mapped piece of input address space that accesses may aim at.
struct Target {
  uint64_t input;
  unsigned size_log2;
};

/// One tree of tables; entries are never overwritten.
class Tree {
 public:
  Tree(Space& space, const TableFormat& format);
  uint64_t base() const { return base_; }
  const TableFormat& format() const { return format_; }
  /// Whether a leaf may stand at this level.
  bool leaf_level(int level) const { return kind_of(format_, level, level == 3 ? 3 : 1) == DescriptorKind::Leaf; }
  /// Puts `descriptor` at `level` on the path of `input`, making tables with `table_bits` in their descriptors. False
  /// if something is in the way.
  bool put(uint64_t input, int level, uint64_t descriptor, uint64_t table_bits);
  /// `address` in the bits of a descriptor.
  uint64_t encode(uint64_t address) const;

 private:
  void store(uint64_t address, uint64_t descriptor);

  Space& space_;
  TableFormat format_;
  uint64_t base_;
  std::map<uint64_t, uint64_t> entries_;
  std::set<uint64_t> tables_;
};

/// Bits of output address that descriptors of this format can name, at most the format's output size.
unsigned usable_output_bits(const TableFormat& format);

/// An output address above the format's output size; 0 if its descriptors can't name one.
uint64_t oversize_address(Rng& rng, const TableFormat& format);

/// log2 of the descriptors of a contiguous run (DDI 0487 D8.6.1).
unsigned run_log2(const TableFormat& format, int level);

/// Which updates the SMMU makes in the descriptors of a tree, so that leaves get what they are for.
struct UpdateStyle {
  bool advertised = false;  // IDR0.HTTU is not 0; false: the other two are too
  bool access_flag = false, dirty = false;
};

/// Guest memory: blocks of it are mapped by a stage-2 tree as they are handed out.
class GuestSpace : public Space {
 public:
  /// `aborts`: some stage-2 tables stand in aborting memory. `faulty`: percentage of the blocks that hold CDs and
  /// stage-1 tables whose mapping may fault.
  GuestSpace(PhysicalSpace& physical, Rng& rng, const TableFormat& stage2, bool aborts, unsigned faulty,
             const UpdateStyle& updates);
  uint64_t allocate(unsigned size_log2, unsigned limit) override;
  void write(uint64_t address, uint64_t word) override;
  uint64_t aborting_block() override;
  /// Maps a random leaf, or a contiguous run, for client traffic and returns its address; an earlier one if the guest
  /// space is full.
  Target map_client(unsigned limit, bool faulty);
  const Tree& tree() const { return tree_; }

 private:
  uint64_t leaf_bits(int level, bool faulty);
  std::optional<uint64_t> pick(unsigned size_log2, unsigned limit, unsigned tries);
  void map_page(uint64_t ipa, uint64_t pa, bool faulty);
  std::optional<Target> map_run(unsigned limit);

  PhysicalSpace& physical_;
  Rng& rng_;
  Tree tree_;
  bool aborts_;
  unsigned faulty_;
  UpdateStyle updates_;
  Regions regions_;
  std::map<uint64_t, uint64_t> pages_;  // ipa -> pa of one granule
  std::vector<Target> clients_;
};

/// How the leaves of a stage-1 tree are made.
struct Stage1Style {
  bool globals;       // nG=0 allowed
  bool aborts;        // tables in aborting memory allowed
  GuestSpace* guest;  // outputs are guest addresses; null: physical
  bool upper;         // TTB1: inputs have all ones above the range
  UpdateStyle updates;
};

/// Fills a stage-1 tree with random leaves, runs and faulty entries; appends what accesses may aim at.
void fill_stage1(Rng& rng, Space& space, Tree& tree, const Stage1Style& style, std::vector<Target>& targets);

}  // namespace refwalk

#endif  // TESTS_RANDOM_CASE_TABLES_H_
