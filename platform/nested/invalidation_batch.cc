// SPDX-License-Identifier: MIT
// InvalidationBatch; see the header.
#include "platform/nested/invalidation_batch.h"

#include <algorithm>
#include <cerrno>

#include "platform/host/kernel_profile.h"
#include "platform/nested/guest_words.h"

namespace smmusim::nested {

using spec::CommandError;

void InvalidationBatch::drop(std::size_t count) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
}

/// A call that was interrupted is made again, a few times.
host::Invalidation InvalidationBatch::call(std::size_t count) {
  constexpr unsigned tries_max = 4;
  host::Invalidation done;
  for (unsigned i = 0; i != tries_max; ++i) {
    ++counters_.calls;
    done = viommu_->invalidate(std::span(pending_).first(count));
    if (done.error != EINTR && done.error != EAGAIN) break;
  }
  return done;
}

InvalidationBatch::Sent InvalidationBatch::send(std::size_t count) {
  const host::Invalidation done = call(count);
  if (done.ok()) {
    drop(count);
    return Sent::all;
  }
  // All of them, and an error: that says nothing of what was done.
  const std::size_t handled = done.handled < count ? done.handled : 0;
  drop(handled - handled % host::invalidate_batch);
  if (done.error != EIO) {
    ++counters_.failures;
    return Sent::failed;
  }
  const std::size_t left = count - (handled - handled % host::invalidate_batch);
  return send_singly(std::min<std::size_t>(left, host::invalidate_batch));
}

/// Until one is refused: what follows that may go in one call again.
InvalidationBatch::Sent InvalidationBatch::send_singly(std::size_t count) {
  for (std::size_t i = 0; i != count; ++i) {
    const host::Invalidation done = call(1);
    if (!done.ok() && done.error != EIO) {
      ++counters_.failures;
      return Sent::failed;
    }
    drop(1);
    if (done.ok()) continue;
    ++counters_.refused;
    return Sent::refused_one;
  }
  return Sent::all;
}

CommandError InvalidationBatch::flush() {
  CommandError error = owes_error_ ? CommandError::CERROR_ILL : CommandError::CERROR_NONE;
  owes_error_ = false;
  if (viommu_ == nullptr) clear();
  while (!pending_.empty()) {
    const Sent sent = send(std::min<std::size_t>(pending_.size(), limit_));
    if (sent != Sent::all) error = CommandError::CERROR_ILL;
    if (sent == Sent::failed) break;
  }
  return error;
}

void InvalidationBatch::forget(StreamId stream) {
  std::erase_if(pending_, [stream](const spec::Command& command) {
    return names_stream(command) && command.get<spec::Command::StreamID>() == stream.value;
  });
}

CommandError InvalidationBatch::add(const spec::Command& command) {
  if (viommu_ == nullptr) return CommandError::CERROR_NONE;
  if (pending_.size() == limit_) {
    const CommandError error = flush();
    if (pending_.size() == limit_) return error;
    owes_error_ = error != CommandError::CERROR_NONE;
  }
  pending_.push_back(command);
  ++counters_.commands;
  return CommandError::CERROR_NONE;
}

}  // namespace smmusim::nested
