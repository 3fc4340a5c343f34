// SPDX-License-Identifier: MIT
// Files for the tests of platform/trace: a folder of its own per test, whole-file reading and writing, one record of
// each kind.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "platform/trace/reader.h"
#include "platform/trace/record.h"
#include "platform/trace/writer.h"

namespace smmusim::trace {

class TraceTest : public ::testing::Test {
 protected:
  TraceTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(info->test_suite_name()) + "." + info->name() + "." + std::to_string(::getpid());
    for (char& c : name) c = c == '/' ? '_' : c;
    folder_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directories(folder_);
  }
  ~TraceTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string file_with(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  bool folder_is_empty() const { return std::filesystem::is_empty(folder_); }

 private:
  std::filesystem::path folder_;
};

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::vector<Record> records_of(const std::string& path) {
  const auto reader = Reader::open(path);
  std::vector<Record> all;
  Record record;
  while (reader->next(record)) all.push_back(record);
  return all;
}

inline void write_records(const std::string& path, const std::vector<Record>& records, const WriteOptions& options) {
  Writer writer(path, options);
  for (const Record& r : records) writer.write(r);
  writer.close();
}

/// A shipped trace, found from this file's own place in the tree.
inline std::string shipped(const std::string& name) {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  return (root / "traces" / ("linux72-nvme-" + name + ".trace")).string();
}

/// Legal records of every kind and scope, with every field in use somewhere.
inline std::vector<Record> sample_records() {
  std::vector<Record> all;
  all.push_back(make_access(0, Op::read, 8, 0xffffd000, 64, 0x41387000, perm_read | perm_write));
  all.push_back(make_access(10, Op::atomic, 8, 0xfffffffffffffff8, 8, 0x1ff8, perm_write));
  Record bare;
  bare.time_ps = 10;
  bare.op = Op::write;
  bare.ats = Ats::translated;
  bare.address = 0x1000;
  bare.size = 1u << 20;
  bare.stream = 0xffffffff;
  bare.has_substream = true;
  bare.substream = 0xfffff;
  bare.tag = 77;
  bare.privileged = bare.instruction = true;
  all.push_back(bare);
  Record map;
  map.time_ps = 20;
  map.kind = Kind::map;
  map.stream = 9;
  map.address = 0x200000;
  map.output = 0x80000000;
  map.pages = 512;
  map.granule_log2 = 12;
  map.perm = perm_read;
  all.push_back(map);
  Record unmap = map;
  unmap.kind = Kind::unmap;
  unmap.output = 0;
  unmap.perm = 0;
  all.push_back(unmap);
  Record range = make_range_invalidation(30, 2, 0xfff60000, 32);
  range.ttl = 3;
  all.push_back(range);
  range.granule_log2 = 0;
  range.pages = 1;
  range.has_asid = false;
  range.asid = 0;
  range.has_vmid = true;
  range.vmid = 0xffff;
  all.push_back(range);
  range.invalidate_scope = InvalidateScope::ipa_range;
  range.granule_log2 = 16;
  all.push_back(range);
  for (const auto scope :
       {InvalidateScope::asid, InvalidateScope::vmid_s1, InvalidateScope::all, InvalidateScope::vmid}) {
    Record r;
    r.time_ps = 40;
    r.kind = Kind::invalidate;
    r.invalidate_scope = scope;
    r.has_asid = scope == InvalidateScope::asid;
    r.asid = r.has_asid ? std::uint16_t{5} : std::uint16_t{0};
    r.has_vmid = scope == InvalidateScope::vmid;
    r.vmid = r.has_vmid ? std::uint16_t{6} : std::uint16_t{0};
    all.push_back(r);
  }
  for (const auto scope :
       {ConfigScope::ste, ConfigScope::ste_range, ConfigScope::cd, ConfigScope::cd_all, ConfigScope::all}) {
    Record r;
    r.time_ps = 0xffffffffffffffff;
    r.kind = Kind::config;
    r.config_scope = scope;
    if (scope != ConfigScope::all) r.stream = 3;
    if (scope == ConfigScope::ste_range) r.stream_last = 0xffffffff;
    if (scope == ConfigScope::cd) {
      r.has_substream = r.has_asid = true;
      r.asid = 7;
    }
    all.push_back(r);
  }
  return all;
}

}  // namespace smmusim::trace
