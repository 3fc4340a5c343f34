// SPDX-License-Identifier: MIT
// The importer of QEMU's log: line forms, errors with line numbers, directions and sizes, and export as its inverse.
#include "platform/trace/error.h"
#include "platform/trace/files.h"
#include "platform/trace/import_qemu.h"
#include "tests/unit/trace_test_files.h"

namespace smmusim::trace {
namespace {

class TraceImport : public TraceTest {
 protected:
  std::vector<Record> import(const std::string& log, const ImportOptions& options = {}) {
    report_ = ImportReport{};
    return read_qemu_log(file_with("log", log), options, report_);
  }
  /// The text of the only record that `line` becomes, without its time.
  std::string line_of(const std::string& line) {
    const auto records = import(line + "\n");
    if (records.size() != 1) return "not one record: " + line;
    std::string text;
    append_line(records[0], text);
    return text.substr(text.find(' ') + 1);
  }
  ImportReport report_;
};

const std::string region = " smmuv3-iommu-memory-region-8-1";

std::string access(const std::string& iova, const std::string& pa, int perm) {
  return "smmuv3_translate_success" + region + " sid=0x8 iova=" + iova + " translated=" + pa + " perm=0x" +
         std::to_string(perm) + " stage=1\n";
}

TEST_F(TraceImport, every_known_line_of_every_version_of_qemu) {
  struct Row {
    const char* line;
    const char* record;
  };
  for (const Row& row : {
           Row{"smmuv3_translate_success r-8-1 sid=0x8 iova=0xffffd040 translated=0x41387040 perm=0x3 stage=1",
               "write sid=0x8 addr=0xffffd040 size=64 pa=0x41387040 perm=rw"},
           Row{"smmuv3_translate_success r-8-1 sid=8 iova=0x1ff0 translated=0x2ff0 perm=0x1",
               "read sid=0x8 addr=0x1ff0 size=16 pa=0x2ff0 perm=r"},
           Row{"smmuv3_translate_success a name of words sid=8 iova=0x1000 translated=0x2000 perm=0x2",
               "write sid=0x8 addr=0x1000 size=64 pa=0x2000 perm=w"},
           Row{"smmuv3_range_inval vmid=-1 asid=2 addr=0xffffc000 tg=1 num_pages=0x20 ttl=3 leaf=1 stage=1",
               "invalidate range asid=2 addr=0xffffc000 granule=4K pages=32 leaf ttl=3"},
           Row{"smmuv3_range_inval vmid=3 asid=-1 addr=0x10000 tg=3 num_pages=0x1 ttl=0 leaf=0",
               "invalidate range vmid=3 addr=0x10000 granule=64K pages=1"},
           Row{"smmuv3_range_inval vmid=3 asid=-1 addr=0x1000 tg=0 num_pages=0x1 ttl=0 leaf=0 stage=2",
               "invalidate ipa-range vmid=3 addr=0x1000 pages=1"},
           Row{"smmuv3_s1_range_inval vmid=-1 asid=1 addr=0x4000 tg=2 num_pages=0x2 ttl=0 leaf=0",
               "invalidate range asid=1 addr=0x4000 granule=16K pages=2"},
           Row{"smmuv3_cmdq_tlbi_nh_va vmid =0 asid =7 addr=0x1000 leaf=1",
               "invalidate range vmid=0 asid=7 addr=0x1000 pages=1 leaf"},
           Row{"smmuv3_cmdq_tlbi_nh_vaa vmid =0 addr=0x1000", "invalidate range vmid=0 addr=0x1000 pages=1"},
           Row{"smmuv3_cmdq_tlbi_nh_vaa vmid =0 addr=0x1000 leaf=1",
               "invalidate range vmid=0 addr=0x1000 pages=1 leaf"},
           Row{"smmuv3_cmdq_tlbi_nh ", "invalidate vmid-s1"},
           Row{"smmuv3_cmdq_tlbi_nh vmid=4", "invalidate vmid-s1 vmid=4"},
           Row{"smmuv3_cmdq_tlbi_nsnh ", "invalidate all"},
           Row{"smmuv3_cmdq_tlbi_nh_asid asid=9", "invalidate asid asid=9"},
           Row{"smmuv3_cmdq_tlbi_s12_vmid vmid=4", "invalidate vmid vmid=4"},
           Row{"smmuv3_cmdq_cfgi_ste streamid= 0x8", "config ste sid=0x8"},
           Row{"smmuv3_cmdq_cfgi_ste streamid =8", "config ste sid=0x8"},
           Row{"smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0x7", "config ste-range sid=0x0 last=0x7"},
           Row{"smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff", "config all"},
           Row{"smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0x-1", "config all"},
           Row{"smmuv3_cmdq_cfgi_cd sid=0x8", "config cd sid=0x8"},
           Row{"smmuv3_cmdq_cfgi_cd streamid = 8", "config cd sid=0x8"},
       }) {
    EXPECT_EQ(line_of(row.line), row.record);
  }
}

TEST_F(TraceImport, times_count_from_the_first_record_in_every_form_of_stamp) {
  const auto iso = import(
      "2026-12-31T23:59:59.999999Z smmuv3_cmdq_tlbi_nsnh \n2027-01-01T00:00:00.000001Z smmuv3_cmdq_tlbi_nsnh \n");
  EXPECT_EQ(iso.at(1).time_ps, 2'000'000u);
  const auto pid = import("77@1732102878.999999:smmuv3_cmdq_tlbi_nsnh \n77@1732102880.000000:smmuv3_cmdq_tlbi_nsnh \n");
  EXPECT_EQ(pid.at(1).time_ps, 1'000'001'000'000u);
  const auto bare = import("smmuv3_cmdq_tlbi_nsnh \nsmmuv3_cmdq_tlbi_nsnh \n");
  EXPECT_EQ(bare.at(1).time_ps, 0u);
}

TEST_F(TraceImport, a_time_that_steps_back_keeps_the_time_before) {
  const auto records =
      import("1@10.5:smmuv3_cmdq_tlbi_nsnh \n1@11.5:smmuv3_cmdq_tlbi_nsnh \n1@9.0:smmuv3_cmdq_tlbi_nsnh \n");
  EXPECT_EQ(records.at(2).time_ps, records.at(1).time_ps);
}

TEST_F(TraceImport, other_events_are_skipped_and_counted) {
  const auto records = import(
      "smmu_ptw_level stage=1 level=0 whatever\nsmmuv3_cmdq_opcode <--- SMMU_CMD_SYNC\n\n"
      "smmu_ptw_level x\nsmmuv3_cmdq_tlbi_nsnh \n");
  EXPECT_EQ(records.size(), 1u);
  EXPECT_EQ(report_.skipped, 3u);
  EXPECT_EQ(report_.skipped_by_event.at("smmu_ptw_level"), 2u);
}

TEST_F(TraceImport, wrong_lines_are_errors_with_their_number) {
  for (const char* line :
       {"hello world",
        "2026-11-20T11:41:18.648082 smmuv3_cmdq_tlbi_nsnh ",
        "2026-13-20T11:41:18.648082Z smmuv3_cmdq_tlbi_nsnh ",
        "2026-11-20T11:41:1",
        "77@17321.1 smmuv3_cmdq_tlbi_nsnh",
        "[    0.000000] Booting Linux",
        "smmuv3_translate_success r sid=0x8 iova=0xffffd040 translated=0x41387040",
        "smmuv3_translate_success r sid=0x8 iova=0xffffd040 translated=0x41387040 perm=0x0 stage=1",
        "smmuv3_translate_success r sid=0x8 iova=0xffffd040 translated=0x41387000 perm=0x3 stage=1",
        "smmuv3_translate_success r sid=0x8 iova=0xfgffd040 translated=0x41387040 perm=0x3 stage=1",
        "smmuv3_translate_success r sid=0x8 iova=0x1ffffd04000000000 translated=0x41387040 perm=0x3 stage=1",
        "smmuv3_translate_success r",
        "smmuv3_range_inval vmid=-1 asid=2 addr=0x1000 tg=1 num_pages=0x1 ttl=3",
        "smmuv3_range_inval vmid=-1 asid=2 addr=0x1000 tg=1 num_pages=0x0 ttl=3 leaf=1 stage=1",
        "smmuv3_range_inval vmid=-1 asid=70000 addr=0x1000 tg=1 num_pages=0x1 ttl=3 leaf=1 stage=1",
        "smmuv3_cmdq_cfgi_ste",
        "smmuv3_cmdq_cfgi_ste_range start=0x4 - end=0x3",
        "smmuv3_cmdq_tlbi_nh_asid asid=",
        "smmuv3_cmdq_tlbi_nsnh garbage",
        "pci_nvme_read cid 1 nsid 1 nlb 8 count",
        "pci_nvme_write garbage"}) {
    try {
      import("smmuv3_cmdq_tlbi_nsnh \n\n" + std::string(line) + "\nsmmuv3_cmdq_tlbi_nsnh \n");
      ADD_FAILURE() << line;
    } catch (const TraceError& error) {
      EXPECT_EQ(error.line(), 3u) << line;
    }
  }
}

TEST_F(TraceImport, a_log_whose_last_line_has_no_newline_was_cut_off) {
  EXPECT_THROW(import("smmuv3_cmdq_tlbi_nsnh \nsmmuv3_cmdq_tlbi_nh_asid asid=1"), TraceError);
}

TEST_F(TraceImport, without_device_lines_direction_follows_the_permission_and_size_the_option) {
  ImportOptions options;
  options.default_size = 128;
  const auto records = import(access("0x1000", "0x40001000", 1) + access("0x2fc0", "0x40002fc0", 3), options);
  EXPECT_EQ(records.at(0).op, Op::read);
  EXPECT_EQ(records.at(0).size, 128u);
  EXPECT_EQ(records.at(1).op, Op::write);
  EXPECT_EQ(records.at(1).size, 64u);  // up to the end of the page
}

TEST_F(TraceImport, an_nvme_write_with_prp_list_gets_directions_and_sizes) {
  std::string log;
  const std::string doorbells = access("0xb008", "0x4000b008", 3) + access("0xc008", "0x4000c008", 3);
  for (int i = 0; i < 2; ++i) {  // the second round shows that queue offsets differ
    log += access("0xc008", "0x4000c008", 3) +
           access(i == 0 ? "0xe000" : "0xe040", i == 0 ? "0x4000e000" : "0x4000e040", 3);
    log += "pci_nvme_write cid 1 opname 'NVME_NVM_CMD_WRITE' nsid 1 nlb 24 count 12288 lba 0x0\n";
    log += access("0x3100", "0x40003100", 3);
    log += access("0x4000", "0x40004000", 1) + access("0x5000", "0x40005000", 1) + access("0x6000", "0x40006000", 1);
    log += doorbells + access("0xb00c", "0x4000b00c", 3) + access("0xc00c", "0x4000c00c", 3);
    log += access(i == 0 ? "0xd000" : "0xd010", i == 0 ? "0x4000d000" : "0x4000d010", 3) +
           access("0xf040", "0x8090040", 3);
  }
  const auto records = import(log);
  struct Want {
    Op op;
    std::uint32_t size;
  };
  const std::vector<Want> want = {{Op::read, 4},    {Op::read, 64},   {Op::read, 16},  {Op::read, 4096},
                                  {Op::read, 4096}, {Op::read, 4096}, {Op::write, 4},  {Op::read, 4},
                                  {Op::write, 4},   {Op::read, 4},    {Op::write, 16}, {Op::write, 4}};
  ASSERT_EQ(records.size(), 2 * want.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].op, want[i % want.size()].op) << i;
    EXPECT_EQ(records[i].size, want[i % want.size()].size) << i;
  }
}

TEST_F(TraceImport, an_nvme_read_writes_memory_up_to_its_bytes) {
  const auto records =
      import(access("0xe000", "0x4000e000", 3) + "pci_nvme_read cid 1 nsid 1 nlb 9 count 4608 lba 0x0\n" +
             access("0x4e00", "0x40004e00", 3) + access("0x5000", "0x40005000", 3) + access("0x5000", "0x40005000", 3));
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].op, Op::write);
  EXPECT_EQ(records[1].size, 512u);
  EXPECT_EQ(records[2].size, 4096u);
  EXPECT_EQ(records[3].size, 64u);  // looked up twice; the data moved once
}

TEST_F(TraceImport, directions_agree_with_permissions_and_sizes_with_pages) {
  for (const std::string name : {"randread", "seqwrite", "mixed"}) {
    for (const Record& r : records_of(shipped(name))) {
      if (r.kind != Kind::access) continue;
      ASSERT_TRUE((r.perm & (r.op == Op::read ? perm_read : perm_write)) != 0) << name;
      ASSERT_LE(r.address % page_bytes + r.size, page_bytes) << name;
    }
  }
}

TEST_F(TraceImport, data_bytes_of_the_shipped_traces_are_those_of_their_commands) {
  std::uint64_t data = 0;
  for (const Record& r : records_of(shipped("seqwrite"))) {
    if (r.kind == Kind::access && r.op == Op::read && r.size == 4096 && r.perm == perm_read) data += r.size;
  }
  EXPECT_EQ(data, 200u * 131072 + 4096);  // one page of administration data besides
}

TEST_F(TraceImport, import_of_an_export_gives_the_same_accesses_and_invalidations) {
  for (const std::string name : {"randread", "seqwrite", "mixed"}) {
    export_file("qemu-log", shipped(name), path("log"));
    import_file("qemu-log", path("log"), path("again"));
    EXPECT_TRUE(records_of(path("again")) == records_of(shipped(name))) << name;
  }
}

TEST_F(TraceImport, export_keeps_details_that_qemu_does_not_print) {
  std::vector<Record> records = sample_records();
  std::erase_if(records, [](const Record& r) {
    return r.kind == Kind::map || r.kind == Kind::unmap || r.kind == Kind::config ||
           (r.kind == Kind::access && !r.has_expected);
  });
  Record detailed = make_access(40, Op::atomic, 8, 0x1008, 8, 0x2008, 3);
  detailed.has_substream = true;
  detailed.substream = 5;
  detailed.ats = Ats::translated;
  detailed.tag = 9;
  detailed.instruction = true;
  records.push_back(detailed);
  write_records(path("t"), records, {});
  export_file("qemu-log", path("t"), path("log"));
  import_file("qemu-log", path("log"), path("again"));
  EXPECT_TRUE(records_of(path("again")) == records);
}

TEST_F(TraceImport, what_the_log_can_not_say_is_an_error_without_output) {
  write_records(path("t"), {sample_records()[3]}, {});
  EXPECT_THROW(export_file("qemu-log", path("t"), path("out")), TraceError);
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

TEST_F(TraceImport, unknown_formats_are_refused_with_the_known_ones) {
  try {
    import_file("pcap", path("a"), path("b"));
    FAIL();
  } catch (const TraceError& error) {
    EXPECT_NE(std::string(error.what()).find("qemu-log"), std::string::npos);
  }
  EXPECT_THROW(export_file("pcap", shipped("mixed"), path("b")), TraceError);
}

TEST_F(TraceImport, a_known_direction_without_a_size_leaves_only_the_size_to_infer) {
  const auto records = import("smmusim_access op=0\n" + access("0x1000", "0x2000", 3) + "smmusim_access op=1 ats=0\n" +
                              access("0x5040", "0x6040", 3));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].op, Op::read);
  EXPECT_EQ(records[0].size, 64u);
  EXPECT_EQ(records[1].op, Op::write);
  // With device lines the rules of NVMe give sizes, and the direction stays: here a page of data that was read.
  const auto inferred = import("smmusim_access op=1\n" + access("0x3000", "0x7000", 3) +
                               "pci_nvme_write cid 1 nsid 1 nlb 8 count 4096 lba 0x0\n" + "smmusim_access op=1\n" +
                               access("0x8000", "0x9000", 3));
  ASSERT_EQ(inferred.size(), 2u);
  EXPECT_EQ(inferred[1].size, 4096u);
  EXPECT_EQ(inferred[1].op, Op::write);
}

}  // namespace
}  // namespace smmusim::trace
