// SPDX-License-Identifier: MIT
// Result<T>: what a call to the host gives, a value or an error that says which call failed and how. Errors of the host
// are values: nothing here throws for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace smmusim::host {

struct HostError {
  std::string_view call{};    ///< of the kernel's names: "IOMMU_HWPT_ALLOC", "open", "read"
  int error = 0;              ///< errno; EPROTO if the host's answer made no sense
  std::uint32_t entries = 0;  ///< of IOMMU_HWPT_INVALIDATE: how many the host says it has handled
  std::string_view detail{};  ///< of EPROTO: what was wrong with the answer; static text
};

/// "IOMMU_VIOMMU_ALLOC: ENOTTY (Inappropriate ioctl for device)".
std::string describe(const HostError& error);

/// A value, or a HostError. `ok()` first; value() of an error and error() of a value are defects of the caller.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(const HostError& error) : error_(error) {}
  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  T& value() { return value_.value(); }
  const T& value() const { return value_.value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const HostError& error() const { return error_; }

 private:
  std::optional<T> value_{};
  HostError error_{};
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(const HostError& error) : error_(error) {}
  bool ok() const { return error_.error == 0; }
  explicit operator bool() const { return ok(); }
  const HostError& error() const { return error_; }

 private:
  HostError error_{};
};
using Status = Result<void>;

}  // namespace smmusim::host
