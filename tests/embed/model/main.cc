// SPDX-License-Identifier: MIT
// The SMMU without SystemC: plain C++ around smmusim::model, with a memory of its own. Translates one address.
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

#include "model/sim/engine.h"
#include "model/sim/memory_port.h"
#include "model/smmu/smmu.h"
#include "model/spec/cd.h"
#include "model/spec/register_offsets.h"
#include "model/spec/ste.h"

using namespace smmusim;

/// Memory from address 0 that answers at once.
struct Memory final : MemoryPort {
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 16);

  bool start(MemoryRequest& request) override {
    const bool there = request.address.value <= bytes.size() - request.size;
    request.status = there ? MemoryStatus::ok : MemoryStatus::external_abort;
    if (there && request.op == MemoryOp::read) std::memcpy(request.data, &bytes[request.address.value], request.size);
    return true;
  }
  void abandon(const Scope&) override {}
  void store(std::uint64_t address, std::uint64_t value) { std::memcpy(&bytes[address], &value, sizeof value); }
};

int main() {
  Memory memory;
  spec::Ste ste;
  ste.set<spec::Ste::V>(true).set<spec::Ste::Config>(spec::SteConfig::stage1).set<spec::Ste::S1ContextPtr>(0x2000);
  for (std::size_t i = 0; i != ste.dw.size(); ++i) memory.store(0x1000 + 8 * i, ste.dw[i]);
  spec::Cd cd;
  cd.set<spec::Cd::V>(true).set<spec::Cd::AA64>(true).set<spec::Cd::A>(true).set<spec::Cd::R>(true);
  cd.set<spec::Cd::EPD1>(true).set<spec::Cd::T0SZ>(64 - 39).set<spec::Cd::IPS>(5).set<spec::Cd::TTB0>(0x3000);
  for (std::size_t i = 0; i != cd.dw.size(); ++i) memory.store(0x2000 + 8 * i, cd.dw[i]);
  memory.store(0x3000, 0x4003);       // level 1: table
  memory.store(0x4000, 0x8000'0741);  // level 2: block of 2 MiB, AF, AP[1], SH

  Engine engine;
  SmmuConfig config;
  config.timed = false;
  Smmu smmu(engine, memory, nullptr, config);
  smmu.write_register(spec::reg::STRTAB_BASE, 0x1000, 8);
  smmu.write_register(spec::reg::STRTAB_BASE_CFG, 0, 4);  // one stream
  smmu.write_register(spec::reg::CR0, 1, 4);              // SMMUEN

  Transaction transaction;
  transaction.address = Va(0x1'2345);
  const Response response = smmu.translate(0, transaction);
  if (response.outcome != Outcome::proceed) return 1;
  std::printf("translated 0x%" PRIx64 " -> 0x%" PRIx64 "\n", transaction.address.value, response.address.value);
  return 0;
}
