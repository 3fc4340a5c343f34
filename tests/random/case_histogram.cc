// SPDX-License-Identifier: MIT
//
// Prints what the case generator produces: outcomes and events over N cases (default 10,000), judged by the reference.
// Usage: case_histogram [CASES [FIRST_SEED [stage2 [CORRUPTION]]]]. A tool for people; no test depends on it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>

#include "tests/random/case_generator.h"

int main(int argc, char** argv) {
  const uint64_t cases = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 10000;
  const uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 1;
  refwalk::CaseOptions options;
  options.stage2 = argc > 3 && std::string(argv[3]) == "1";
  options.corruption = argc > 4 ? std::strtod(argv[4], nullptr) : 0.0;
  static const char* const outcomes[] = {"proceed", "abort", "RAZ/WI", "stall"};
  std::map<std::string, uint64_t> histogram;
  uint64_t words = 0;
  uint64_t total = 0;
  uint64_t cacheable = 0;
  try {
    for (uint64_t seed = first; seed < first + cases; ++seed) {
      const refwalk::Case one = refwalk::generate_case(seed, options);
      words += one.memory.words.size();
      cacheable += one.cacheable ? 1 : 0;
      for (const refwalk::Access& access : one.accesses) {
        const refwalk::Result result = refwalk::translate(one.registers, one.memory, access);
        ++total;
        ++histogram[std::string("outcome ") + outcomes[static_cast<unsigned>(result.outcome)]];
        char name[64];
        if (result.outcome == refwalk::Outcome::Proceed) {
          std::snprintf(name, sizeof name, "page size 2^%02u", static_cast<unsigned>(result.page_size_log2));
        } else if (result.event.recorded) {
          const uint64_t dw1 = result.event.dw[1];
          std::snprintf(name, sizeof name, "event 0x%02x S2=%u CLASS=%u",
                        static_cast<unsigned>(result.event.dw[0] & 0xFF), static_cast<unsigned>((dw1 >> 39) & 1),
                        static_cast<unsigned>((dw1 >> 40) & 3));
        } else {
          std::snprintf(name, sizeof name, "no event");
        }
        ++histogram[name];
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "case_histogram: %s\n", error.what());
    return 1;
  }
  for (const auto& [name, count] : histogram) {
    std::printf("%-28s %10llu  %6.2f%%\n", name.c_str(), static_cast<unsigned long long>(count),
                100.0 * static_cast<double>(count) / static_cast<double>(total));
  }
  std::printf("cases %llu (cacheable %llu), accesses %llu, words a case %llu\n", static_cast<unsigned long long>(cases),
              static_cast<unsigned long long>(cacheable), static_cast<unsigned long long>(total),
              static_cast<unsigned long long>(words / (cases == 0 ? 1 : cases)));
  return 0;
}
