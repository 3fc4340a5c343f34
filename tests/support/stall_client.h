// SPDX-License-Identifier: MIT
// Clients that keep their requests, for tests of stalled transactions: what has been sent stays in place until the
// client goes, and tells whether it was answered. Going, the client resets the SMMU, which then knows none of them.
#pragma once

#include <deque>

#include "tests/support/smmu_bench.h"

namespace smmusim {

class StallClient {
 public:
  struct Sent : TranslationRequest {
    StallClient* client = nullptr;
    bool answered = false;
  };
  explicit StallClient(SmmuBench& bench) : bench_(bench) {}
  ~StallClient() {
    bench_.smmu.reset();
    bench_.run();
  }
  StallClient(const StallClient&) = delete;
  StallClient& operator=(const StallClient&) = delete;

  /// Submits it and lets the engine run.
  Sent& send(const Transaction& transaction) {
    Sent& sent = sent_.emplace_back();
    sent.transaction = transaction;
    sent.client = this;
    sent.fire = &answer;
    if (bench_.smmu.submit(0, sent)) answer(sent);
    bench_.run();
    return sent;
  }
  Sent& read(std::uint32_t sid, std::uint64_t va) { return send(SmmuBench::transaction(sid, va)); }
  Sent& write(std::uint32_t sid, std::uint64_t va) { return send(SmmuBench::transaction(sid, va, AccessType::write)); }

 private:
  static void answer(EventNode& node) {
    auto& sent = static_cast<Sent&>(node);
    sent.answered = true;
    sent.client->bench_.smmu.retire(sent);
  }

  SmmuBench& bench_;
  std::deque<Sent> sent_;
};

}  // namespace smmusim
