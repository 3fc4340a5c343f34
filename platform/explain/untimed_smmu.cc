// SPDX-License-Identifier: MIT
// UntimedSmmu; see the header.
#include "platform/explain/untimed_smmu.h"

namespace smmusim::explain {

SmmuConfig explaining_config(const SmmuConfig& config, const spec::Features& features) {
  SmmuConfig result = config;
  result.features = features;
  result.timed = false;
  result.tbus = 1;
  for (CacheConfig* cache : {&result.tbu.micro_tlb, &result.tbu.stream_cache, &result.tcu.tlb, &result.tcu.walk_cache,
                             &result.tcu.ipa_cache, &result.tcu.config_cache}) {
    cache->entries = 0;
  }
  return result;
}

UntimedSmmu::UntimedSmmu(const SmmuConfig& config, const RegisterDump& registers, MemoryPort& memory,
                         Observer* observer)
    : smmu_(engine_, memory, observer, config) {
  registers.write_to(smmu_);
  engine_.run();
}

}  // namespace smmusim::explain
