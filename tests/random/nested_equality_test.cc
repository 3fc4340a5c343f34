// SPDX-License-Identifier: MIT
// Random guests run twice: on the emulated SMMU, and accelerated, with their streams behind a simulated host's SMMU
// (stage 1 of the guest over stage 2 of the host). Translations, faults and event records are the same, but for what a
// host can't report (Difference below), which is counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "model/spec/register_offsets.h"
#include "platform/driver/commands.h"
#include "platform/host/simulated_host.h"
#include "platform/nested/guest_space.h"
#include "platform/nested/vsmmu.h"
#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_mutation.h"

namespace smmusim {
namespace {

using refwalk::Case;
using spec::EventType;

/// The list of what nesting can't report. Each is a record that the emulated SMMU writes and the host keeps to itself;
/// the access is terminated either way.
enum class Difference : std::uint8_t {
  none,
  walk_abort,     ///< F_WALK_EABT: an external abort of a stage-1 descriptor
  cd_abort,       ///< F_CD_FETCH: an external abort, or stage 2, of a CD that is not known when the STE is read
  cd_beyond,      ///< C_BAD_SUBSTREAMID of a second-level CD table beyond the guest's addresses: stage 2 refuses it
  output_beyond,  ///< no record: stage 2 refuses what the emulated SMMU sends where there is no memory
  substream,      ///< no record: with SMMUEN = 0 a stream that bypasses has stage 2 alone, which takes no substream
  count
};
using Counts = std::array<std::uint64_t, static_cast<std::size_t>(Difference::count)>;
constexpr const char* names[] = {"none",
                                 "walk aborts",
                                 "CD fetch aborts",
                                 "CD tables beyond memory",
                                 "accesses beyond memory",
                                 "substreams while SMMUEN = 0"};

Difference documented(const std::vector<EventRecord>& emulated, const std::vector<EventRecord>& nested) {
  if (emulated.size() != 1 || !nested.empty()) return Difference::none;
  switch (static_cast<EventType>(emulated[0][0] & 0xff)) {
    case EventType::F_WALK_EABT:
      return Difference::walk_abort;
    case EventType::F_CD_FETCH:
      return Difference::cd_abort;
    case EventType::C_BAD_SUBSTREAMID:
      return Difference::cd_beyond;
    default:
      return Difference::none;
  }
}

/// Whether the devices of this guest are shown with ATS: EATS and CMD_ATC_INV then go to the host.
bool shows_ats(std::uint64_t seed) {
  return seed % 8 == 5;
}

refwalk::CaseOptions options_of(std::uint64_t seed) {
  refwalk::CaseOptions options;
  options.stall = false;  // faults of nested streams are never stalled, and STALL_MODEL says so
  options.attributes = false;
  options.address52 = seed % 2 == 0;
  options.small_tables = false;  // IDR3.STT is never offered with accel
  options.minor_zero = false;
  options.aborts = seed % 4 == 0;
  options.corruption = seed % 3 == 0 ? 1.0 : 0.0;
  options.ats = shows_ats(seed);
  options.accesses = 24;
  return options;
}

/// What an accelerated SMMU never offers is not there (identity.h).
Case case_of(std::uint64_t seed) {
  Case one = refwalk::generate_case(seed, options_of(seed));
  one.registers.idr1 &= ~(std::uint32_t{3} << 26);  // ATTR_TYPES_OVR, ATTR_PERMS_OVR
  // The host's own tables are little-endian: where the guest has big ones, its SMMU has both.
  constexpr std::uint32_t ttendian = std::uint32_t{3} << 21;
  if ((one.registers.idr0 & ttendian) == ttendian) {
    one.registers.idr0 &= ~ttendian;
    one.cacheable = false;  // a CD of the other endianness has become legal, and may share its ASID
  }
  return one;
}

/// The host's SMMU: the guest's features, and stage 2.
SmmuConfig physical_config(const SmmuConfig& guest, Pa frame) {
  SmmuConfig config = guest;
  spec::Features& f = config.features;
  f.s2p = f.vmid16 = f.xnx = true;
  f.hyp = true;
  f.ptwnnc = f.version_minor >= 3;
  f.mteperm = f.version_minor >= 4;
  f.sidsize = 16;
  f.st_level = 1;
  config.frame_base = frame;
  config.gbpa_abort_at_reset = true;
  return config;
}

constexpr std::uint64_t block = 0x20'0000;

/// Guest pages that are in use, as blocks of 2 MiB: what the monitor maps.
std::set<std::uint64_t> blocks_of(const Case& one, const std::vector<std::uint64_t>& outputs) {
  std::set<std::uint64_t> blocks;
  for (const auto& [address, word] : one.memory.words) blocks.insert(address / block);
  for (const auto& [address, bytes] : one.memory.aborting) {
    for (std::uint64_t b = address / block; b <= (address + bytes - 1) / block; ++b) blocks.insert(b);
  }
  for (const std::uint64_t output : outputs) blocks.insert(output / block);
  return blocks;
}

/// Where the guest has no memory there is none: whatever reads there is aborted.
void abort_gaps(CaseMachine& machine, const std::set<std::uint64_t>& used) {
  const std::uint64_t all = (std::uint64_t{1} << machine.config.features.oas) / block;
  std::set<std::uint64_t> kept = used;
  kept.insert(machine.smmu.read_register(spec::reg::CMDQ_BASE, 8) / block);
  std::uint64_t next = 0;
  kept.insert(all);
  for (const std::uint64_t b : kept) {
    if (b > next) machine.memory.inject_abort(Pa(next * block), (b - next) * block, true, true);
    next = b + 1;
  }
}

constexpr std::uint64_t host_blocks = 34;  // 64 MiB of tables, and the page of zeroes

std::uint64_t room_for_host(const std::set<std::uint64_t>& used, unsigned oas) {
  const std::uint64_t all = (std::uint64_t{1} << std::min(oas, 48u)) / block;
  for (std::uint64_t first = all - host_blocks; first > host_blocks; first -= host_blocks) {
    const auto next = used.lower_bound(first);
    if (next == used.end() || *next >= first + host_blocks) return first * block;
  }
  throw std::runtime_error("no room for the host");
}

/// A guest machine whose streams are passthrough devices.
class NestedTwin {
 public:
  NestedTwin(const Case& one, std::uint64_t seed, const std::vector<std::uint32_t>& streams,
             std::set<std::uint64_t> used)
      : machine_(one, {false, true, seed}), streams_(streams), port_(machine_.memory) {
    const unsigned oas = machine_.config.features.oas;
    own_ = room_for_host(used, oas);
    host::SimulatedHostConfig config;
    config.kernel = seed % 5 == 0 ? "7.4" : "7.1";
    config.page_bits = machine_.config.features.gran64k && seed % 2 == 0 ? 16 : 12;
    if (!machine_.config.features.gran4k) config.page_bits = machine_.config.features.gran64k ? 16 : 14;
    config.smmus = {physical_config(machine_.config, Pa(own_ + (host_blocks - 1) * block))};
    for (std::size_t i = 0; i != streams.size(); ++i) {
      host::HostDevice device;
      device.name = "vfio" + std::to_string(i);
      device.stream = physical(i);
      device.ats_capability = shows_ats(seed);
      config.devices.push_back(device);
    }
    config.tables_base = Pa(own_);
    const std::uint64_t after = own_ + config.tables_bytes;
    config.windows = {{0, Pa(0), own_}, {after, Pa(after), (std::uint64_t{1} << oas) - after}};
    host_ = std::make_unique<host::SimulatedHost>(machine_.engine, machine_.memory, port_, config);
    auto space = nested::GuestSpace::open(*host_, std::make_shared<host::IoctlLog>());
    space_ = std::move(*space);
    vsmmu_ = std::make_unique<nested::Vsmmu>(machine_.engine, *space_, nested::VsmmuConfig{});
    map(used, own_ + (host_blocks - 2) * block);
    for (std::uint64_t b = 0; b != host_blocks; ++b) used.insert(own_ / block + b);
    abort_gaps(machine_, used);
    // The guest's SMMU does not read its own registers; to the host's they are no memory either.
    const auto frame = one.memory.aborting.find(one.memory.frame);
    if (one.memory.frame != 0 && frame != one.memory.aborting.end()) {
      machine_.memory.inject_abort(Pa(frame->first), frame->second, true, true);
    }
    vsmmu_->serve(machine_.smmu);
    for (std::size_t i = 0; i != streams.size(); ++i) {
      auto bound = vsmmu_->bind("/dev/vfio/devices/vfio" + std::to_string(i));
      if (!bound || !vsmmu_->plug(*bound, StreamId(streams[i]), shows_ats(seed))) throw std::runtime_error("no device");
    }
  }

  static StreamId physical(std::size_t index) { return StreamId(static_cast<std::uint32_t>(0x400 + index)); }

  Response translate(const refwalk::Access& access) {
    Transaction t = CaseMachine::transaction_of(access);
    const auto place = std::lower_bound(streams_.begin(), streams_.end(), access.sid);
    t.stream_id = physical(static_cast<std::size_t>(place - streams_.begin()));
    const Response response = host_->physical_smmu().translate(0, t);
    host_->service_interrupts();
    vsmmu_->drain_events();
    machine_.engine.run();
    return response;
  }

  CaseMachine& machine() { return machine_; }
  bool is_of_host(std::uint64_t address) const { return address - own_ < host_blocks * block; }
  nested::Vsmmu& vsmmu() { return *vsmmu_; }

 private:
  /// RAM, but for the window that no host gives away.
  void map(const std::set<std::uint64_t>& used, std::uint64_t zeroes) {
    for (const std::uint64_t b : used) {
      const std::uint64_t base = b * block;
      const bool in_window = base + block > host::abi::msi_window_first && base <= host::abi::msi_window_last;
      if (!in_window && !space_->map({base, block, base})) throw std::runtime_error("no memory");
    }
    if (!space_->map_zeroes(zeroes, zeroes, 0x10000)) throw std::runtime_error("no page of zeroes");
  }

  CaseMachine machine_;
  std::uint64_t own_ = 0;  ///< of the host: its tables and its SMMU
  std::vector<std::uint32_t> streams_;
  ImmediatePort port_;
  std::unique_ptr<host::SimulatedHost> host_;
  std::unique_ptr<nested::GuestSpace> space_;
  std::unique_ptr<nested::Vsmmu> vsmmu_;
};

class Program {
 public:
  explicit Program(std::uint64_t seed) : one_(case_of(seed)), emulated_(one_, {false, true, seed}), random_(seed) {
    std::set<std::uint32_t> sids;
    std::vector<std::uint64_t> outputs;
    for (const refwalk::Access& access : one_.accesses) {
      sids.insert(access.sid);
      const Response response = emulated_.translate(access);
      if (response.outcome == Outcome::proceed) outputs.push_back(response.address.value);
      const refwalk::Result found = refwalk::translate(one_.registers, one_.memory, access);
      for (const refwalk::Fetch& fetch : found.fetch_list) {
        if (fetch.kind == refwalk::FetchKind::STE) stes_[access.sid] = fetch.address;
        if (fetch.kind == refwalk::FetchKind::CD) cds_[access.sid].push_back(fetch.address);
      }
    }
    emulated_.take_events();
    emulated_.invalidate_all();
    streams_.assign(sids.begin(), sids.end());
    used_ = blocks_of(one_, outputs);
    // A block larger than the output size may lead beyond it; there is nothing.
    used_.erase(used_.lower_bound((std::uint64_t{1} << emulated_.config.features.oas) / block), used_.end());
    // Only pages of 64 KiB give a host's stage 2 as many bits.
    const spec::Features& features = emulated_.config.features;
    if (features.oas == 52 && !features.gran64k) return;
    nested_ = std::make_unique<NestedTwin>(one_, seed, streams_, used_);
    abort_gaps(emulated_, used_);
    in_window_ = used_.contains(host::abi::msi_window_first / block);
  }

  void run(Counts& counts) {
    if (nested_ == nullptr || in_window_) return;  // no host gives that memory away
    compare_all(counts);
    for (unsigned step = 0; step != 4 && !failures_.any(); ++step) {
      change();
      compare_all(counts);
    }
    EXPECT_EQ(nested_->vsmmu().counters().attach_failures, 0u);
    EXPECT_EQ(nested_->vsmmu().batches().refused, 0u);
  }

 private:
  void store(std::uint64_t address, std::uint64_t word) {
    emulated_.store(address, word);
    nested_->machine().store(address, word);
  }
  std::uint64_t load(std::uint64_t address) { return emulated_.memory.load64(Pa(address)); }
  void execute(const std::vector<spec::Command>& commands) {
    std::vector<spec::Command> all = commands;
    all.push_back(make_sync(spec::SyncSignal::none));
    emulated_.execute(all);
    nested_->machine().execute(all);
  }
  void write32(std::uint32_t offset, std::uint32_t value) {
    emulated_.write32(offset, value);
    nested_->machine().write32(offset, value);
    emulated_.engine.run();
    nested_->machine().engine.run();
  }
  template <class Map>
  auto any_of(const Map& map) {
    auto place = map.begin();
    std::advance(place, static_cast<std::ptrdiff_t>(random_.below(map.size())));
    return place;
  }

  /// One thing that a guest does, and the commands after it.
  void change() {
    switch (random_.below(5)) {
      case 0:
        if (stes_.size() > 1) copy_ste();
        return;
      case 1:
        if (!stes_.empty()) flip(any_of(stes_)->second + 8 * random_.below(2));
        execute({make_cfgi_all(), make_tlbi_nsnh_all()});
        return;
      case 2:
        if (!cds_.empty()) change_cd();
        return;
      case 3: {
        const std::uint32_t cr0 = emulated_.read32(spec::reg::CR0);
        if (random_.percent(50)) {
          write32(spec::reg::GBPA, std::uint32_t{1} << 31 | (random_.percent(50) ? std::uint32_t{1} << 20 : 0));
        }
        write32(spec::reg::CR0, cr0 ^ 1);
        return;
      }
      default:
        execute({make_tlbi_nh_all(Vmid(0)), make_cfgi_cd_all(StreamId(streams_[random_.below(streams_.size())])),
                 make_cfgi_ste(StreamId(streams_[random_.below(streams_.size())]))});
    }
  }
  void copy_ste() {
    const auto from = any_of(stes_), to = any_of(stes_);
    for (unsigned i = 0; i != 8; ++i) store(to->second + 8 * i, load(from->second + 8 * i));
    execute({make_cfgi_ste(StreamId(to->first)), make_tlbi_nsnh_all()});
  }
  /// From now on two CDs may share an ASID and differ: what caches then answer is no question of nesting.
  void flip(std::uint64_t address) {
    inconsistent_ = true;
    store(address, load(address) ^ std::uint64_t{1} << random_.below(64));
  }
  void change_cd() {
    const auto owner = any_of(cds_);
    flip(owner->second[random_.below(owner->second.size())] + 8 * random_.below(4));
    execute({make_cfgi_all(), make_tlbi_nsnh_all()});
  }

  void compare_all(Counts& counts) {
    const bool cold = !one_.cacheable || inconsistent_;
    for (std::size_t i = 0; i != one_.accesses.size() && !failures_.any(); ++i) {
      if (cold) execute({make_cfgi_all(), make_tlbi_nsnh_all()});
      compare(i, counts);
    }
  }
  void compare(std::size_t number, Counts& counts) {
    const refwalk::Access& access = one_.accesses[number];
    const Response expected = emulated_.translate(access);
    const Response got = nested_->translate(access);
    std::vector<EventRecord> records = emulated_.take_events();
    const std::vector<EventRecord> theirs = nested_->machine().take_events();
    if (names_host_memory(records)) return;
    Difference difference = documented(records, theirs);
    const bool silent = records.empty() && theirs.empty();
    if (silent && expected.outcome == Outcome::proceed && got.outcome == Outcome::abort &&
        !used_.contains(expected.address.value / block)) {
      difference = Difference::output_beyond;
    }
    const bool enabled = (emulated_.read32(spec::reg::CR0) & 1) != 0;
    if (silent && !enabled && access.ssv && expected.outcome == Outcome::proceed && got.outcome == Outcome::abort) {
      difference = Difference::substream;
    }
    ++counts[static_cast<std::size_t>(difference)];
    if (difference != Difference::none) records.clear();
    if (difference == Difference::output_beyond || difference == Difference::substream) return;
    EXPECT_EQ(got.outcome, expected.outcome) << number << ": " << text_of(access) << text_of(expected) << text_of(got);
    if (expected.outcome == Outcome::proceed) {
      EXPECT_EQ(got.address.value, expected.address.value) << text_of(access);
    }
    const std::string text = multiset_difference(records, theirs);
    EXPECT_TRUE(text.empty()) << number << ": " << text_of(access) << text;
  }

  /// A corrupted L1STD may lead to where this test has put the host's own tables, which no guest of a real host can
  /// name.
  bool names_host_memory(const std::vector<EventRecord>& records) const {
    return records.size() == 1 && static_cast<EventType>(records[0][0] & 0xff) == EventType::F_STE_FETCH &&
           nested_->is_of_host(records[0][3]);
  }

  CaseFailures failures_;
  Case one_;
  CaseMachine emulated_;
  TestRandom random_;
  std::vector<std::uint32_t> streams_;
  std::map<std::uint32_t, std::uint64_t> stes_;
  std::map<std::uint32_t, std::vector<std::uint64_t>> cds_;
  std::unique_ptr<NestedTwin> nested_;
  std::set<std::uint64_t> used_;
  bool in_window_ = false;
  bool inconsistent_ = false;
};

TEST(NestedEquality, RandomGuestsSeeWhatTheEmulatedSmmuShows) {
  Counts counts{};
  for_each_seed(1000, [&](std::uint64_t seed) { Program(seed).run(counts); });
  for (std::size_t i = 0; i != counts.size(); ++i)
    std::printf("%-24s %llu\n", names[i], static_cast<unsigned long long>(counts[i]));
  EXPECT_GT(counts[0], 0u);
}

}  // namespace
}  // namespace smmusim
