// SPDX-License-Identifier: MIT
// UpdateBench: the tables, the ends of the changes, and the two ways to replay one.
#include "tests/support/linux_update_bench.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace smmusim::linux_driver {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
namespace cmd = raw::cmd;
namespace ev = raw::ev;
namespace s2 = raw::s2;

constexpr std::uint64_t page_bytes = 0x1000;
// A CD table: 4 level-1 entries, and leaves of 1024 CDs for its entries 0 and 2.
constexpr std::uint64_t cd_l1[2] = {0x4040'0000, 0x4048'0000}, cd_leaves[2] = {0x4100'0000, 0x4110'0000};
constexpr std::uint64_t cd_leaf_bytes = 0x1'0000, cd_max = 12;
constexpr std::uint64_t mair = 0x0000'0000'0044'04ff;

std::uint64_t cd_at(unsigned table, std::uint32_t ssid) {
  return cd_leaves[table] + (ssid >> 10 != 0 ? cd_leaf_bytes : 0) + 64ull * (ssid & 0x3ff);
}

constexpr Where aborts(std::uint64_t event, bool recorded = true) {
  return {0, event, recorded && event != 0};
}
constexpr Wheres all_abort(std::uint64_t event) {
  return {aborts(event), aborts(event), aborts(event)};
}
constexpr Wheres without_substreams(std::uint64_t base) {
  return {Where{base, 0}, aborts(ev::C_BAD_SUBSTREAMID), aborts(ev::C_BAD_SUBSTREAMID)};
}
constexpr Where space(std::uint64_t out, unsigned substream) {
  return {out + substream * UpdateBench::per_substream, 0};
}
constexpr Wheres with_substreams(const Where& none, std::uint64_t out) {
  return {none, space(out, 1), space(out, 2)};
}

}  // namespace

SmmuConfig update_config(bool caches, bool timed) {
  SmmuConfig config = stage2_config();
  config.features.attr_types_ovr = config.features.ats = true;
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.timed = timed;
  return caches ? config : without_caches(config);
}

UpdateBench::UpdateBench(const SmmuConfig& config, Time latency_ps)
    : bench(config, latency_ps), cached_(config.tcu.config_cache.entries != 0) {
  make_cd_tables();
  s2_root_ = bench.new_table();
  bench.map(s2_root_, 0x4000'0000, 0x4000'0000 | s2_rw | 1, 1);  // all tables, where they are
  for (std::uint64_t n = 0; n < pages; ++n) {
    const std::uint64_t at = n * page_bytes;
    bench.map(s2_root_, va + at, (out_s2 + at) | s2_rw | 3);
    for (unsigned k = 0; k < 3; ++k) {
      bench.map(s2_root_, space(out_a, k).base + at, (space(out_nested, k).base + at) | s2_rw | 3);
    }
  }
}

void UpdateBench::make_cd_tables() {
  for (unsigned table = 0; table < 2; ++table) {
    bench.memory.write64(cd_l1[table], cd_leaves[table] | 1);
    bench.memory.write64(cd_l1[table] + 16, (cd_leaves[table] + cd_leaf_bytes) | 1);
    for (unsigned k = 0; k < 3; ++k) {
      const std::uint64_t root = bench.new_table();
      for (std::uint64_t n = 0; n < pages; ++n) {
        bench.map(root, va + n * page_bytes, raw::page(space(table == 0 ? out_a : out_b, k).base + n * page_bytes));
      }
      const raw::Cd context = raw::Cd{}.with({{cd::T0SZ, 16},
                                              {cd::IR0, 1},
                                              {cd::OR0, 1},
                                              {cd::SH0, 3},
                                              {cd::EPD1, 1},
                                              {cd::V, 1},
                                              {cd::IPS, 5},
                                              {cd::AA64, 1},
                                              {cd::R, 1},
                                              {cd::A, 1},
                                              {cd::ASET, 1},
                                              {cd::ASID, 10 + 8 * table + k},
                                              {cd::TTB0, root >> 4},
                                              {cd::MAIR0, mair}});
      if (table == 0) cds_a_[k] = context;
      bench.memory.store(cd_at(table, k == 2 ? ssid_far : k), context);
    }
  }
}

End UpdateBench::abort_end() {
  return {raw::Ste{}.with({{ste::V, 1}}), all_abort(0)};
}

End UpdateBench::bypass_end() {
  return {raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}}), without_substreams(va)};
}

End UpdateBench::cdtable_end(unsigned table, std::uint64_t s1dss, Flags flags) const {
  const std::uint64_t out = table == 0 ? out_a : out_b;
  return {raw::Ste{}.with({{ste::V, 1},
                           {ste::Config, 5},
                           {ste::S1Fmt, 2},
                           {ste::S1ContextPtr, cd_l1[table] >> 6},
                           {ste::S1CDMax, cd_max},
                           {ste::S1DSS, s1dss},
                           {ste::S1CIR, 1},
                           {ste::S1COR, 1},
                           {ste::S1CSH, 3},
                           {ste::S1STALLD, !flags.stalling},
                           {ste::EATS, flags.ats},
                           {ste::SHCFG, s1dss == 1},
                           {ste::S2VMID, flags.vmid}}),
          with_substreams(s1dss == 0   ? aborts(ev::F_STREAM_DISABLED)
                          : s1dss == 1 ? Where{va, 0}
                                       : space(out, 0),
                          out)};
}

End UpdateBench::s2_end(Flags flags) const {
  const raw::Ste entry = stage2_fields(raw::Ste{}.with({{ste::V, 1},
                                                        {ste::Config, 6},
                                                        {ste::EATS, flags.ats},
                                                        {ste::SHCFG, 1},
                                                        {ste::S2VMID, flags.vmid},
                                                        {s2::S2PTW, 1},
                                                        {s2::S2S, flags.stalling}}),
                                       TableShape{}, s2_root_, 48);
  return {entry, without_substreams(out_s2)};
}

End UpdateBench::nested_end(std::uint64_t s1dss, Flags flags) const {
  Entry entry = s2_end(flags).entry;
  const Entry stage1 = cdtable_end(0, s1dss, flags).entry;
  entry.dw[0] = stage1.dw[0];
  entry.dw[1] |= stage1.dw[1];
  entry.put(ste::Config, 7).put(ste::MEV, 1);
  return {entry, with_substreams(s1dss == 1 ? Where{out_s2, 0} : space(out_nested, 0), out_nested)};
}

Change UpdateBench::ste_change(const End& from, const End& to) const {
  return {SmmuBench::strtab + 64ull * sid,
          &stream_table_entry,
          raw::command(cmd::CFGI_STE, {{cmd::StreamID, sid}, {cmd::Leaf, 1}}),
          from,
          to,
          all_abort(ev::C_BAD_STE),
          {raw::command(cmd::PREFETCH_CONFIG, {{cmd::StreamID, sid}})}};
}

End UpdateBench::cd_end(std::uint32_t ssid, std::uint64_t asid) const {
  return {cds_a_[ssid].with({{cd::ASID, asid}}), with_substreams(space(out_a, 0), out_a)};
}

End UpdateBench::sva_end(std::uint32_t ssid, std::uint64_t asid) const {
  End end = cd_end(ssid, asid);
  end.entry.put(cd::S, 1).put(cd::MAIR0, 0x0000'0000'bb00'44ff);
  return end;
}

End UpdateBench::release_end(std::uint32_t ssid, std::uint64_t asid) const {
  End end = sva_end(ssid, asid);
  for (const raw::Bits bits : {cd::T0SZ, cd::TG0, cd::IR0, cd::OR0, cd::SH0, cd::S, cd::R, cd::TTB0}) {
    end.entry.put(bits, 0);
  }
  end.entry.put(cd::EPD0, 1);
  end.wheres[ssid] = aborts(ev::F_TRANSLATION, false);
  return end;
}

End UpdateBench::cleared_end(std::uint32_t ssid) const {
  End end = cd_end(ssid, 0);
  end.entry = {};
  end.wheres[ssid] = aborts(ev::C_BAD_CD);
  return end;
}

Change UpdateBench::cd_change(std::uint32_t ssid, const End& from, const End& to) {
  bench.put_ste(sid, cdtable_end(0, 2, {.stalling = true}).entry);
  const Wheres none = cleared_end(ssid).wheres;
  Change change{cd_at(0, ssid),
                &context_descriptor,
                raw::command(cmd::CFGI_CD, {{cmd::StreamID, sid}, {cmd::SubstreamID, ssid}, {cmd::Leaf, 1}}),
                from,
                to,
                none,
                {}};
  if (from.entry.get(cd::ASID) != 0) {  // the driver drops what the old address space left
    change.last.push_back(raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, from.entry.get(cd::ASID)}}));
  }
  return change;
}

std::size_t UpdateBench::points(const Update& update) {
  std::size_t count = 1;
  for (const Step& step : update.steps) count += step.size() + 1;
  return count;
}

void UpdateBench::start(const Change& change) {
  change_ = &change;
  now_ = change.from.entry;
  seen_ = before;
  lag_over_ = false;
  bench.memory.store(change.address, now_);
  bench.invalidate_all();
  EXPECT_TRUE(bench.all_consumed());
}

unsigned UpdateBench::image() const {
  const Entry safe = change_->kind->safe(change_->from.entry, change_->to.entry);
  unsigned is = 0;
  if (looks_like(*change_->kind, now_, change_->from.entry, safe)) is |= before;
  if (looks_like(*change_->kind, now_, change_->to.entry, safe)) is |= after;
  if (is != 0) return is;
  const raw::Bits valid = change_->kind == &stream_table_entry ? ste::V : cd::V;
  EXPECT_EQ(now_.get(valid), 0u) << "the writer made an entry that is neither old, new nor invalid";
  return invalid;
}

void UpdateBench::store(const Store& store) {
  bench.memory.write64(change_->address + 8 * store.word, store.value);
  now_.dw[store.word] = store.value;
  seen_ |= image();
}

void UpdateBench::synchronised() {
  seen_ = image();
}

Transaction UpdateBench::transaction(std::size_t probe, std::uint64_t page, AccessType access) {
  Transaction t = SmmuBench::transaction(sid, va + page * page_bytes, access);
  t.substream_valid = probe != 0;
  t.substream_id = SubstreamId(probe == 0 ? 0 : probe == 1 ? 1 : ssid_far);
  return t;
}

Where UpdateBench::wanted(unsigned image, std::size_t probe) const {
  if (image == before) return change_->from.wheres[probe];
  return image == after ? change_->to.wheres[probe] : change_->invalid[probe];
}

void UpdateBench::check(std::size_t probe, std::uint64_t page, const Response& response) {
  const bool exact = !cached_ && !bench.smmu.config().timed;
  unsigned allowed = exact ? image() : seen_;
  if (change_->tlb_lags[probe] && cached_ && !lag_over_) allowed |= before;
  for (const unsigned image : {before, after, invalid}) {
    if ((allowed & image) == 0) continue;
    const Where where = wanted(image, probe);
    if (where.base == 0) {
      if (response.outcome != Outcome::abort || event_number(response) != where.event) continue;
      if (where.recorded) records_.push_back(where.event);
      return;
    }
    if (response.outcome == Outcome::proceed && response.address.value == where.base + page * page_bytes) return;
  }
  ADD_FAILURE() << "probe " << probe << " page " << page << " images " << allowed << ": outcome "
                << static_cast<int>(response.outcome) << " address " << std::hex << response.address.value << " event "
                << event_number(response);
}

void UpdateBench::traffic(std::uint64_t page) {
  for (std::size_t probe = 0; probe < probes; ++probe) {
    check(probe, 0, bench.go(transaction(probe, 0, AccessType::read)));
    check(probe, page, bench.go(transaction(probe, page, AccessType::write)));
  }
  check_events();
}

void UpdateBench::check_events() {
  std::vector<std::uint64_t> found;
  for (const raw::Record& record : bench.take_events()) {
    EXPECT_EQ(record.get(ev::StreamID), sid);
    found.push_back(record.get(ev::Type));
  }
  std::sort(found.begin(), found.end());
  std::sort(records_.begin(), records_.end());
  EXPECT_EQ(found, records_);
  records_.clear();
}

/// An entry's unused pointers are zero or stale, and nothing is below the tables: whoever follows one is seen.
void UpdateBench::check_fetches() {
  for (const BenchAccess& access : bench.memory.log) {
    EXPECT_GE(access.address, SmmuBench::strtab) << "purpose " << static_cast<int>(access.purpose);
  }
}

void UpdateBench::replay(const Change& change, std::uint64_t at, bool descending) {
  start(change);
  std::uint64_t point = 0;
  const auto pause = [&] {
    if (((at >> point) & 1) != 0) traffic(point + 1);
    ++point;
  };
  pause();
  for (const Step& step : plan_update(*change.kind, change.from.entry, change.to.entry).steps) {
    for (std::size_t i = 0; i < step.size(); ++i) {
      store(step[descending ? step.size() - 1 - i : i]);
      pause();
    }
    bench.push(change.cfgi);
    bench.sync();
    EXPECT_TRUE(bench.all_consumed());
    synchronised();
    pause();
  }
  EXPECT_EQ(now_, change.to.entry);
  for (const raw::Command& command : change.last) bench.push(command);
  bench.sync();
  lag_over_ = true;
  traffic(pages - 1);
  check_fetches();
}

void UpdateBench::submit(std::uint64_t page) {
  for (std::size_t i = 0; i <= probes; ++i) {
    Flight& flight = flights_.emplace_back();
    flight.owner = this;
    flight.probe = i % probes;
    flight.page = i < probes ? 1 + page % (pages - 1) : 0;
    flight.transaction = transaction(flight.probe, flight.page, i == 0 ? AccessType::write : AccessType::read);
    flight.fire = [](EventNode& node) {
      auto& done = static_cast<Flight&>(node);
      done.owner->answered(done);
    };
    if (bench.smmu.submit(0, flight)) answered(flight);
  }
}

void UpdateBench::answered(Flight& flight) {
  flight.answered = true;
  check(flight.probe, flight.page, flight.response);
  bench.smmu.retire(flight);
}

void UpdateBench::synchronise_timed(Time gap) {
  bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  submit(flights_.size());
  wait(gap);
  submit(flights_.size());
  for (int polls = 0; bench.cons() != bench.prod; ++polls) {
    wait(1000);
    ASSERT_LT(polls, 100'000) << "CMD_SYNC timeout";
  }
  synchronised();
}

void UpdateBench::replay_timed(const Change& change, Time gap, bool descending) {
  flights_.clear();
  start(change);
  submit(0);
  wait(gap);
  for (const Step& step : plan_update(*change.kind, change.from.entry, change.to.entry).steps) {
    for (std::size_t i = 0; i < step.size(); ++i) {
      submit(flights_.size());
      wait(gap);
      store(step[descending ? step.size() - 1 - i : i]);
    }
    bench.push(change.cfgi);
    bench.push(raw::command(cmd::SYNC));
    synchronise_timed(gap);
  }
  for (const raw::Command& command : change.last) bench.push(command);
  bench.push(raw::command(cmd::SYNC));
  synchronise_timed(gap);
  lag_over_ = true;
  bench.run();
  for (const Flight& flight : flights_) EXPECT_TRUE(flight.answered);
  EXPECT_EQ(now_, change.to.entry);
  submit(0);
  bench.run();
  check_events();
  check_fetches();
}

}  // namespace smmusim::linux_driver
