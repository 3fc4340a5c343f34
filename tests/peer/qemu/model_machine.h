// SPDX-License-Identifier: MIT
// ModelMachine: cases run by the model, untimed, with the features that QEMU
// advertises. The device and the RAM are here; translation is the model's.
#pragma once

#include <memory>

#include "model/smmu/smmu.h"
#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/ram.h"
#include "tests/peer/qemu/side.h"

namespace smmusim::peer {

class ModelMachine final : public Side {
 public:
  ModelMachine(const spec::Features& features, Ram& ram);
  ~ModelMachine() override;
  ModelMachine(const ModelMachine&) = delete;
  ModelMachine& operator=(const ModelMachine&) = delete;

  /// Runs a case whose words are in the RAM already.
  Observation run(const Case& one);

  void begin() override;
  void write(const RegisterWrite& one) override;
  std::vector<std::uint32_t> read(std::span<const std::uint32_t> offsets) override;
  std::vector<std::uint32_t> access(const Access& one, std::span<const std::uint32_t> offsets,
                                    Observation& seen) override;
  unsigned wires() override;
  Ram& ram() override { return ram_; }

 private:
  class Port;
  struct Parts;
  void land(const Access& one, const Response& response, Observation& seen);

  Ram& ram_;
  std::unique_ptr<Parts> parts_;
};

/// The byte that iommu-testdev writes at `offset` from the start of its access.
inline std::uint8_t written_byte(std::uint32_t offset) {
  return static_cast<std::uint8_t>(0x12345678u >> (8 * (offset & 3)));
}

}  // namespace smmusim::peer
