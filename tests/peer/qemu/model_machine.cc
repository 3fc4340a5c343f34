// SPDX-License-Identifier: MIT
// The model's side. Memory outside RAM aborts, as on the board; what touches
// the board's devices is reported, since the model has none of them.
#include "tests/peer/qemu/model_machine.h"

#include <cstring>

#include "model/sim/engine.h"
#include "model/sim/memory_port.h"
#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/setup.h"

namespace smmusim::peer {

class ModelMachine::Port final : public MemoryPort {
 public:
  explicit Port(Ram& ram) : ram_(ram) {}
  bool start(MemoryRequest& request) override {
    request.status = MemoryStatus::external_abort;
    if (request.address.value < devices_end) outside = true;
    if (!Ram::contains(request.address.value, request.size)) return true;
    std::uint8_t* host = ram_.at(request.address.value);
    request.status = MemoryStatus::ok;
    if (request.op == MemoryOp::read) std::memcpy(request.data, host, request.size);
    if (request.op == MemoryOp::write) std::memcpy(host, request.data, request.size);
    // No feature that QEMU advertises makes the SMMU update descriptors.
    if (request.op == MemoryOp::compare_and_swap) request.status = MemoryStatus::external_abort;
    return true;
  }
  void abandon(const Scope&) override {}
  bool outside = false;

 private:
  Ram& ram_;
};

struct ModelMachine::Parts {
  Parts(Ram& ram, const SmmuConfig& config) : port(ram), smmu(engine, port, nullptr, config) {}
  Engine engine;
  Port port;
  Smmu smmu;
};

namespace {

SmmuConfig config_of(const spec::Features& features) {
  SmmuConfig config;
  config.features = features;
  config.timed = false;
  config.frame_base = Pa(smmu_base);
  config.tcu.tlb = {64, 4};
  config.tcu.walk_cache = {32, 4};
  config.tcu.config_cache = {16, 4};
  return config;
}

}  // namespace

ModelMachine::ModelMachine(const spec::Features& features, Ram& ram)
    : ram_(ram), parts_(std::make_unique<Parts>(ram, config_of(features))) {}
ModelMachine::~ModelMachine() = default;

Observation ModelMachine::run(const Case& one) {
  Smmu& smmu = parts_->smmu;
  parts_->port.outside = false;
  smmu.reset();
  for (const RegisterWrite& write : setup_of(one)) {
    smmu.write_register(write.offset, write.value, write.bytes);
    parts_->engine.run();
  }
  Transaction transaction;
  transaction.stream_id = StreamId(one.access.sid);
  transaction.access = one.access.write ? AccessType::write : AccessType::read;
  transaction.address = Va(one.access.address);
  transaction.size = one.access.bytes;
  const Response response = smmu.translate(0, transaction);
  parts_->engine.run();
  Observation seen;
  access(one, response, seen);
  seen.events = events_in(ram_, static_cast<std::uint32_t>(smmu.read_register(spec::reg::EVENTQ_PROD, 4)));
  seen.gerror =
      static_cast<std::uint32_t>(smmu.read_register(spec::reg::GERROR, 4) ^ smmu.read_register(spec::reg::GERRORN, 4));
  seen.outside = seen.outside || parts_->port.outside;
  return seen;
}

void ModelMachine::access(const Case& one, const Response& response, Observation& seen) {
  seen.read.assign(one.access.write ? 0 : one.access.bytes, 0);
  seen.address_known = response.outcome == Outcome::proceed;
  if (!seen.address_known) return;
  seen.address = response.address.value;
  seen.outside = seen.address < devices_end;
  if (!Ram::contains(seen.address, one.access.bytes)) return;
  seen.landed = true;
  for (std::uint32_t i = 0; i < one.access.bytes; ++i) {
    std::uint8_t* byte = ram_.at(seen.address + i);
    if (one.access.write) {
      *byte = written_byte(i);
    } else {
      seen.read[i] = *byte;
    }
  }
}

}  // namespace smmusim::peer
