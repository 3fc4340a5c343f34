// SPDX-License-Identifier: MIT
// Writer: checks each record, then hands it to the encoder of its format.
#include "platform/trace/writer.h"

#include "platform/trace/error.h"

namespace smmusim::trace {

Writer::Writer(const std::string& path, const WriteOptions& options)
    : path_(path), sink_(path, options.compress, options.level) {
  if (options.encoding == Encoding::text) {
    encoder_.emplace<TextEncoder>(sink_);
  } else {
    encoder_.emplace<BinaryEncoder>(sink_);
  }
}

void Writer::write(const Record& record) {
  const char* wrong = check_record(record);
  if (wrong == nullptr && record.time_ps < last_time_ps_)
    wrong = "a time before the record before; times never decrease";
  if (wrong != nullptr) throw TraceError::in_file(path_, "record " + std::to_string(records_) + " is " + wrong);
  if (auto* binary = std::get_if<BinaryEncoder>(&encoder_)) {
    binary->write(record);
  } else {
    std::get<TextEncoder>(encoder_).write(record);
  }
  last_time_ps_ = record.time_ps;
  ++records_;
}

void Writer::close() {
  if (auto* binary = std::get_if<BinaryEncoder>(&encoder_)) {
    binary->finish();
  } else {
    std::get<TextEncoder>(encoder_).finish();
  }
  sink_.close();
}

}  // namespace smmusim::trace
