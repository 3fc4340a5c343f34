// SPDX-License-Identifier: MIT
// An outside SystemC platform: an endpoint of its own behind smmusim's SMMU, memory and driver's tables from the
// package. It maps one page and writes through it.
#include <tlm_utils/simple_initiator_socket.h>

#include <cinttypes>
#include <cstdio>

#include "model/spec/register_offsets.h"
#include "platform/driver/table_builder.h"
#include "platform/memory/memory_module.h"
#include "tlm/smmu_module.h"

using namespace smmusim;

/// Writes 8 bytes to `address` as the device with StreamID 8 and looks where they went.
struct Endpoint : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Endpoint> out;
  std::uint64_t address = 0;
  systemc::SmmuExtension answer;

  SC_HAS_PROCESS(Endpoint);
  explicit Endpoint(const sc_core::sc_module_name& name) : sc_module(name), out("out") { SC_THREAD(run); }

  void run() {
    unsigned char data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(address);
    payload.set_data_ptr(data);
    payload.set_data_length(sizeof data);
    payload.set_streaming_width(sizeof data);
    answer.client.stream_id = StreamId(8);
    payload.set_extension(&answer);
    sc_core::sc_time delay;
    out->b_transport(payload, delay);
    payload.clear_extension(&answer);
    answer.translated = answer.translated && payload.is_response_ok();
  }
};

int sc_main(int, char**) {
  Engine engine;
  systemc::Pump pump("pump", engine);
  SparseMemory memory;
  platform::MemoryModule data("data", pump, memory), tables("tables", pump, memory);
  systemc::SmmuModule smmu("smmu", pump, SmmuConfig{});
  Endpoint endpoint("endpoint");
  endpoint.out.bind(smmu.tbu_in[0]);
  smmu.tbu_out[0].bind(data.in);
  smmu.tcu_out.bind(tables.in);

  PageAllocator pages(Pa(0x5000'0000), 1 << 20);
  StreamTable streams = StreamTable::linear(memory, pages, 6);
  PageTable page_table(memory, pages, Geometry{});
  page_table.map(0x10'0000, Pa(0x4567'8000), 0x1000, {});
  ContextTable contexts(memory, pages, 0);
  contexts.write(0, make_stage1_cd(page_table, Asid(1)));
  streams.write(StreamId(8), make_stage1_ste(contexts));
  {
    const systemc::Pump::Entry entry(pump);
    smmu.smmu().write_register(spec::reg::STRTAB_BASE, streams.base_register(), 8);
    smmu.smmu().write_register(spec::reg::STRTAB_BASE_CFG, streams.base_cfg_register(), 4);
    smmu.smmu().write_register(spec::reg::CR0, 1, 4);  // SMMUEN
  }

  endpoint.address = 0x10'0040;
  sc_core::sc_start();
  pump.rethrow_failure();
  std::uint64_t stored = 0;
  const bool arrived = memory.read64(endpoint.answer.translated_address, stored) && stored == 0x0807'0605'0403'0201;
  if (!endpoint.answer.translated || !arrived) return 1;
  std::printf("translated 0x%" PRIx64 " -> 0x%" PRIx64 "\n", endpoint.address,
              endpoint.answer.translated_address.value);
  return 0;
}
