// SPDX-License-Identifier: MIT
// The machine that the log's driver drives: one untimed Smmu over the memory image, and a record of everything that
// the Smmu fetched, consumed and reported. Compares nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/smmu/smmu.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim::oracle {

inline constexpr std::size_t page_words = 512;

struct ImagePage {
  std::uint64_t address = 0;
  std::array<std::uint64_t, page_words> words{};
};
/// Guest memory at the end of the run; pages that are not in it read as zero.
using Image = std::vector<ImagePage>;

/// Records of a little-endian 64-bit address and 4096 bytes, plain or zstd. Throws trace::TraceError.
Image read_image(const std::string& path);
/// The doubleword at `address` of the image.
std::uint64_t image_word(const Image& image, std::uint64_t address);

/// A defect put in on purpose: whatever is stored at `address` has the bits of `mask` inverted.
struct Flip {
  std::uint64_t address = 0;
  std::uint64_t mask = 0;
};

/// One of the Smmu's own accesses.
struct Fetch {
  Purpose purpose{};
  MemoryOp op{};
  MemoryStatus status{};
  std::uint64_t address = 0;
  unsigned size = 0;  ///< bytes
  unsigned stage = 0;
  int level = 0;
  std::array<std::uint64_t, 8> words{};
};

struct Consumed {
  spec::Command command;
  spec::CommandError error{};
};

class Recorder final : public Observer {
 public:
  void access(const MemoryRequest& request) override;
  void event(const spec::Event& event, bool) override { events.push_back(event); }
  void command(const spec::Command& command, spec::CommandError error) override {
    commands.push_back({command, error});
  }

  void clear();
  std::vector<Fetch> fetches;
  std::vector<Consumed> commands;
  std::vector<spec::Event> events;
};

class Machine {
 public:
  Machine(const SmmuConfig& config, const Image& image, const std::vector<Flip>& flips);

  /// What the driver writes to memory.
  void store(std::uint64_t address, std::uint64_t value);
  std::uint64_t load(std::uint64_t address) { return memory_.load64(Pa(address)); }
  void write_register(std::uint64_t offset, std::uint64_t value, unsigned size);
  std::uint64_t read_register(std::uint64_t offset, unsigned size);
  Response translate(const Transaction& transaction);
  unsigned take_interrupts() { return smmu_.take_interrupts(); }
  const Smmu& smmu() const { return smmu_; }

  Recorder recorder;

 private:
  std::vector<Flip> flips_;
  Engine engine_;
  SparseMemory memory_;
  ImmediatePort port_;
  Smmu smmu_;
};

}  // namespace smmusim::oracle
