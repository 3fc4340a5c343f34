// SPDX-License-Identifier: MIT
// How fast traces are read: binary (records of one and of two slots), text, and as shipped, compressed with zstd.
// Beside each, measured in the same run, a loop that copies the same contents, decompressed, in pieces of 32 bytes and
// adds them up. `ratio_to_calibration` is time a record over the loop's. Files lie in a temporary folder.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/trace/generate.h"
#include "platform/trace/reader.h"
#include "platform/trace/writer.h"

namespace {

using namespace smmusim;
namespace fs = std::filesystem;

constexpr std::uint64_t record_count = 500'000;

/// A new folder for temporary files, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((fs::temp_directory_path() / "smmusim_bench_XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error(path_ + " can't be made; set TMPDIR to a folder");
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Accesses at random places of 64 MiB, with their oracle or without.
void write_trace(const std::string& path, bool oracle, const trace::WriteOptions& format) {
  trace::GenerateOptions options;
  options.pattern = trace::Pattern::random;
  options.count = record_count;
  options.window_bytes = std::uint64_t{64} << 20;
  trace::Writer writer(path, format);
  trace::generate(options, [&](const trace::Record& generated) {
    trace::Record record = generated;
    if (!oracle) {
      record.has_expected = false;
      record.output = 0;
      record.perm = 0;
    }
    writer.write(record);
  });
  writer.close();
}

struct Piece {
  std::array<std::uint64_t, 4> words;
};

/// Seconds to copy `bytes` in pieces of 32 bytes, with a sum over them; best of five.
double copy_seconds(const std::vector<char>& bytes) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t sum = 0;
    Piece piece{};
    for (std::size_t at = 0; at + sizeof piece <= bytes.size(); at += sizeof piece) {
      std::memcpy(&piece, bytes.data() + at, sizeof piece);
      benchmark::DoNotOptimize(piece);  // the copy is made, not only its sum
      for (const std::uint64_t word : piece.words) sum += word;
    }
    benchmark::DoNotOptimize(sum);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
  }
  return best;
}

std::vector<char> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes(fs::file_size(path));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    throw std::runtime_error(path + " can't be read back");
  }
  return bytes;
}

/// Records of the trace, read in bulk as the player does; what they hold is looked at.
std::uint64_t read_trace(const std::string& path, std::vector<trace::Record>& buffer) {
  const std::unique_ptr<trace::Reader> reader = trace::Reader::open(path);
  std::uint64_t records = 0, sum = 0;
  for (;;) {
    const std::size_t got = reader->next(buffer);
    for (std::size_t i = 0; i != got; ++i) sum += buffer[i].address;
    records += got;
    if (got != buffer.size()) break;
  }
  benchmark::DoNotOptimize(sum);
  return records;
}

void read_benchmark(benchmark::State& state, bool oracle, const trace::WriteOptions& format) {
  const TemporaryFolder folder;
  const std::string path = folder.file("read.trace");
  write_trace(path, oracle, format);
  const auto file_bytes = static_cast<double>(fs::file_size(path));
  double copy = 0;
  if (format.compress) {
    trace::WriteOptions plain = format;
    plain.compress = false;
    write_trace(folder.file("plain.trace"), oracle, plain);
    copy = copy_seconds(contents(folder.file("plain.trace")));
  } else {
    copy = copy_seconds(contents(path));
  }
  std::vector<trace::Record> buffer(1024);
  for (auto _ : state) {
    if (read_trace(path, buffer) != record_count) throw std::runtime_error("not all records were read back");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(record_count));
  state.counters["ratio_to_calibration"] =
      benchmark::Counter(copy, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["calibration_ns"] = copy / record_count * 1e9;
  state.counters["file_bytes_per_record"] = file_bytes / record_count;
}

void read_or_skip(benchmark::State& state, bool oracle, const trace::WriteOptions& format) {
  try {
    read_benchmark(state, oracle, format);
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

/// `oracle`: records carry what the source's SMMU answered, which takes a second slot.
void BM_TraceReadBinary(benchmark::State& state, bool oracle) {
  read_or_skip(state, oracle, {.encoding = trace::Encoding::binary, .compress = false});
}
BENCHMARK_CAPTURE(BM_TraceReadBinary, one_slot, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_TraceReadBinary, two_slots, true)->Unit(benchmark::kMillisecond);

/// Lines with their oracle.
void BM_TraceReadText(benchmark::State& state) {
  read_or_skip(state, true, {.encoding = trace::Encoding::text, .compress = false});
}
BENCHMARK(BM_TraceReadText)->Unit(benchmark::kMillisecond);

/// Binary with oracle under zstd, as the shipped traces are.
void BM_TraceReadZstd(benchmark::State& state) {
  read_or_skip(state, true, {.encoding = trace::Encoding::binary, .compress = true});
}
BENCHMARK(BM_TraceReadZstd)->Unit(benchmark::kMillisecond);

}  // namespace
