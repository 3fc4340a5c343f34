// SPDX-License-Identifier: MIT
// Scope: everything of one owner that may be waiting, so that it can all be dropped at any instant (SMMU reset,
// destruction). It owns the frames of spawned Tasks, knows the owner's WaitLists, and marks its nodes in the Engine.
#pragma once

#include <coroutine>
#include <vector>

#include "model/sim/engine.h"
#include "model/sim/frame_pool.h"

namespace smmusim {

class WaitList;

/// Part of every Task's promise: membership in the Scope that owns it, if any.
struct ScopedTask {
  Scope* scope = nullptr;
  ScopedTask* next_task = nullptr;
  ScopedTask* previous_task = nullptr;
  std::coroutine_handle<> frame{};
};

class Scope {
 public:
  explicit Scope(Engine& engine) : engine_(engine) {}
  ~Scope() { cancel(); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  Engine& engine() { return engine_; }
  FramePool& frames() { return frames_; }
  Scope& scope() { return *this; }

  void adopt(ScopedTask& task, std::coroutine_handle<> frame);
  void forget(ScopedTask& task);
  void enrol(WaitList& list) { wait_lists_.push_back(&list); }
  void withdraw(const WaitList& list);

  /// Drops every waiting node and every spawned task, and puts the owner's WaitLists into their initial state.
  /// Requests that a MemoryPort holds for this scope must be abandoned first (MemoryPort::abandon).
  void cancel();
  /// How many spawned tasks live.
  std::size_t tasks() const;

 private:
  Engine& engine_;
  FramePool frames_;
  ScopedTask* first_task_ = nullptr;
  std::vector<WaitList*> wait_lists_;
};

}  // namespace smmusim
