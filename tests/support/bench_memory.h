// SPDX-License-Identifier: MIT
// BenchMemory: the whole 56-bit address space as a map of doublewords, and the MemoryPort in front of it: immediate or
// with a fixed latency, with injected aborts, a log of every access and a hook before each. For tests only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "model/sim/engine.h"
#include "model/sim/memory_port.h"

namespace smmusim {

/// One access of the SMMU as the port saw it.
struct BenchAccess {
  Purpose purpose;
  MemoryOp op;
  std::uint64_t address;
  std::uint32_t size;
  MemoryStatus status;
  MemoryAttributes attributes;
  std::uint64_t first_word;  ///< the first (up to eight) bytes read or written
  std::uint8_t stage;
  MpamIds mpam;
};

class BenchMemory final : public MemoryPort {
 public:
  explicit BenchMemory(Engine& engine) : engine_(engine) {}

  bool start(MemoryRequest& request) override;
  void abandon(const Scope& scope) override { engine_.cancel(scope); }

  std::uint64_t read64(std::uint64_t address) const;  ///< aligned
  void write64(std::uint64_t address, std::uint64_t value) { words_[address] = value; }
  template <class Words>
  void store(std::uint64_t address, const Words& words) {
    for (std::size_t i = 0; i < words.dw.size(); ++i) write64(address + 8 * i, words.dw[i]);
  }

  /// From now on accesses of the SMMU that touch [base, base + size) abort.
  void abort_at(std::uint64_t base, std::uint64_t size, bool reads = true, bool writes = true);
  void clear_aborts() { aborts_.clear(); }

  std::size_t count(Purpose purpose) const;
  /// Addresses of all logged accesses with this purpose, in order.
  std::vector<std::uint64_t> addresses(Purpose purpose) const;
  /// The last logged access with this purpose, which must exist.
  const BenchAccess& last(Purpose purpose) const;

  Time latency_ps = 0;  ///< 0: start() answers at once
  std::vector<BenchAccess> log;
  std::function<void(const MemoryRequest&)> before;  ///< called before an access takes effect

 private:
  struct Abort {
    std::uint64_t base;
    std::uint64_t last;
    bool reads;
    bool writes;
  };
  bool aborts(const MemoryRequest& request) const;
  std::uint8_t byte(std::uint64_t address) const;
  void set_byte(std::uint64_t address, std::uint8_t value);
  void perform(MemoryRequest& request);

  Engine& engine_;
  std::map<std::uint64_t, std::uint64_t> words_;
  std::vector<Abort> aborts_;
};

}  // namespace smmusim
