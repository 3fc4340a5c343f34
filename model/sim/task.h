// SPDX-License-Identifier: MIT
// Task<T>: a piece of the specification that may have to wait. `co_await child(...)` starts the child as an ordinary
// nested call and suspends the caller only if the child truly suspends.
//
// Three traps of g++ 12 shape it (design.md, toolchain facts 2 to 4):
// - parameters of a coroutine are trivially destructible values or non-const lvalue references, checked below;
// - bind the result of a co_await to a local before switching on it (tests/tidy looks for it);
// - no symmetric transfer: it overflows the stack below -O2. Start is a nested resume(); so is the way back.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

#include "model/sim/frame_pool.h"
#include "model/sim/scope.h"

namespace smmusim {

/// What every Task's promise has, whatever its type: who waits for it, or which Scope owns it.
struct PromiseBase : ScopedTask {
  std::coroutine_handle<> waiter{};  ///< set once the awaiting coroutine has really suspended

  std::suspend_always initial_suspend() noexcept { return {}; }
  /// Kept until whoever awaits this task takes its result; a spawned task gives it to the Engine. It can't simply fly
  /// on: the way back to a waiting caller leads through final_suspend, which must not throw.
  void unhandled_exception() { failure = std::current_exception(); }
  std::exception_ptr failure{};

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.scope != nullptr) {
        if (promise.failure) promise.scope->engine().fail(promise.failure);
        promise.scope->forget(promise);
        self.destroy();
      } else if (promise.waiter) {
        promise.waiter.resume();
      }
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  /// Frames come from the pool of the Scope that the first parameter (or *this) belongs to.
  template <class First, class... Rest>
  static void* operator new(std::size_t bytes, First& first, Rest&...) {
    return first.scope().frames().allocate(bytes);
  }
  static void operator delete(void* frame) { FramePool::release(frame); }
  /// The same, in the form that pairs with operator new above.
  template <class First, class... Rest>
  static void operator delete(void* frame, First&, Rest&...) {
    FramePool::release(frame);
  }
};

template <class T>
struct Promise : PromiseBase {
  static_assert(std::is_trivially_destructible_v<T>, "a Task returns a plain value");
  T value{};
  void return_value(const T& result) { value = result; }
};
template <>
struct Promise<void> : PromiseBase {
  void return_void() const {}
};

template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : Promise<T> {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> caller) {
    handle_.resume();
    if (handle_.done()) return false;
    handle_.promise().waiter = caller;
    return true;
  }
  T await_resume() const {
    if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    if constexpr (!std::is_void_v<T>) return handle_.promise().value;
  }

  /// Runs a task that must not need to wait (an untimed model): starts it and tells whether it is done.
  bool run_to_completion() {
    handle_.resume();
    if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    return handle_.done();
  }
  T result() const { return await_resume(); }

  /// Gives the coroutine away (to Scope::spawn).
  std::coroutine_handle<promise_type> release() { return std::exchange(handle_, {}); }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// Starts `task` on its own. Its frame belongs to `scope` until it ends or the scope is cancelled. An exception that
/// leaves the task leaves through the call that runs the Engine, or through this one if the Engine does not run.
inline void spawn(Scope& scope, Task<> task) {
  auto handle = task.release();
  scope.adopt(handle.promise(), handle);
  handle.resume();
  if (!scope.engine().running()) scope.engine().rethrow_failure();
}

namespace detail {
template <class P>
inline constexpr bool coroutine_parameter_ok = std::is_reference_v<P> ? (std::is_lvalue_reference_v<P> &&
                                                                         !std::is_const_v<std::remove_reference_t<P>>)
                                                                      : std::is_trivially_destructible_v<P>;
}  // namespace detail

}  // namespace smmusim

/// Refuses at compile time a Task with a parameter that g++ 12 would miscompile (toolchain fact 2).
template <class T, class... Parameters>
struct std::coroutine_traits<smmusim::Task<T>, Parameters...> {
  static_assert((smmusim::detail::coroutine_parameter_ok<Parameters> && ...),
                "coroutine parameters: trivially destructible values or non-const lvalue references");
  using promise_type = typename smmusim::Task<T>::promise_type;
};
