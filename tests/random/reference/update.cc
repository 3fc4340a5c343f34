// SPDX-License-Identifier: MIT
// Hardware updates of descriptors in the reference walker (IHI 0070 3.13, DDI 0487 D8.5): an update is one atomic
// compare-and-swap of the 64-bit word that the walk has read. Which bits change is decided in stage1.cc and stage2.cc.
#include "tests/random/reference/translation.h"

namespace refwalk {

namespace {

uint64_t swapped(uint64_t word) {
  uint64_t result = 0;
  for (unsigned i = 0; i < 8; ++i) result |= low_bits(word >> (8 * i), 8) << (8 * (7 - i));
  return result;
}

}  // namespace

// Memory with what this translation has written so far.
bool Translation::read_memory(uint64_t pa, unsigned char* bytes, unsigned count) const {
  if (!memory_.read(pa, bytes, count)) return false;
  for (unsigned i = 0; i < count; ++i) {
    const auto written = written_.find(align_down(pa + i, 3));
    if (written != written_.end()) bytes[i] = static_cast<unsigned char>(written->second >> (8 * ((pa + i) & 7)));
  }
  return true;
}

// False if memory no longer holds what was read: the caller reads again.
bool Translation::update(const Word& word, uint64_t after, bool stage2_walk) {
  if (after == word.descriptor) return true;
  const uint64_t pa = word.fetch.address;
  unsigned char bytes[8] = {};
  if (memory_.update_aborts(pa) || !read_memory(pa, bytes, sizeof bytes)) {
    walk_abort(stage2_walk, word.fetch.purpose, pa);
  }
  if (word_of(bytes, word.big_endian) != word.descriptor) return false;
  Update update{word.fetch.stage, word.fetch.level, pa, word.descriptor, after, word.fetch.purpose, word.run};
  if (word.big_endian) {
    update.before = swapped(update.before);
    update.after = swapped(update.after);
  }
  written_[pa] = update.after;
  updates_.push_back(update);
  return true;
}

// Whether the access needs a writable-clean leaf to become writable-dirty; a request only where it gets write
// permission.
bool Translation::writes() const {
  return is_request_ ? !request_.no_write && granted_.write : access_.write;
}

// Whether a writable-clean stage-2 leaf becomes writable-dirty: the client writes, or a stage-1 descriptor is written.
bool Translation::makes_dirty(const Visit& visit) const {
  return visit.for_update || (visit.fault_class == FaultClass::IN && writes());
}

}  // namespace refwalk
