// SPDX-License-Identifier: MIT
// The list of spawned tasks, and the order in which a cancellation takes everything down.
#include "model/sim/scope.h"

#include <algorithm>

#include "model/sim/resources.h"

namespace smmusim {

void Scope::adopt(ScopedTask& task, std::coroutine_handle<> frame) {
  task.scope = this;
  task.frame = frame;
  task.previous_task = nullptr;
  task.next_task = first_task_;
  if (first_task_ != nullptr) first_task_->previous_task = &task;
  first_task_ = &task;
}

void Scope::forget(ScopedTask& task) {
  if (task.previous_task != nullptr) {
    task.previous_task->next_task = task.next_task;
  } else {
    first_task_ = task.next_task;
  }
  if (task.next_task != nullptr) task.next_task->previous_task = task.previous_task;
}

void Scope::withdraw(const WaitList& list) {
  std::erase(wait_lists_, &list);
}

void Scope::cancel() {
  // Waiters first: destroying a frame gives its slots back, and must find nobody to hand them to.
  for (WaitList* list : wait_lists_) list->drop_waiters();
  engine_.cancel(*this);
  while (first_task_ != nullptr) {
    ScopedTask& task = *first_task_;
    forget(task);
    task.frame.destroy();
  }
  for (WaitList* list : wait_lists_) list->restore();
}

std::size_t Scope::tasks() const {
  std::size_t count = 0;
  for (const ScopedTask* task = first_task_; task != nullptr; task = task->next_task) ++count;
  return count;
}

}  // namespace smmusim
