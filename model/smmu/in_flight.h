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
  void finished(Token token);
  /// Whether another translation does so already.
  bool other_fetches(Token token, StreamId stream, bool substream_valid, SubstreamId substream) const;
  bool other_walks(Token token, const TlbContext& context, std::uint64_t va) const;

  void note(const TlbInvalidation& what);
  void note(const ConfigInvalidation& what);
  /// True if what the translation of `token` found may still be cached.
  bool may_fill(Token token, const TlbEntry& entry) const;
  bool may_fill(Token token, const StreamContext& context) const;

  void clear();
  std::size_t open() const { return slots_.size() - free_.size(); }

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
  /// What a slot is doing, apart from the slots' bulk.
  struct Key {
    Doing doing = Doing::nothing;
    bool substream_valid = false;
    TlbContext context{};
    std::uint64_t what = 0;  ///< the page, or StreamID and SubstreamID
    friend bool operator==(const Key& a, const Key& b) {
      return a.what == b.what && a.doing == b.doing && a.substream_valid == b.substream_valid && a.context == b.context;
    }
  };
  struct Slot {
    bool open = false;
    Overtaken<TlbInvalidation> tlb{};
    Overtaken<ConfigInvalidation> config{};
  };
  static constexpr std::size_t digests_ = 1024;
  static std::size_t digest_of(const Key& key) { return (key.what ^ key.what >> 32) % digests_; }
  static Key fetch_key(StreamId stream, bool substream_valid, SubstreamId substream);
  static Key walk_key(const TlbContext& context, std::uint64_t va);
  void announce(Token token, const Key& key);
  bool other_does(Token token, const Key& key) const;

  std::vector<Slot> slots_;                                // as many as translations were ever at once in the TCU
  std::vector<Key> keys_;                                  // of the slots
  std::vector<std::uint32_t> free_;                        // slots that are not open
  std::array<std::uint32_t, digests_> alike_announced_{};  // how many keys say something, by digest
};

}  // namespace smmusim
