// SPDX-License-Identifier: MIT
// A PcieFunction on an untimed link whose other end is a root written by the test: it keeps a copy of every TLP that
// comes, and answers as a root complex would, or as the test says. No SMMU: translations are what the test gives out.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "platform/endpoint/pcie_function.h"
#include "platform/pcie/completion.h"
#include "platform/pcie/messages.h"

namespace smmusim::platform {

/// What is in memory at an address of the test's world.
inline unsigned char byte_at(std::uint64_t address) {
  return static_cast<unsigned char>(address * 7 + (address >> 8) * 13);
}

/// The upstream end. It holds back what `holds` is true for; everything else is answered at once.
class ScriptedRoot final : public TlpLink::Port {
 public:
  static constexpr std::uint16_t own_id = 0x0002;

  ScriptedRoot(TlpPool& tlps, TlpLink& to) : pool(tlps), link(to) { link.connect(TlpLink::upstream, *this); }

  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    came.push_back(tlp);
    const Tlp copy = tlp;
    if (keeps && keeps(copy)) {
      kept_.push_back(&tlp);
    } else {
      take_out(tlp);
    }
    if (holds && holds(copy)) {
      held.push_back(copy);
    } else {
      answer(copy);
    }
  }
  void room_again(FlowClass, TlpLink&) override {}

  void answer(const Tlp& tlp) {
    if (tlp.is_translation_request()) {
      complete_translation(tlp, translate(tlp));
    } else if (tlp.type == TlpType::MRd || tlp.is_atomic()) {
      complete(tlp);
    } else if (tlp.watcher != nullptr) {
      tlp.watcher->resolved(tlp.cookie, {.outcome = Outcome::proceed});
    }
  }
  /// What it has kept leaves the receive buffer.
  void release_kept() {
    for (Tlp* tlp : std::exchange(kept_, {})) take_out(*tlp);
  }
  void answer_held() {
    for (const Tlp& tlp : std::exchange(held, {})) answer(tlp);
  }
  /// A successful read, in as many completions as `limits` make.
  void complete(const Tlp& request) {
    const ByteRange bytes = bytes_of(request);
    std::vector<unsigned char> data(bytes.size);
    for (std::uint32_t i = 0; i != bytes.size; ++i) data[i] = byte_at(bytes.address + i);
    CompletionSplitter splitter(request, own_id, limits);
    while (!splitter.done()) send(splitter.next(pool, data));
  }
  void fail(const Tlp& request, CplStatus status) { send(error_completion(pool, request, own_id, status)); }
  void complete_translation(const Tlp& request, const TranslationEntry& entry) {
    complete_translation(request, std::vector<TranslationEntry>{entry});
  }
  void complete_translation(const Tlp& request, const std::vector<TranslationEntry>& entries) {
    Tlp& tlp = pool.take();
    put(tlp, entries);
    tlp.requester_id = request.requester_id;
    tlp.tag = request.tag;
    tlp.completer_id = own_id;
    tlp.byte_count = static_cast<std::uint16_t>(tlp.payload_bytes());
    send(tlp);
  }
  template <class Message>
  void send_message(const Message& message) {
    Tlp& tlp = pool.take();
    put(tlp, message);
    send(tlp);
  }
  void send(Tlp& tlp) { link.send(TlpLink::upstream, tlp); }

  std::vector<Tlp> of(TlpType type) const {
    return which([&](const Tlp& t) { return t.type == type; });
  }
  std::vector<Tlp> translation_requests() const {
    return which([](const Tlp& t) { return t.is_translation_request(); });
  }
  std::vector<Tlp> reads() const {
    return which([](const Tlp& t) { return t.type == TlpType::MRd && !t.is_translation_request(); });
  }
  std::vector<Tlp> messages(MessageCode code) const {
    return which([&](const Tlp& t) { return t.is_message() && t.message == code; });
  }

  TlpPool& pool;
  TlpLink& link;
  CompletionLimits limits{};
  std::vector<Tlp> came, held;
  std::function<bool(const Tlp&)> holds;
  std::function<bool(const Tlp&)> keeps;  ///< for which TLPs it gives no credits back
  /// The answer to a Translation Request; without anything else: 4 KiB pages 0x4000'0000 higher, readable and writable.
  std::function<TranslationEntry(const Tlp&)> translate = [](const Tlp& t) { return page_entry(t.address + offset); };

  static constexpr std::uint64_t offset = 0x4000'0000;
  static TranslationEntry page_entry(std::uint64_t translated, bool read = true, bool write = true) {
    TranslationEntry entry;
    entry.range = {translated, 12};
    entry.read = read;
    entry.write = write;
    return entry;
  }

 private:
  std::vector<Tlp*> kept_;

  void take_out(Tlp& tlp) {
    link.release(TlpLink::upstream, tlp);
    pool.give(tlp);
  }
  template <class Condition>
  std::vector<Tlp> which(Condition condition) const {
    std::vector<Tlp> found;
    for (const Tlp& tlp : came) {
      if (condition(tlp)) found.push_back(tlp);
    }
    return found;
  }
};

/// Bus master and memory space are on; nothing else is.
struct FunctionBench {
  struct Done {
    std::uint64_t tag;
    DmaStatus status;
    AtcUse atc;
    std::vector<unsigned char> data;
  };
  static constexpr std::uint16_t rid = 0x0108;

  Engine engine;
  TlpPool pool;
  TlpLink link;
  PcieFunction function;
  ScriptedRoot root{pool, link};
  std::vector<Done> done;

  explicit FunctionBench(PcieFunctionConfig config = {}, const FunctionDescription& description = with_everything(),
                         const TlpLinkConfig& link_config = untimed())
      : link(engine, link_config), function(engine, pool, with_rid(config), description) {
    function.connect(link);
    function.set_handler([this](const DmaCompletion& d) {
      done.push_back({d.work.tag, d.status, d.atc, std::vector<unsigned char>(d.data.begin(), d.data.end())});
    });
    write(0x04, 6, 2);
  }

  static TlpLinkConfig untimed() {
    TlpLinkConfig config;
    config.timed = false;
    config.mps_bytes = 4096;
    config.transmit_queue = 256;
    for (FlowCredits* credits : {&config.upstream_receiver, &config.downstream_receiver}) *credits = {{0, 0, 0}, {}};
    return config;
  }
  static FunctionDescription with_everything() {
    FunctionDescription description;
    description.pcie.mps_log2 = 12;
    description.bars[0] = {0x1000, false, false};
    description.ats = AtsCapability{};
    description.pri = PriCapability{};
    description.pasid = PasidCapability{.width = 16, .execute = true, .privileged = true};
    return description;
  }
  static PcieFunctionConfig with_rid(PcieFunctionConfig config) {
    config.requester_id = rid;
    config.atc.cache = {64, 4, Replacement::lru};
    return config;
  }

  // What software writes.
  void write(std::uint32_t offset, std::uint32_t value, unsigned size) {
    function.config_space().space().write(offset, value, size);
  }
  void write_capability(std::uint16_t id, bool extended, std::uint32_t offset, std::uint32_t value, unsigned size) {
    const std::optional<std::uint16_t> at = function.config_space().capability(id, extended);
    ASSERT_TRUE(at.has_value());
    write(*at + offset, value, size);
  }
  /// 128 << the two sizes' codes.
  void set_device_control(unsigned payload, unsigned read_request, bool extended_tags) {
    write_capability(0x10, false, cap::pcie_device_control,
                     payload << 5 | read_request << 12 | (extended_tags ? 1U << 8 : 0), 2);
  }
  void enable_atomics() { write_capability(0x10, false, cap::pcie_device_control_2, 1U << 6, 2); }
  void enable_ats(unsigned stu = 0) { write_capability(0x0f, true, cap::ats_control, 1U << 15 | stu, 2); }
  void disable_ats() { write_capability(0x0f, true, cap::ats_control, 0, 2); }
  void enable_pri(unsigned allocation = 32) {
    write_capability(0x13, true, cap::pri_allocation, allocation, 4);
    write_capability(0x13, true, cap::pri_control, 1, 2);
  }
  /// With Execute and Privileged Mode.
  void enable_pasid() { write_capability(0x1b, true, cap::pasid_control, 7, 2); }

  static DmaWork read_of(std::uint64_t address, std::uint32_t size, std::uint64_t tag = 0) {
    DmaWork work;
    work.address = Va(address);
    work.size = size;
    work.tag = tag;
    return work;
  }
  static DmaWork write_of(std::uint64_t address, std::uint32_t size, std::uint64_t tag = 0) {
    DmaWork work = read_of(address, size, tag);
    work.write = true;
    return work;
  }
  static DmaWork with_pasid(DmaWork work, std::uint32_t pasid) {
    work.substream_valid = true;
    work.substream_id = SubstreamId(pasid);
    return work;
  }
  void push(const DmaWork& work) { ASSERT_TRUE(function.push(work)); }
  /// Until nothing more happens by itself.
  void run() {
    engine.run();
    EXPECT_EQ(function.imbalance(), "");
  }
  void push_and_run(const DmaWork& work) {
    push(work);
    run();
  }
  /// Everything has ended, and every TLP is back in the pool.
  void expect_quiet() {
    EXPECT_TRUE(function.idle());
    EXPECT_EQ(function.in_flight(), 0U);
    EXPECT_EQ(pool.out(), 0U);
    EXPECT_EQ(function.imbalance(), "");
  }
  std::vector<DmaStatus> statuses() const {
    std::vector<DmaStatus> all;
    for (const Done& d : done) all.push_back(d.status);
    return all;
  }
  void invalidate(std::uint64_t address, unsigned bits = 12, unsigned itag = 0, const PasidPrefix& pasid = {},
                  bool global = false) {
    root.send_message(InvalidateRequest{ScriptedRoot::own_id, rid, itag, pasid, {address, bits}, global});
  }
};

inline std::vector<unsigned char> bytes_from(std::uint64_t address, std::size_t size) {
  std::vector<unsigned char> data(size);
  for (std::size_t i = 0; i != size; ++i) data[i] = byte_at(address + i);
  return data;
}

}  // namespace smmusim::platform
