// SPDX-License-Identifier: MIT
// KeptContexts: copies of StreamContexts for translations that wait, while what a cache holds may go. DMA comes in runs
// of one stream, so translations share equal copies: the host's caches then hold one and not one for each. It knows
// nothing of caches or invalidations.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "model/smmu/stream_context.h"

namespace smmusim {

class KeptContexts {
 private:
  struct Copy {
    StreamContext context{};
    std::size_t holders = 0;
  };

 public:
  /// Keeps one copy for as long as it lives, or until it is given another one.
  class Holder {
   public:
    explicit Holder(KeptContexts& kept) : kept_(kept) {}
    ~Holder() { release(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    /// The copy; null if there is none yet.
    const StreamContext* get() const { return copy_ == nullptr ? nullptr : &copy_->context; }
    void keep(const StreamContext& context) {
      Copy& copy = kept_.copy_of(context);
      release();
      copy_ = &copy;
    }

   private:
    void release() {
      if (copy_ != nullptr) kept_.release(*copy_);
    }

    KeptContexts& kept_;
    Copy* copy_ = nullptr;
  };

 private:
  static constexpr std::size_t recent_max_ = 16;

  /// Bytes that differ without meaning anything cost a copy, and no more.
  static bool same(const StreamContext& a, const StreamContext& b) {
    static_assert(std::is_trivially_copyable_v<StreamContext>);
    return std::memcmp(&a, &b, sizeof a) == 0;
  }

  /// A copy with one holder more.
  Copy& copy_of(const StreamContext& context) {
    Copy*& recent = recent_[context.stream_id.value % recent_max_];
    if (recent == nullptr || !same(recent->context, context)) {
      if (recent != nullptr) release(*recent);
      recent = &take();
      recent->context = context;
      recent->holders = 1;
    }
    ++recent->holders;
    return *recent;
  }
  Copy& take() {
    if (free_.empty()) {
      copies_.push_back(std::make_unique<Copy>());
      return *copies_.back();
    }
    Copy& copy = *free_.back();
    free_.pop_back();
    return copy;
  }
  void release(Copy& copy) {
    if (--copy.holders == 0) free_.push_back(&copy);
  }

  std::vector<std::unique_ptr<Copy>> copies_;  // as many as were ever kept at once
  std::vector<Copy*> free_;
  std::array<Copy*, recent_max_> recent_{};  // the last ones, by stream: each has a holder here
};

}  // namespace smmusim
