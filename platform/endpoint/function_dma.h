// SPDX-License-Identifier: MIT
// FunctionDma: the DMA of a PcieFunction for devices that are written as coroutines: accesses that belong together are
// a Transfer, which can be awaited. What the function's queue has no room for waits here. A Transfer that is destroyed
// (its device was reset) is forgotten: accesses that have left end without it, the others never leave.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/scope.h"
#include "platform/endpoint/pcie_function.h"

namespace smmusim::platform {

class FunctionDma {
 public:
  /// Accesses that are waited for together. It belongs to the frame of the coroutine that waits for it.
  class Transfer {
   public:
    explicit Transfer(FunctionDma& dma) : dma_(dma) {}
    ~Transfer() { dma_.forget(*this); }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    /// `into` stays in place until the end, and has the data then if all is well.
    void read(std::uint64_t address, std::span<unsigned char> into);
    /// `from` is copied. `relaxed`: it may be sent with relaxed ordering.
    void write(std::uint64_t address, std::span<const unsigned char> from, bool relaxed);

    struct Wait : Resumption {
      Transfer* transfer = nullptr;
      bool await_ready() const { return transfer->open_ == 0; }
      void await_suspend(std::coroutine_handle<> caller) {
        resumes(caller);
        transfer->waiter_ = this;
      }
      DmaStatus await_resume() const { return transfer->status_; }
    };
    /// `co_await transfer.end()`: all of it has ended; the first status that is not ok, or ok.
    Wait end() {
      Wait wait;
      wait.scope = &dma_.scope_;
      wait.transfer = this;
      return wait;
    }

   private:
    friend class FunctionDma;
    FunctionDma& dma_;
    unsigned open_ = 0;
    DmaStatus status_ = DmaStatus::ok;
    EventNode* waiter_ = nullptr;
  };

  /// Takes the function's completions. `scope` owns the coroutines that wait.
  FunctionDma(Scope& scope, PcieFunction& function);
  ~FunctionDma();
  FunctionDma(const FunctionDma&) = delete;
  FunctionDma& operator=(const FunctionDma&) = delete;

  /// A write of 4 bytes that signals an interrupt. Nobody waits for it.
  void signal(std::uint64_t address, std::uint32_t data);

  /// No access is under way or waits.
  bool idle() const { return open_ == 0; }
  /// Called each time that idle() has become true.
  std::function<void()> on_idle;
  std::uint64_t signals_failed() const { return signals_failed_; }

 private:
  struct Access {
    Transfer* transfer = nullptr;  // null: nobody waits for it
    DmaWork work{};
    std::span<unsigned char> into{};
    std::vector<unsigned char> from{};  // until it has left
  };

  Access& take(Transfer* transfer, std::uint64_t address, std::size_t size);
  void begin(Access& access);
  void completed(const DmaCompletion& completion);
  void end(Access& access);
  void send_waiting();
  void forget(const Transfer& transfer);

  Scope& scope_;
  PcieFunction& function_;
  std::vector<std::unique_ptr<Access>> accesses_;
  std::vector<Access*> free_;
  std::deque<Access*> waiting_;  // for room in the function's queue
  std::size_t open_ = 0;
  std::uint64_t signals_failed_ = 0;
};

}  // namespace smmusim::platform
