// SPDX-License-Identifier: MIT
// What a co-simulation records: lines that the importer of QEMU's log reads back as the accesses and commands that
// there were.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "platform/cosim/device/trace_records.h"
#include "platform/trace/import_qemu.h"
#include "platform/trace/text.h"
#include "tests/cosim/device_bench.h"

namespace smmusim::cosim {
namespace {

using namespace raw::cmd;
using raw::cmd::Address;

std::vector<trace::Record> imported(const std::string& log) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("smmusim-recording-" + std::to_string(getpid()) + ".log");
  std::ofstream(path) << log;
  trace::ImportReport report;
  std::vector<trace::Record> records = trace::read_qemu_log(path, {}, report);
  std::filesystem::remove(path);
  return records;
}

/// The record's text without its time.
std::string text_of(const trace::Record& record) {
  std::string line;
  trace::append_line(record, line);
  return line.substr(line.find(' ') + 1);
}

struct RecordingBench {
  std::string log;
  std::uint64_t now = 5'000'000;
  DeviceBench bench{
      CosimOptions{{}, [this](const std::string& lines) { log += lines; }, [this] { return now += 1000; }}};
};

TEST(CosimRecording, AccessesHaveTheirDirectionAndTheirPair) {
  RecordingBench recording;
  recording.bench.translate(DeviceBench::iova + 0x40, DeviceAccess::read);
  recording.bench.translate(DeviceBench::iova + 0xff0, DeviceAccess::write);
  const std::vector<trace::Record> records = imported(recording.log);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(text_of(records[0]), "read sid=0x8 addr=0xffffd040 size=64 pa=0x40100040 perm=rw");
  EXPECT_EQ(text_of(records[1]), "write sid=0x8 addr=0xffffdff0 size=16 pa=0x40100ff0 perm=rw");
  EXPECT_EQ(records[1].time_ps, 1000u);  // since the first record
}

TEST(CosimRecording, WhatBypassesIsMappedToItself) {
  RecordingBench recording;
  recording.bench.smmu.reset();  // SMMUEN = 0, GBPA lets everything by
  recording.bench.translate(DeviceBench::iova + 0x40, DeviceAccess::read);
  const std::vector<trace::Record> records = imported(recording.log);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(text_of(records[0]), "read sid=0x8 addr=0xffffd040 size=64 pa=0xffffd040 perm=rw");
}

TEST(CosimRecording, LooksAndFaultsAreNotRecorded) {
  RecordingBench recording;
  recording.bench.translate(DeviceBench::iova, DeviceAccess::look);
  recording.bench.translate(DeviceBench::iova + 0x1000, DeviceAccess::read);
  EXPECT_EQ(recording.log, "");
}

TEST(CosimRecording, AnIllegalCommandIsNotRecorded) {
  RecordingBench recording;
  recording.bench.issue(raw::command(0xff));
  EXPECT_EQ(recording.log, "");
}

struct Row {
  raw::Command command;
  unsigned stages;   ///< of the SMMU: 1, 2 or both, as bits
  const char* line;  ///< empty: nothing
};

TEST(CosimRecording, EveryCommandOfADriver) {
  constexpr raw::Bits Stream = StreamID;
  const Row rows[] = {
      {raw::command(CFGI_STE, {{Stream, 0x108}}), 3, "config ste sid=0x108"},
      {raw::command(CFGI_STE_RANGE, {{Stream, 0x109}, {Range, 2}}), 3, "config ste-range sid=0x108 last=0x10f"},
      {raw::command(CFGI_STE_RANGE, {{Range, 31}}), 3, "config all"},
      {raw::command(CFGI_CD, {{Stream, 8}}), 3, "config cd sid=0x8"},
      {raw::command(CFGI_CD_ALL, {{Stream, 8}}), 3, "config cd-all sid=0x8"},
      {raw::command(TLBI_NH_VA, {{ASID, 7}, {Address, 5}, {Leaf, 1}}), 3,
       "invalidate range asid=7 addr=0x5000 pages=1 leaf"},
      {raw::command(TLBI_NH_VA, {{ASID, 7}, {Address, 0x10}, {TG, 2}, {NUM, 2}, {SCALE, 3}, {TTL, 3}}), 3,
       "invalidate range asid=7 addr=0x10000 granule=16K pages=24 ttl=3"},
      {raw::command(TLBI_NH_VAA, {{Address, 5}}), 3, "invalidate range addr=0x5000 pages=1"},
      {raw::command(TLBI_NH_ASID, {{ASID, 7}}), 3, "invalidate asid asid=7"},
      {raw::command(TLBI_NH_ALL, {{VMID, 3}}), 3, "invalidate vmid-s1 vmid=3"},
      {raw::command(TLBI_NH_ALL, {{VMID, 3}}), 1, "invalidate vmid-s1"},
      {raw::command(0x28, {{VMID, 3}}), 3, "invalidate vmid vmid=3"},
      {raw::command(0x2a, {{VMID, 3}, {Address, 5}}), 3, "invalidate ipa-range vmid=3 addr=0x5000 pages=1"},
      {raw::command(0x28, {{VMID, 3}}), 2, "invalidate asid asid=3"},
      {raw::command(0x2a, {{VMID, 3}, {Address, 5}}), 2, "invalidate range asid=3 addr=0x5000 pages=1"},
      {raw::command(TLBI_NSNH_ALL), 3, "invalidate all"},
      {raw::command(TLBI_EL2_VA, {{ASID, 7}, {Address, 5}}), 3, "invalidate range asid=7 addr=0x5000 pages=1"},
      {raw::command(SYNC), 3, ""},
      {raw::command(PREFETCH_CONFIG), 3, ""},
  };
  for (const Row& row : rows) {
    spec::Features features;
    features.s1p = (row.stages & 1) != 0;
    features.s2p = (row.stages & 2) != 0;
    features.ril = true;
    spec::Command command;
    command.dw = row.command.dw;
    const std::optional<trace::Record> record = record_of(command, features);
    EXPECT_EQ(record ? text_of(*record) : "", row.line);
    if (record) {
      EXPECT_EQ(trace::check_record(*record), nullptr) << row.line;
    }
  }
}

}  // namespace
}  // namespace smmusim::cosim
