// SPDX-License-Identifier: MIT
// Accesses on their way to and from the function's queue.
#include "platform/endpoint/function_dma.h"

#include <cstring>
#include <utility>

namespace smmusim::platform {

FunctionDma::FunctionDma(Scope& scope, PcieFunction& function) : scope_(scope), function_(function) {
  function_.set_handler([this](const DmaCompletion& completion) { completed(completion); });
}

FunctionDma::~FunctionDma() {
  function_.set_handler({});
}

FunctionDma::Access& FunctionDma::take(Transfer* transfer, std::uint64_t address, std::size_t size) {
  if (free_.empty()) free_.push_back(accesses_.emplace_back(std::make_unique<Access>()).get());
  Access& access = *free_.back();
  free_.pop_back();
  access.transfer = transfer;
  access.work = {};
  access.work.address = Va(address);
  access.work.size = static_cast<std::uint32_t>(size);
  access.work.user = &access;
  access.into = {};
  ++open_;
  if (transfer != nullptr) ++transfer->open_;
  return access;
}

void FunctionDma::Transfer::read(std::uint64_t address, std::span<unsigned char> into) {
  Access& access = dma_.take(this, address, into.size());
  access.into = into;
  dma_.begin(access);
}

void FunctionDma::Transfer::write(std::uint64_t address, std::span<const unsigned char> from, bool relaxed) {
  Access& access = dma_.take(this, address, from.size());
  access.work.write = true;
  access.work.relaxed_ordering = relaxed;
  access.from.assign(from.begin(), from.end());
  dma_.begin(access);
}

void FunctionDma::signal(std::uint64_t address, std::uint32_t data) {
  Access& access = take(nullptr, address, sizeof data);
  access.work.write = access.work.interrupt = true;
  access.from.resize(sizeof data);
  std::memcpy(access.from.data(), &data, sizeof data);
  begin(access);
}

/// In order: behind all that waits already.
void FunctionDma::begin(Access& access) {
  waiting_.push_back(&access);
  send_waiting();
}

void FunctionDma::send_waiting() {
  while (!waiting_.empty() && function_.push(waiting_.front()->work, waiting_.front()->from)) {
    waiting_.front()->from.clear();
    waiting_.pop_front();
  }
}

void FunctionDma::completed(const DmaCompletion& completion) {
  Access& access = *static_cast<Access*>(completion.work.user);
  if (Transfer* const transfer = access.transfer; transfer != nullptr) {
    if (completion.status == DmaStatus::ok && !completion.work.write) {
      std::memcpy(access.into.data(), completion.data.data(), access.into.size());
    }
    if (transfer->status_ == DmaStatus::ok) transfer->status_ = completion.status;
    if (--transfer->open_ == 0 && transfer->waiter_ != nullptr) {
      scope_.engine().post(*std::exchange(transfer->waiter_, nullptr));
    }
  } else if (completion.work.interrupt && completion.status != DmaStatus::ok) {
    ++signals_failed_;
  }
  send_waiting();
  end(access);
}

void FunctionDma::end(Access& access) {
  free_.push_back(&access);
  if (--open_ == 0 && on_idle) on_idle();
}

void FunctionDma::forget(const Transfer& transfer) {
  if (transfer.open_ == 0) return;
  for (const auto& access : accesses_) {
    if (access->transfer == &transfer) access->transfer = nullptr;
  }
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    Access& access = **at;
    const bool dropped = access.transfer == nullptr && !access.work.interrupt;
    at = dropped ? waiting_.erase(at) : at + 1;
    if (dropped) end(access);
  }
}

}  // namespace smmusim::platform
