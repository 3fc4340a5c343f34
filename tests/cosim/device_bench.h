// SPDX-License-Identifier: MIT
// A CosimSmmu over a flat piece of RAM, set up as a driver would: linear stream table, queues, one stage-1 stream.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "platform/cosim/device/cosim_smmu.h"
#include "tests/support/raw_words.h"
#include "tests/support/smmu_bench.h"

namespace smmusim::cosim {

class FlatRam final : public GuestRam {
 public:
  static constexpr std::uint64_t base = 0x4000'0000, bytes = 0x20'0000;

  std::byte* find(std::uint64_t address, std::uint64_t size) override {
    const std::uint64_t offset = address - base;
    return offset < bytes && size <= bytes - offset ? reinterpret_cast<std::byte*>(words_.data()) + offset : nullptr;
  }
  void write(std::uint64_t address, const void* data, std::uint64_t size) override {
    ++writes;
    std::memcpy(find(address, size), data, size);
  }
  std::uint64_t& word(std::uint64_t address) { return words_.at((address - base) / 8); }

  unsigned writes = 0;  ///< that the machine was told of

 private:
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(bytes / 8);
};

struct DeviceBench {
  static constexpr std::uint64_t strtab = 0x4000'0000, cmdq = 0x4001'0000, eventq = 0x4002'0000, cd = 0x4003'0000;
  static constexpr std::uint64_t tables = 0x4004'0000, page = 0x4010'0000, doorbell = 0x0809'0040;
  static constexpr std::uint32_t sid = 8;
  static constexpr std::uint64_t iova = 0xffff'd000;
  static constexpr StreamId stream{sid};

  explicit DeviceBench(CosimOptions options = {}, const SmmuConfig& config = {})
      : smmu(config, ram, std::move(options)) {
    put_tables();
    write(off::CR2, 2);  // RECINVSID
    write(off::STRTAB_BASE, strtab, 8);
    write(off::STRTAB_BASE_CFG, 6);
    write(off::CMDQ_BASE, cmdq | 6, 8);
    write(off::EVENTQ_BASE, eventq | 6, 8);
    write(off::IRQ_CTRL, irq::GERROR | irq::EVENTQ);
    write(off::CR0, cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
  }

  void put_tables() {
    using namespace raw;
    store(strtab + 64 * sid, SmmuBench::stage1_ste(cd));
    store(cd, Cd{}.with({{cd::T0SZ, 16},
                         {cd::EPD1, 1},
                         {cd::V, 1},
                         {cd::IPS, 5},
                         {cd::AA64, 1},
                         {cd::R, 1},
                         {cd::A, 1},
                         {cd::ASID, 7},
                         {cd::TTB0, tables >> 4},
                         {cd::MAIR0, 0xff}}));
    ram.word(tables) = (tables + 0x1000) | 3;
    ram.word(tables + 0x1000 + 8 * (iova >> 30)) = (tables + 0x2000) | 3;
    ram.word(tables + 0x2000 + 8 * (iova >> 21 & 511)) = (tables + 0x3000) | 3;
    ram.word(descriptor(iova)) = raw::page(page);
  }
  /// Where the level-3 descriptor of an address in the same 2 MiB as iova stands.
  static std::uint64_t descriptor(std::uint64_t address) { return tables + 0x3000 + 8 * (address >> 12 & 511); }

  template <std::size_t N>
  void store(std::uint64_t address, const raw::Words<N>& words) {
    for (std::size_t i = 0; i != N; ++i) ram.word(address + 8 * i) = words.dw[i];
  }
  Consequences write(std::uint32_t offset, std::uint64_t value, unsigned size = 4) {
    return smmu.write_register(offset, value, size);
  }
  std::uint64_t read(std::uint32_t offset) { return smmu.read_register(offset, 4); }
  Consequences issue(const raw::Command& command) {
    store(cmdq + 16 * prod, command);
    return write(off::CMDQ_PROD, ++prod);
  }
  Translation translate(std::uint64_t address, DeviceAccess access) {
    return smmu.translate(stream, address, access, last);
  }

  FlatRam ram;
  CosimSmmu smmu;
  Consequences last;  ///< of translate()
  std::uint32_t prod = 0;
};

}  // namespace smmusim::cosim
