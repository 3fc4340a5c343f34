// SPDX-License-Identifier: MIT
// An outside SystemC platform that takes only the SMMU from the package: memory and endpoint are its own and the tables
// are written by hand. Untimed: everything happens in the endpoint's call.
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

#include "model/spec/cd.h"
#include "model/spec/register_offsets.h"
#include "model/spec/ste.h"
#include "tlm/smmu_module.h"

using namespace smmusim;

struct Memory : sc_core::sc_module {
  tlm_utils::simple_target_socket<Memory> data, tables;
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 20);

  explicit Memory(const sc_core::sc_module_name& name) : sc_module(name), data("data"), tables("tables") {
    data.register_b_transport(this, &Memory::serve);
    tables.register_b_transport(this, &Memory::serve);
  }
  void serve(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    if (payload.get_address() > bytes.size() - payload.get_data_length()) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    unsigned char* place = bytes.data() + payload.get_address();
    if (payload.is_write()) std::memcpy(place, payload.get_data_ptr(), payload.get_data_length());
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), place, payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  void store(std::uint64_t address, std::uint64_t value) { std::memcpy(&bytes[address], &value, sizeof value); }
  void store_structure(std::uint64_t address, const std::array<std::uint64_t, 8>& words) {
    std::memcpy(&bytes[address], words.data(), sizeof words);
  }
};

struct Endpoint : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Endpoint> out;
  systemc::SmmuExtension answer;
  bool ok = false;

  SC_HAS_PROCESS(Endpoint);
  explicit Endpoint(const sc_core::sc_module_name& name) : sc_module(name), out("out") { SC_THREAD(run); }
  void run() {
    unsigned char data[4] = {0xde, 0xad, 0xbe, 0xef};
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(0x1010);
    payload.set_data_ptr(data);
    payload.set_data_length(sizeof data);
    payload.set_streaming_width(sizeof data);
    answer.client.stream_id = StreamId(1);
    payload.set_extension(&answer);
    sc_core::sc_time delay;
    out->b_transport(payload, delay);
    payload.clear_extension(&answer);
    ok = payload.is_response_ok();
  }
};

/// Stream table at 0x1000, CD at 0x2000, a three-level table from 0x3000 that maps page 0x1000 to 0x8000.
void build_tables(Memory& memory) {
  spec::Ste ste;
  ste.set<spec::Ste::V>(true).set<spec::Ste::Config>(spec::SteConfig::stage1).set<spec::Ste::S1ContextPtr>(0x2000);
  memory.store_structure(0x1000 + 1 * spec::Ste::size_bytes, ste.dw);
  spec::Cd cd;
  cd.set<spec::Cd::V>(true).set<spec::Cd::AA64>(true).set<spec::Cd::A>(true).set<spec::Cd::R>(true);
  cd.set<spec::Cd::EPD1>(true).set<spec::Cd::T0SZ>(64 - 39).set<spec::Cd::IPS>(5).set<spec::Cd::TTB0>(0x3000);
  memory.store_structure(0x2000, cd.dw);
  memory.store(0x3000, 0x4003);  // level 1: table
  memory.store(0x4000, 0x5003);  // level 2: table
  memory.store(0x5008, 0x8743);  // level 3, entry 1: page, AF, AP[1], SH, read and write
}

int sc_main(int, char**) {
  Engine engine;
  systemc::Pump pump("pump", engine);
  SmmuConfig config;
  config.timed = false;
  systemc::SmmuModule smmu("smmu", pump, config);
  Memory memory("memory");
  Endpoint endpoint("endpoint");
  endpoint.out.bind(smmu.tbu_in[0]);
  smmu.tbu_out[0].bind(memory.data);
  smmu.tcu_out.bind(memory.tables);
  build_tables(memory);
  {
    const systemc::Pump::Entry entry(pump);
    smmu.smmu().write_register(spec::reg::STRTAB_BASE, 0x1000, 8);
    smmu.smmu().write_register(spec::reg::STRTAB_BASE_CFG, 4, 4);  // linear, 2^4 streams
    smmu.smmu().write_register(spec::reg::CR0, 1, 4);              // SMMUEN
  }
  sc_core::sc_start();
  pump.rethrow_failure();
  const std::uint64_t place = endpoint.answer.translated_address.value;
  if (!endpoint.ok || place >= memory.bytes.size() || memory.bytes[place] != 0xde) return 1;
  std::printf("translated 0x1010 -> 0x%" PRIx64 "\n", place);
  return 0;
}
