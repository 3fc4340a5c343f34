// SPDX-License-Identifier: MIT
// Reader: chooses the decoder by the first bytes of the (decompressed) contents.
#include "platform/trace/reader.h"

#include "platform/trace/error.h"

namespace smmusim::trace {

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

}  // namespace smmusim::trace
