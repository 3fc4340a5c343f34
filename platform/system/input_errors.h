// SPDX-License-Identifier: MIT
// What a platform and its drivers refuse at their construction, or while they run, is the user's configuration.
#pragma once

#include <stdexcept>

#include "platform/config/load.h"
#include "platform/driver/page_allocator.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim {

/// Does `work`. Throws InputError, with the same text, for what it throws as std::invalid_argument, AllocationError or
/// MemoryLimitError.
template <class Work>
void as_input_errors(Work work) {
  try {
    work();
  } catch (const std::invalid_argument& error) {
    throw InputError(error.what());
  } catch (const AllocationError& error) {
    throw InputError(error.what());
  } catch (const MemoryLimitError& error) {
    throw InputError(error.what());
  }
}

}  // namespace smmusim
