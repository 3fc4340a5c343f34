// SPDX-License-Identifier: MIT
// ATS translation requests in the independent reference (IHI 0070 3.9.1, 3.13.7, 13.6, 13.7): what the Translation
// Completion holds, what is recorded and which descriptors are updated. It must include nothing of model/, tlm/ or
// platform/.
//
// Choices, beside those of refwalk.h:
//  1. 13.7: NW = 1 gets write permission of a page that is writable-dirty.
//  2. 3.13.7.1: of a nested request stage 1 is updated by what stage 1 grants, before stage 2 is asked; the output's
//     stage-2 leaf by what both grant. Split-stage requests update that leaf as others do.
//  3. 13.6.4: a stage that is skipped gives the identity map with the size of OAS.
//  4. 3.9.1.2: RnW of a recorded event is UNKNOWN; it is 1, because InD, which is the request's Exe (13.7), goes with
//     reads only (7.3). Span of F_BAD_ATS_TREQ is 1.
#ifndef TESTS_RANDOM_REFERENCE_ATS_H_
#define TESTS_RANDOM_REFERENCE_ATS_H_

#include <cstdint>
#include <vector>

#include "tests/random/reference/refwalk.h"

namespace refwalk {

/// A request for one translation by a non-secure stream. `ssid`, `execute` and `privileged` count only if `ssv` (a
/// PASID is there).
struct TranslationRequest {
  uint32_t sid = 0;
  bool ssv = false;
  uint32_t ssid = 0;
  uint64_t address = 0;
  bool no_write = false;
  bool execute = false;
  bool privileged = false;
};

enum class CompletionStatus { Success, UnsupportedRequest, CompleterAbort };

/// The Translation Completion. Permissions count only for Success; `address` is what the requested address becomes and,
/// like `size_log2`, counts only if a permission is granted (else the size is the STU). `event` is F_BAD_ATS_TREQ, or
/// what CR2.REC_CFG_ATS lets be recorded; `fetch_list` and `updates` are as in a Result.
struct Completion {
  CompletionStatus status = CompletionStatus::CompleterAbort;
  bool read = false, write = false, execute = false, privileged = false;
  uint64_t address = 0;
  uint64_t size_log2 = 0;
  Event event;
  std::vector<Fetch> fetch_list{};
  std::vector<Update> updates{};
};

/// Answers one request from scratch. Throws as translate() does, and for EATS = 3 with DPT.
Completion request_translation(const Registers& registers, const Memory& memory, const TranslationRequest& request);

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_ATS_H_
