// SPDX-License-Identifier: MIT
// Text and binary traces: round trips, and every kind of damage is an error that names its place.
#include <cstring>

#include "platform/trace/crc.h"
#include "platform/trace/error.h"
#include "platform/trace/files.h"
#include "tests/unit/trace_test_files.h"

namespace smmusim::trace {
namespace {

class TraceFormat : public TraceTest {};

constexpr WriteOptions plain_text{Encoding::text, false, 3};
constexpr WriteOptions plain_binary{Encoding::binary, false, 3};
constexpr WriteOptions packed_binary{Encoding::binary, true, 3};

/// The error that reading all of `path` gives, or its absence as a test failure.
TraceError error_of(const std::string& path) {
  try {
    records_of(path);
  } catch (const TraceError& error) {
    return error;
  }
  ADD_FAILURE() << path << " was read without error";
  return TraceError::in_file("", "");
}

std::vector<Record> many_records(std::size_t n) {
  std::vector<Record> all;
  for (std::size_t i = 0; i < n; ++i) {
    all.push_back(
        make_access(i * 1000, i % 3 == 0 ? Op::write : Op::read, 8, 0x1000 * i, 64, 0x40000000 + 0x1000 * i, 3));
    if (i % 7 == 0) all.push_back(make_range_invalidation(i * 1000, 1, 0x1000 * i, 1));
  }
  return all;
}

TEST_F(TraceFormat, crc32c_has_the_standard_check_value) {
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283u);
  EXPECT_EQ(crc32c("", 0), 0u);
}

TEST_F(TraceFormat, every_kind_of_record_survives_each_format) {
  for (const char* format : {"text", "binary", "text-zst", "binary-zst"}) {
    write_records(path("first"), sample_records(), plain_binary);
    export_file(format, path("first"), path("second"));
    EXPECT_EQ(records_of(path("second")), sample_records()) << format;
  }
}

TEST_F(TraceFormat, conversions_and_back_give_the_same_bytes) {
  for (const std::string name : {"randread", "seqwrite", "mixed"}) {
    export_file("binary", shipped(name), path("binary"));
    export_file("text", path("binary"), path("text"));
    export_file("binary-zst", path("text"), path("packed"));
    export_file("text-zst", path("packed"), path("packed text"));
    export_file("binary", path("packed text"), path("binary again"));
    export_file("text", path("packed"), path("text again"));
    EXPECT_TRUE(bytes_of(path("binary")) == bytes_of(path("binary again"))) << name;
    EXPECT_TRUE(bytes_of(path("text")) == bytes_of(path("text again"))) << name;
  }
}

TEST_F(TraceFormat, import_of_text_and_binary_gives_the_same_trace) {
  export_file("text", shipped("seqwrite"), path("text"));
  export_file("binary", shipped("seqwrite"), path("binary"));
  import_file("text", path("text"), path("a"));
  import_file("binary", path("binary"), path("b"));
  EXPECT_TRUE(bytes_of(path("a")) == bytes_of(path("b")));
  EXPECT_THROW(import_file("text", path("binary"), path("c")), TraceError);
}

TEST_F(TraceFormat, the_name_of_a_file_says_nothing_about_its_format) {
  write_records(path("a.txt"), sample_records(), packed_binary);
  const auto reader = Reader::open(path("a.txt"));
  EXPECT_EQ(reader->info().encoding, Encoding::binary);
  EXPECT_TRUE(reader->info().compressed);
}

TEST_F(TraceFormat, bulk_reading_gives_the_records_of_single_reading) {
  const auto all = many_records(5000);
  write_records(path("t"), all, plain_binary);
  const auto reader = Reader::open(path("t"));
  std::vector<Record> got, part(333);
  while (const std::size_t n = reader->next(part))
    got.insert(got.end(), part.begin(), part.begin() + static_cast<long>(n));
  EXPECT_TRUE(got == all);
}

TEST_F(TraceFormat, a_binary_trace_cut_anywhere_is_an_error_at_its_end) {
  write_records(path("whole"), sample_records(), plain_binary);
  const std::string whole = bytes_of(path("whole"));
  for (std::size_t n = binary_magic.size(); n < whole.size(); ++n) {
    const TraceError error = error_of(file_with("cut", whole.substr(0, n)));
    ASSERT_EQ(error.offset(), n) << n;
  }
}

TEST_F(TraceFormat, a_compressed_trace_cut_anywhere_is_an_error_with_an_offset) {
  write_records(path("whole"), many_records(3000), packed_binary);
  const std::string whole = bytes_of(path("whole"));
  for (std::size_t n = 0; n < whole.size(); n += 1 + n / 50) {
    ASSERT_TRUE(error_of(file_with("cut", whole.substr(0, n))).offset().has_value()) << n;
  }
  ASSERT_EQ(error_of(file_with("cut", whole.substr(0, whole.size() - 1))).offset(), whole.size() - 1);
}

TEST_F(TraceFormat, a_text_trace_cut_anywhere_is_an_error_with_a_line) {
  write_records(path("whole"), sample_records(), plain_text);
  const std::string whole = bytes_of(path("whole"));
  for (std::size_t n = text_magic.size(); n + 3 < whole.size(); ++n) {  // "end 17" cut to "end 1" and "end" included
    if (whole.substr(0, n).ends_with("\nend")) continue;                // a count is optional
    ASSERT_TRUE(error_of(file_with("cut", whole.substr(0, n))).line().has_value()) << n;
  }
}

TEST_F(TraceFormat, every_flipped_bit_of_a_binary_trace_is_noticed) {
  write_records(path("whole"), sample_records(), plain_binary);
  const std::string whole = bytes_of(path("whole"));
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const TraceError error = error_of(file_with("bad", bad));
    ASSERT_TRUE(error.offset().has_value()) << bit;
    ASSERT_LE(*error.offset(), bit / 8) << bit;
  }
}

TEST_F(TraceFormat, flipped_bits_of_a_compressed_trace_are_noticed) {
  write_records(path("whole"), many_records(200), packed_binary);
  const std::string whole = bytes_of(path("whole"));
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 5) {
    std::string bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    std::vector<Record> got;
    try {
      got = records_of(file_with("bad", bad));
    } catch (const TraceError& error) {
      ASSERT_TRUE(error.offset().has_value()) << bit;
      continue;
    }
    // A frame header has bits without meaning; then nothing else may differ.
    ASSERT_TRUE(got == many_records(200)) << bit;
  }
}

TEST_F(TraceFormat, bytes_after_the_end_are_an_error_there) {
  write_records(path("whole"), sample_records(), plain_binary);
  const std::string whole = bytes_of(path("whole"));
  EXPECT_EQ(error_of(file_with("long", whole + "x")).offset(), whole.size());
}

TEST_F(TraceFormat, a_block_left_out_is_an_error_where_the_next_one_starts) {
  write_records(path("whole"), many_records(5000), plain_binary);
  const std::string whole = bytes_of(path("whole"));
  const std::size_t block = slot_bytes * (1 + block_slots_max);
  EXPECT_EQ(error_of(file_with("less", whole.substr(0, slot_bytes) + whole.substr(slot_bytes + block))).offset(),
            slot_bytes);
}

/// Writes one record whose slot bytes are changed and whose check sums are made right again.
std::string forged(const std::string& whole, std::size_t slot_byte, unsigned char value) {
  std::string bytes = whole;
  bytes[2 * slot_bytes + slot_byte] = static_cast<char>(value);
  const std::size_t payload = bytes.size() - 3 * slot_bytes;
  std::uint32_t crc = crc32c(bytes.data() + 2 * slot_bytes, payload);
  std::memcpy(bytes.data() + slot_bytes + 20, &crc, 4);
  crc = crc32c(bytes.data() + slot_bytes, 28);
  std::memcpy(bytes.data() + slot_bytes + 28, &crc, 4);
  return bytes;
}

TEST_F(TraceFormat, records_with_right_check_sums_but_illegal_contents_are_errors_at_the_record) {
  write_records(path("whole"), {sample_records()[0]}, plain_binary);
  const std::string whole = bytes_of(path("whole"));
  struct Row {
    std::size_t byte;
    unsigned char value;
    const char* why;
  };
  for (const Row& row :
       {Row{28, 0x0f, "unknown kind"}, Row{28, 0x30, "unknown operation"}, Row{28, 0xc0, "unknown ATS"},
        Row{16, 0, "no bytes"}, Row{17, 0x20, "crosses a page"}, Row{29, 0x00, "no permission"},
        Row{29, 0x07, "a scope on an access"}, Row{29, 0x23, "a TTL on an access"},
        Row{26, 0x01, "a substream without valid"}, Row{27, 0x02, "leaf on an access"},
        Row{slot_bytes + 25, 1, "reserved byte"}, Row{slot_bytes + 28, 1, "not an extension"},
        Row{slot_bytes + 8, 1, "pages on an access"}, Row{slot_bytes, 1, "unequal page offsets"}}) {
    EXPECT_EQ(error_of(file_with("bad", forged(whole, row.byte, row.value))).offset(), 2 * slot_bytes) << row.why;
  }
  EXPECT_EQ(records_of(file_with("good", forged(whole, 16, 32))).at(0).size, 32u);
}

TEST_F(TraceFormat, wrong_lines_of_text_are_errors_with_their_number) {
  for (const char* line : {"read sid=1 addr=0 size=4",
                           "5 red sid=1 addr=0 size=4",
                           "5 read addr=0 size=4",
                           "5 read sid=1 size=4",
                           "5 read sid=1 addr=0",
                           "5 read sid=1 addr=0 size=0",
                           "5 read sid=1 addr=0 size=0x100001",
                           "5 read sid=1 addr=0x size=4",
                           "5 read sid=1 addr=0 size=-4",
                           "5 read sid=1 sid=1 addr=0 size=4",
                           "5 read sid=1 addr=0 size=4 pa=0",
                           "5 read sid=1 addr=0 size=4 perm=r",
                           "5 read sid=1 addr=0 size=4 pa=4 perm=r",
                           "5 read sid=1 addr=0 size=4 colour=red",
                           "5 read sid=1 addr=0 size=4 x",
                           "5 read sid=1 addr=0 size=4 leaf",
                           "5 read sid=0x100000000 addr=0 size=4",
                           "5 read sid=1 ssid=0x100000 addr=0 size=4",
                           "5 read sid=1 addr=0x10000000000000000 size=4",
                           "5 read sid=1 addr=0xffffffffffffffff size=2",
                           "5 read sid=1 addr=0xff0 size=32 pa=0xff0 perm=r",
                           "5 read sid=1 addr=0 size=4 ats=maybe",
                           "5 invalidate",
                           "5 invalidate asid",
                           "5 invalidate range asid=1 addr=0",
                           "5 invalidate range addr=0 pages=0 granule=4K",
                           "5 invalidate range addr=0 pages=2",
                           "5 invalidate range addr=0 pages=1 granule=8K",
                           "5 invalidate range addr=0 pages=1 granule=4K ttl=4",
                           "5 invalidate vmid",
                           "5 config",
                           "5 config ste",
                           "5 config ste-range sid=4 last=3",
                           "5 map sid=1 addr=0x1 pa=0 perm=r pages=1 granule=4K",
                           "5 map sid=1 addr=0 perm=r pages=1 granule=4K",
                           "5 unmap sid=1 addr=0 pages=1 granule=4K pa=0x1000",
                           "1 read sid=1 addr=0 size=4"}) {  // the last one: time goes back
    const std::string text = std::string(text_header) + "\n# comment\n2 config all\n" + line + "\nend\n";
    EXPECT_EQ(error_of(file_with("t", text)).line(), 4u) << line;
  }
}

TEST_F(TraceFormat, a_text_trace_may_be_written_by_hand) {
  const std::string text =
      std::string(text_header) +
      "\n\n# numbers are decimal or 0x\n0 write sid=8 addr=4096 size=0x10 pa=0x2000 perm=rw\nend\n# bye\n";
  const auto records = records_of(file_with("t", text));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0], make_access(0, Op::write, 8, 0x1000, 16, 0x2000, 3));
}

TEST_F(TraceFormat, an_end_line_with_another_count_is_an_error) {
  EXPECT_EQ(error_of(file_with("t", std::string(text_header) + "\n0 config all\nend 2\n")).line(), 3u);
  EXPECT_EQ(error_of(file_with("t", std::string(text_header) + "\n0 config all\nend\n0 config all\n")).line(), 4u);
}

TEST_F(TraceFormat, a_line_without_end_does_not_fill_memory) {
  EXPECT_EQ(error_of(file_with("t", std::string(text_header) + "\n" + std::string(100000, '1'))).line(), 2u);
}

TEST_F(TraceFormat, other_files_are_no_traces) {
  for (const char* contents : {"", "x", "smmusim", "GIF89a and much more text", "smmusim-trace text 2\nend\n"}) {
    const TraceError error = error_of(file_with("t", contents));
    EXPECT_TRUE(error.offset() == 0u || error.line() == 1u) << contents;
  }
  EXPECT_THROW(records_of(path("absent")), TraceError);
}

TEST_F(TraceFormat, a_writer_that_is_not_closed_leaves_nothing) {
  {
    Writer writer(path("t"), packed_binary);
    writer.write(sample_records()[0]);
  }
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(TraceFormat, a_writer_refuses_illegal_records_and_times_that_go_back) {
  Writer writer(path("t"), plain_binary);
  Record wrong = sample_records()[0];
  wrong.size = 0;
  EXPECT_THROW(writer.write(wrong), TraceError);
  wrong = sample_records()[0];
  wrong.ttl = 1;
  EXPECT_THROW(writer.write(wrong), TraceError);
  writer.write(sample_records()[1]);
  EXPECT_THROW(writer.write(sample_records()[0]), TraceError);
}

TEST_F(TraceFormat, a_failed_conversion_leaves_no_output) {
  const std::string in = file_with("in", std::string(text_header) + "\n0 config all\nnonsense\nend\n");
  EXPECT_THROW(export_file("binary", in, path("out")), TraceError);
  std::filesystem::remove(in);
  EXPECT_TRUE(folder_is_empty());
}

}  // namespace
}  // namespace smmusim::trace
