// SPDX-License-Identifier: MIT
// The machine under the log: see machine.h.
#include "tests/oracle/machine.h"

#include <algorithm>
#include <cstring>

#include "platform/trace/error.h"
#include "tests/oracle/log_lines.h"

namespace smmusim::oracle {
namespace {

std::uint64_t little_endian(const char* bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

Image read_image(const std::string& path) {
  constexpr std::size_t record = 8 + 8 * page_words;
  const std::string contents = read_contents(path);
  if (contents.empty() || contents.size() % record != 0) {
    throw trace::TraceError::at_byte(path, contents.size(), "not a number of records of 8 + 4096 bytes");
  }
  Image image(contents.size() / record);
  for (std::size_t n = 0; n < image.size(); ++n) {
    const char* at = contents.data() + n * record;
    image[n].address = little_endian(at);
    for (std::size_t i = 0; i < page_words; ++i) image[n].words[i] = little_endian(at + 8 + 8 * i);
  }
  return image;
}

std::uint64_t image_word(const Image& image, std::uint64_t address) {
  const std::uint64_t page = address & ~std::uint64_t{0xfff};
  const auto at = std::find_if(image.begin(), image.end(), [page](const ImagePage& p) { return p.address == page; });
  return at == image.end() ? 0 : at->words[(address & 0xfff) / 8];
}

void Recorder::access(const MemoryRequest& request) {
  Fetch& fetch = fetches.emplace_back();
  fetch.purpose = request.purpose;
  fetch.op = request.op;
  fetch.status = request.status;
  fetch.address = request.address.value;
  fetch.size = request.size;
  fetch.stage = request.stage;
  fetch.level = request.level;
  std::memcpy(fetch.words.data(), request.data, std::min<std::size_t>(request.size, sizeof fetch.words));
}

void Recorder::clear() {
  fetches.clear();
  commands.clear();
  events.clear();
}

Machine::Machine(const SmmuConfig& config, const Image& image, const std::vector<Flip>& flips)
    : flips_(flips), port_(memory_), smmu_(engine_, port_, &recorder, config) {
  for (const ImagePage& page : image) {
    for (std::size_t i = 0; i < page_words; ++i) store(page.address + 8 * i, page.words[i]);
  }
}

void Machine::store(std::uint64_t address, std::uint64_t value) {
  for (const Flip& flip : flips_) {
    if (flip.address == address) value ^= flip.mask;
  }
  memory_.store64(Pa(address), value);
}

void Machine::write_register(std::uint64_t offset, std::uint64_t value, unsigned size) {
  smmu_.write_register(static_cast<std::uint32_t>(offset), value, size);
  engine_.run();
}

std::uint64_t Machine::read_register(std::uint64_t offset, unsigned size) {
  return smmu_.read_register(static_cast<std::uint32_t>(offset), size);
}

Response Machine::translate(const Transaction& transaction) {
  const Response response = smmu_.translate(0, transaction);
  engine_.run();
  return response;
}

}  // namespace smmusim::oracle
