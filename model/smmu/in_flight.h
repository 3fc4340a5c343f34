// SPDX-License-Identifier: MIT
// InFlight: translations inside the TCU. A translation takes a Token before its first lookup; what it finds is cached
// only if no invalidation since then covers it (section 4.7: nothing stale may appear after CMD_SYNC). The same table
// tells a second miss of the same page or stream that its answer is on the way, so that it need not walk too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/smmu/stream_context.h"
#include "model/smmu/tlb.h"

namespace smmusim {

class InFlight {
 public:
  struct Token {
    std::uint32_t slot = 0;
  };
  Token begin();
  void end(Token token);

  /// Says that `token` fetches the configuration of a stream, or walks for a page (4 KiB of a canonical address).
  void fetching(Token token, StreamId stream, bool substream_valid, SubstreamId substream);
  void walking(Token token, const TlbContext& context, std::uint64_t va);
  /// Says that `token` does neither any more.
  void finished(Token token) { slots_[token.slot].doing = Doing::nothing; }
  /// Whether another translation does so already.
  bool other_fetches(Token token, StreamId stream, bool substream_valid, SubstreamId substream) const;
  bool other_walks(Token token, const TlbContext& context, std::uint64_t va) const;

  void note(const TlbInvalidation& what);
  void note(const ConfigInvalidation& what);
  /// True if what the translation of `token` found may still be cached.
  bool may_fill(Token token, const TlbEntry& entry) const;
  bool may_fill(Token token, const StreamContext& context) const;

  void clear() { slots_.clear(); }
  std::size_t open() const;

 private:
  /// Invalidations since the token was taken. Beyond four, everything counts as overtaken.
  template <class What>
  struct Overtaken {
    static constexpr unsigned remembered = 4;
    unsigned count = 0;
    std::array<What, remembered> list{};
    void add(const What& what) {
      if (count < remembered) list[count] = what;
      ++count;
    }
    template <class Found>
    bool covers(const Found& found) const {
      for (unsigned i = 0; i < count && i < remembered; ++i) {
        if (list[i].matches(found)) return true;
      }
      return count > remembered;
    }
  };
  enum class Doing : std::uint8_t { nothing, fetching, walking };
  struct Slot {
    bool open = false;
    Doing doing = Doing::nothing;
    bool substream_valid = false;
    StreamId stream{};
    SubstreamId substream{};
    TlbContext context{};
    std::uint64_t page = 0;
    Overtaken<TlbInvalidation> tlb{};
    Overtaken<ConfigInvalidation> config{};
  };
  std::vector<Slot> slots_;  // as many as translations were ever at once in the TCU
};

}  // namespace smmusim
