// SPDX-License-Identifier: MIT
// Reader: chooses the decoder by the first bytes of the (decompressed) contents.
#include "platform/trace/reader.h"

namespace smmusim::trace {

TraceError RecordPlace::error(const std::string& file, const std::string& sentence) const {
  if (encoding == Encoding::text) return TraceError::at_line(file, position, sentence);
  return TraceError::at_byte(file, position, (compressed ? "(of the decompressed contents) " : "") + sentence);
}

Reader::Reader(const std::string& path) : source_(path) {
  info_.compressed = source_.compressed();
  const std::string_view start = source_.peek(text_magic.size());
  if (start.starts_with(binary_magic)) {
    info_.encoding = Encoding::binary;
    decoder_.emplace<BinaryDecoder>(source_);
  } else if (start.starts_with(text_magic)) {
    info_.encoding = Encoding::text;
    decoder_.emplace<TextDecoder>(source_);
  } else {
    throw TraceError::at_byte(path, 0, "this is no trace; make one with 'smmusim trace import' or 'smmusim trace gen'");
  }
}

std::unique_ptr<Reader> Reader::open(const std::string& path) {
  return std::unique_ptr<Reader>(new Reader(path));
}

bool Reader::next(Record& record) {
  return next(std::span<Record>(&record, 1)) == 1;
}

std::size_t Reader::next(std::span<Record> records) {
  if (auto* binary = std::get_if<BinaryDecoder>(&decoder_)) return binary->next(records);
  return std::get<TextDecoder>(decoder_).next(records);
}

RecordPlace Reader::place() const {
  const auto* binary = std::get_if<BinaryDecoder>(&decoder_);
  const std::uint64_t position = binary != nullptr ? binary->offset() : std::get<TextDecoder>(decoder_).line();
  return {info_.encoding, info_.compressed, position};
}

void fail_at_record(const std::string& path, std::uint64_t number, const std::string& sentence) {
  const auto reader = Reader::open(path);
  Record record;
  for (std::uint64_t i = 0; i != number && reader->next(record);) ++i;
  throw reader->place().error(path, "record " + std::to_string(number) + ": " + sentence);
}

}  // namespace smmusim::trace
