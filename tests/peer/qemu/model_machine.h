// SPDX-License-Identifier: MIT
// ModelMachine: cases run by the model, untimed, with the features that QEMU
// advertises. The device and the RAM are here; translation is the model's.
#pragma once

#include <memory>

#include "model/smmu/smmu.h"
#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/ram.h"

namespace smmusim::peer {

class ModelMachine {
 public:
  ModelMachine(const spec::Features& features, Ram& ram);
  ~ModelMachine();
  ModelMachine(const ModelMachine&) = delete;
  ModelMachine& operator=(const ModelMachine&) = delete;

  /// Runs a case whose words are in the RAM already.
  Observation run(const Case& one);

 private:
  class Port;
  struct Parts;
  void access(const Case& one, const Response& response, Observation& seen);

  Ram& ram_;
  std::unique_ptr<Parts> parts_;
};

/// The byte that iommu-testdev writes at `offset` from the start of its access.
inline std::uint8_t written_byte(std::uint32_t offset) {
  return static_cast<std::uint8_t>(0x12345678u >> (8 * (offset & 3)));
}

}  // namespace smmusim::peer
