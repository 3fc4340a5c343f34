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
  begin();
  for (const RegisterWrite& write : setup_of(one)) this->write(write);
  Observation seen;
  constexpr std::uint32_t offsets[] = {spec::reg::EVENTQ_PROD, spec::reg::GERROR, spec::reg::GERRORN};
  const std::vector<std::uint32_t> values = access(one.access, offsets, seen);
  seen.events = events_in(ram_, values[0]);
  seen.gerror = values[1] ^ values[2];
  return seen;
}

void ModelMachine::begin() {
  parts_->port.outside = false;
  parts_->smmu.reset();
}

void ModelMachine::write(const RegisterWrite& one) {
  parts_->smmu.write_register(one.offset, one.value, one.bytes);
  parts_->engine.run();
}

std::vector<std::uint32_t> ModelMachine::read(std::span<const std::uint32_t> offsets) {
  std::vector<std::uint32_t> values;
  for (const std::uint32_t offset : offsets) {
    values.push_back(static_cast<std::uint32_t>(parts_->smmu.read_register(offset, 4)));
  }
  return values;
}

std::vector<std::uint32_t> ModelMachine::access(const Access& one, std::span<const std::uint32_t> offsets,
                                                Observation& seen) {
  Transaction transaction;
  transaction.stream_id = StreamId(one.sid);
  transaction.access = one.write ? AccessType::write : AccessType::read;
  transaction.address = Va(one.address);
  transaction.size = one.bytes;
  const Response response = parts_->smmu.translate(0, transaction);
  parts_->engine.run();
  land(one, response, seen);
  seen.outside = seen.outside || parts_->port.outside;
  return read(offsets);
}

unsigned ModelMachine::wires() {
  return parts_->smmu.take_interrupts();
}

void ModelMachine::land(const Access& one, const Response& response, Observation& seen) {
  seen.read.assign(one.write ? 0 : one.bytes, 0);
  seen.address_known = response.outcome == Outcome::proceed;
  if (!seen.address_known) return;
  seen.address = response.address.value;
  seen.outside = seen.address < devices_end;
  if (!Ram::contains(seen.address, one.bytes)) return;
  seen.landed = true;
  for (std::uint32_t i = 0; i < one.bytes; ++i) {
    std::uint8_t* byte = ram_.at(seen.address + i);
    if (one.write) {
      *byte = written_byte(i);
    } else {
      seen.read[i] = *byte;
    }
  }
}

}  // namespace smmusim::peer
