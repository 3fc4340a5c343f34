// SPDX-License-Identifier: MIT
// The attribute arithmetic of IHI 0070 chapter 13 and DDI 0487 D8.6 for the reference walker.
#include "tests/random/reference/attributes.h"

#include <algorithm>

#include "tests/random/reference/bits.h"

namespace refwalk {

namespace {

constexpr uint8_t kNonShareable = 0, kOuterShareable = 2, kInnerShareable = 3;

// SH = 01 is reserved: Non-shareable here.
uint8_t shareability(unsigned code) {
  return code == 1 ? kNonShareable : static_cast<uint8_t>(code);
}

uint8_t stronger(uint8_t a, uint8_t b) {
  if (a == kOuterShareable || b == kOuterShareable) return kOuterShareable;
  return a == kInnerShareable || b == kInnerShareable ? kInnerShareable : kNonShareable;
}

// Four bits of a Normal MAIR byte. 0000 is reserved: write-through, transient, RW = 11.
CacheLevel level_of_mair(unsigned nibble) {
  if (nibble == 0) return {Cacheability::WT, true, true, true};
  const bool read = (nibble & 2) != 0;
  const bool write = (nibble & 1) != 0;
  if (nibble == 4) return {Cacheability::NC, false, false, false};
  const Cacheability type = (nibble & 4) != 0 ? Cacheability::WB : Cacheability::WT;
  return {type, read, write, (nibble & 8) == 0};
}

// Two bits of MemAttr: 01 NC, 10 WT, 11 WB. 00 is reserved where this is called: Non-cacheable here.
Cacheability type_of_mem_attr(unsigned code) {
  if (code == 3) return Cacheability::WB;
  return code == 2 ? Cacheability::WT : Cacheability::NC;
}

void combine_hints(CacheLevel* level, const CacheLevel& other) {
  level->read_allocate = level->read_allocate && other.read_allocate;
  level->write_allocate = level->write_allocate && other.write_allocate;
  level->transient = level->transient || other.transient;
}

// A level that becomes cacheable and had no hints gets the default ones.
void set_type(CacheLevel* level, bool had_hints, Cacheability type) {
  if (!had_hints) *level = CacheLevel{};
  level->type = type;
}

bool cacheable(const MemoryAttributes& attributes, const CacheLevel& level) {
  return !attributes.device && level.type != Cacheability::NC;
}

void set_types(MemoryAttributes* attributes, Cacheability inner, Cacheability outer) {
  set_type(&attributes->inner, cacheable(*attributes, attributes->inner), inner);
  set_type(&attributes->outer, cacheable(*attributes, attributes->outer), outer);
  attributes->device = false;
}

void combine_device(MemoryAttributes* attributes, uint8_t device_type) {
  attributes->device_type = attributes->device ? std::min(attributes->device_type, device_type) : device_type;
  attributes->device = true;
}

}  // namespace

MemoryAttributes overridden(const MemoryAttributes& input, const TypeOverrides& overrides) {
  MemoryAttributes result = input;
  if (overrides.mtcfg) {
    const unsigned outer = overrides.mem_attr >> 2;
    const unsigned inner = overrides.mem_attr & 3;
    if (outer == 0 || inner == 0) {
      // 0100, 1000 and 1100 behave as Device-nGnRnE.
      result.device = true;
      result.device_type = static_cast<uint8_t>(outer == 0 ? inner : 0);
    } else {
      set_types(&result, type_of_mem_attr(inner), type_of_mem_attr(outer));
    }
  }
  if ((overrides.alloccfg & 8) != 0) {
    for (CacheLevel* level : {&result.inner, &result.outer}) {
      level->read_allocate = (overrides.alloccfg & 4) != 0;
      level->write_allocate = (overrides.alloccfg & 2) != 0;
      level->transient = (overrides.alloccfg & 1) != 0;
    }
  }
  if (overrides.shcfg != 1) result.sh = static_cast<uint8_t>(overrides.shcfg);
  return consistent(result);
}

MemoryAttributes replaced_by_stage1(const MemoryAttributes& input, uint8_t mair_attr, unsigned sh) {
  MemoryAttributes result;
  result.sh = shareability(sh);
  if ((mair_attr >> 4) == 0) {
    // Bits [1:0] other than 00 are reserved and change nothing.
    result.device = true;
    result.device_type = static_cast<uint8_t>(bits(mair_attr, 3, 2));
    return consistent(result);
  }
  result.inner = level_of_mair(mair_attr & 15);
  result.outer = level_of_mair(mair_attr >> 4);
  if (cacheable(input, input.inner)) combine_hints(&result.inner, input.inner);
  if (cacheable(input, input.outer)) combine_hints(&result.outer, input.outer);
  return consistent(result);
}

MemoryAttributes combined_with_stage2(const MemoryAttributes& input, const Stage2Attributes& leaf) {
  MemoryAttributes result = input;
  result.sh = stronger(input.sh, shareability(leaf.sh));
  const unsigned low = leaf.mem_attr & 3;
  if (leaf.forced_write_back) {
    // MemAttr[3] is RES0, or part of reserved encodings and of the tag permission, which has no effect on the type.
    if ((leaf.mem_attr & 4) == 0) {
      combine_device(&result, static_cast<uint8_t>(low));
    } else if (low <= 1 && !input.device) {
      // 100 is reserved and acts as 101.
      set_types(&result, Cacheability::NC, Cacheability::NC);
    } else if (low == 2) {
      set_types(&result, Cacheability::WB, Cacheability::WB);
    }
    return consistent(result);
  }
  const unsigned high = leaf.mem_attr >> 2;
  if (high == 0) {
    combine_device(&result, static_cast<uint8_t>(low));
    return consistent(result);
  }
  const bool no_tag_access = leaf.mte_perm && leaf.mem_attr == 4;
  const Cacheability inner = no_tag_access ? Cacheability::WB : type_of_mem_attr(low);
  const Cacheability outer = no_tag_access ? Cacheability::WB : type_of_mem_attr(high);
  result.inner.type = std::min(result.inner.type, inner);
  result.outer.type = std::min(result.outer.type, outer);
  return consistent(result);
}

MemoryAttributes consistent(MemoryAttributes attributes) {
  if (attributes.device) {
    attributes.inner = attributes.outer = {Cacheability::NC, false, false, false};
  } else {
    attributes.device_type = 0;
  }
  for (CacheLevel* level : {&attributes.inner, &attributes.outer}) {
    if (level->type == Cacheability::NC) *level = {Cacheability::NC, false, false, false};
    if (!level->read_allocate && !level->write_allocate) level->transient = false;
  }
  const bool cached = attributes.inner.type != Cacheability::NC || attributes.outer.type != Cacheability::NC;
  if (!cached) attributes.sh = kOuterShareable;
  return attributes;
}

}  // namespace refwalk
