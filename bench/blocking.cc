// SPDX-License-Identifier: MIT
// Untimed accesses through a TBU's sockets, as loosely timed models make them: b_transport that hits the micro TLB,
// and direct accesses through a DMI pointer. Beside them, measured in the same run, the least that SystemC can do: the
// same b_transport to the same memory without the SMMU, and a plain copy. `ratio_to_calibration` is time per access
// over that. All in one elaboration: an untimed SMMU needs no simulated time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <systemc>
#include <tlm>
#include <vector>

#include "bench/calibration.h"
#include "model/spec/registers.h"
#include "platform/driver/table_builder.h"
#include "platform/memory/memory_module.h"
#include "tlm/smmu_module.h"

namespace {

using namespace smmusim;
using namespace smmusim::systemc;
namespace reg = spec::reg;

constexpr std::uint64_t ram = 0x40000000;
constexpr std::uint64_t data_base = ram + (std::uint64_t{1} << 28);
constexpr std::size_t pages = 32;
constexpr std::size_t bytes = 8;

/// The cheapest target: a block of host memory.
class FlatMemory : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in{"in"};
  FlatMemory(const sc_core::sc_module_name& name, std::uint64_t base)
      : sc_core::sc_module(name), base_(base), data_(pages * 4096) {
    in.bind(*this);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) override {
    unsigned char* place = data_.data() + (payload.get_address() - base_);
    if (payload.is_write()) {
      std::memcpy(place, payload.get_data_ptr(), payload.get_data_length());
    } else {
      std::memcpy(payload.get_data_ptr(), place, payload.get_data_length());
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase&,
                                     sc_core::sc_time& delay) override {
    b_transport(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  unsigned transport_dbg(tlm::tlm_generic_payload&) override { return 0; }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) override {
    dmi.set_dmi_ptr(data_.data());
    dmi.set_start_address(base_);
    dmi.set_end_address(base_ + (data_.size() - 1));
    dmi.allow_read_write();
    return true;
  }

 private:
  std::uint64_t base_;
  std::vector<unsigned char> data_;
};

/// An initiator that accesses 8 bytes at a time, with one payload.
class Client : public sc_core::sc_module, public tlm::tlm_bw_transport_if<> {
 public:
  tlm::tlm_initiator_socket<> out{"out"};
  explicit Client(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    out.bind(*this);
    payload_.set_read();
    payload_.set_data_ptr(data_);
    payload_.set_data_length(bytes);
    payload_.set_streaming_width(bytes);
  }
  /// True if the access succeeded.
  bool access(std::uint64_t address) {
    payload_.set_address(address);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    payload_.set_dmi_allowed(false);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    out->b_transport(payload_, delay);
    return payload_.is_response_ok();
  }
  bool ask(std::uint64_t address, tlm::tlm_dmi& dmi) {
    payload_.set_address(address);
    return out->get_direct_mem_ptr(payload_, dmi);
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

 private:
  tlm::tlm_generic_payload payload_;
  unsigned char data_[bytes] = {};
};

/// An untimed SMMU with one stream whose IOVAs 0 on are `pages` pages of FlatMemory, and the bare hop.
class World {
 public:
  Client client{"client"};
  Client bare_client{"bare_client"};

  World()
      : page_allocator_(Pa(ram), 16 << 20),
        streams_(StreamTable::linear(memory_, page_allocator_, 4)),
        contexts_(memory_, page_allocator_, 0),
        table_(memory_, page_allocator_, Geometry{}),
        smmu_("smmu", pump_, config()) {
    client.out.bind(smmu_.tbu_in[0]);
    smmu_.tbu_out[0].bind(target_.in);
    smmu_.tcu_out.bind(tables_.in);
    bare_client.out.bind(bare_target_.in);
    table_.map(0, Pa(data_base), pages * 4096, MapOptions{});
    contexts_.write(0, make_stage1_cd(table_, Asid(1)));
    streams_.write(StreamId(0), make_stage1_ste(contexts_));
    Smmu& core = smmu_.smmu();
    core.write_register(reg::STRTAB_BASE, streams_.base_register(), 8);
    core.write_register(reg::STRTAB_BASE_CFG, streams_.base_cfg_register(), 4);
    core.write_register(reg::CR0, spec::CR0::SMMUEN::mask, 4);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

 private:
  static SmmuConfig config() {
    SmmuConfig config;
    config.timed = false;
    return config;
  }
  Engine engine_;
  Pump pump_{"pump", engine_};
  SparseMemory memory_;
  PageAllocator page_allocator_;
  StreamTable streams_;
  ContextTable contexts_;
  PageTable table_;
  SmmuModule smmu_;
  platform::MemoryModule tables_{"tables", pump_, memory_};
  FlatMemory target_{"target", data_base};
  FlatMemory bare_target_{"bare_target", 0};
};

/// SystemC elaborates once in a process.
World& world() {
  static World the_world;
  return the_world;
}

std::vector<std::uint64_t> random_addresses() {
  std::vector<std::uint64_t> addresses(1024);
  std::uint64_t state = 1;
  for (std::uint64_t& address : addresses) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    address = (state >> 33) % (pages * 4096 / bytes) * bytes;
  }
  return addresses;
}

double bare_hop_seconds(const std::vector<std::uint64_t>& addresses) {
  Client& client = world().bare_client;
  return seconds_per_item(4'000'000, [&](std::size_t items) {
    bool ok = true;
    for (std::size_t n = 0; n < items; ++n) ok &= client.access(addresses[n % addresses.size()]);
    if (!ok) throw std::logic_error("the bare hop failed");
  });
}

void BM_BlockingHit(benchmark::State& state) {
  const std::vector<std::uint64_t> addresses = random_addresses();
  const double bare = bare_hop_seconds(addresses);
  Client& client = world().client;
  bool ok = true;
  for (const std::uint64_t address : addresses) ok &= client.access(address);
  std::size_t n = 0;
  for (auto _ : state) ok &= client.access(addresses[n++ % addresses.size()]);
  if (!ok) state.SkipWithError("an access failed");
  report_ratio(state, bare);
}
BENCHMARK(BM_BlockingHit);

void copy_at(const unsigned char* base, std::uint64_t offset, unsigned char* to) {
  std::memcpy(to, base + offset, bytes);
  benchmark::DoNotOptimize(*to);
}

/// What an initiator does that keeps one grant for each page it uses.
void BM_DirectAccess(benchmark::State& state) {
  const std::vector<std::uint64_t> addresses = random_addresses();
  std::vector<tlm::tlm_dmi> grants(pages);
  for (std::size_t page = 0; page < pages; ++page) {
    if (!world().client.ask(page * 4096, grants[page])) {
      state.SkipWithError("no DMI grant");
      return;
    }
  }
  unsigned char data[bytes] = {};
  const std::vector<unsigned char> flat(pages * 4096);
  const double bare = seconds_per_item(4'000'000, [&](std::size_t items) {
    for (std::size_t n = 0; n < items; ++n) copy_at(flat.data(), addresses[n % addresses.size()], data);
  });
  std::size_t n = 0;
  for (auto _ : state) {
    const std::uint64_t address = addresses[n++ % addresses.size()];
    const tlm::tlm_dmi& grant = grants[address / 4096];
    if (address < grant.get_start_address() || address > grant.get_end_address() || !grant.is_read_allowed()) {
      state.SkipWithError("a grant does not hold its page");
      return;
    }
    copy_at(grant.get_dmi_ptr(), address - grant.get_start_address(), data);
  }
  report_ratio(state, bare);
}
BENCHMARK(BM_DirectAccess);

/// Asking for a grant, which an initiator does once a page: a debug translation.
void BM_DirectRequest(benchmark::State& state) {
  const std::vector<std::uint64_t> addresses = random_addresses();
  const double bare = bare_hop_seconds(addresses);
  tlm::tlm_dmi dmi;
  bool ok = true;
  for (const std::uint64_t address : addresses) ok &= world().client.access(address);
  std::size_t n = 0;
  for (auto _ : state) ok &= world().client.ask(addresses[n++ % addresses.size()], dmi);
  if (!ok) state.SkipWithError("no DMI grant");
  report_ratio(state, bare);
}
BENCHMARK(BM_DirectRequest);

}  // namespace
