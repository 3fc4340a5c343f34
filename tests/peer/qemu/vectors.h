// SPDX-License-Identifier: MIT
// Hand-made cases: QEMU's own test image (tests/qtest/iommu-smmuv3-test.c, its memory layout as data), its negative
// variants, and one minimal case for each explained divergence.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/peer/qemu/case.h"

namespace smmusim::peer {

struct Vector {
  const char* name;
  unsigned config;         ///< STE.Config
  void (*edit)(Case&);     ///< what differs from the image; null: nothing
  unsigned event;          ///< the first event of the right answer; 0 = none
  bool lands;              ///< the right answer
  const char* divergence;  ///< the row that has to explain a difference; null: the sides have to agree
};

std::span<const Vector> vectors();
Case case_of(const Vector& vector);

/// Where the image's data page is: the physical address that belongs to its IOVA.
inline constexpr std::uint64_t vector_target = 0x4ecba564;

}  // namespace smmusim::peer
