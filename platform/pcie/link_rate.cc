// SPDX-License-Identifier: MIT
// Rates and limits as tables. The tables hold the base specification's factors; its tables of limits follow from them.
#include "platform/pcie/link_rate.h"

#include <array>
#include <cstddef>
#include <numeric>

namespace smmusim::platform {
namespace {

/// Transfer rate of one lane, the share of it that line coding leaves, and what a receiver takes to process a TLP.
struct Generation {
  unsigned megatransfers;
  unsigned payload_bits;
  unsigned coded_bits;
  unsigned internal_delay_symbols;
};
constexpr std::array<Generation, 6> generations{{
    {2500, 8, 10, 19},
    {5000, 8, 10, 70},
    {8000, 128, 130, 115},
    {16000, 128, 130, 115},
    {32000, 128, 130, 115},
    {64000, 242, 256, 115},
}};

/// AckFactor in tenths, for a Max_Payload_Size of 128, 256, and 512 or more.
struct AckFactors {
  unsigned lanes;
  std::array<unsigned, 3> tenths;
};
constexpr std::array<AckFactors, 7> ack_factors{{
    {1, {14, 14, 10}},
    {2, {14, 14, 10}},
    {4, {14, 14, 10}},
    {8, {25, 25, 10}},
    {12, {30, 30, 20}},
    {16, {30, 30, 20}},
    {32, {30, 30, 20}},
}};

constexpr unsigned tlp_overhead_bytes = 28;

}  // namespace

LinkRate link_rate(unsigned generation, unsigned lanes) {
  const Generation& row = generations[generation - 1];
  constexpr std::uint64_t picoseconds_of_a_byte = std::uint64_t{8} * 1'000'000;  // at one megatransfer a second
  const std::uint64_t coded = picoseconds_of_a_byte * row.coded_bits;
  const std::uint64_t plain = std::uint64_t{row.megatransfers} * row.payload_bits * lanes;
  const std::uint64_t common = std::gcd(coded, plain);
  return {coded / common, plain / common};
}

unsigned ack_limit_symbols(unsigned generation, unsigned lanes, unsigned mps_bytes) {
  const std::size_t column = mps_bytes <= 128 ? 0 : mps_bytes <= 256 ? 1 : 2;
  unsigned tenths = 0;
  for (const AckFactors& row : ack_factors) {
    if (row.lanes == lanes) tenths = row.tenths[column];
  }
  const unsigned reception = (mps_bytes + tlp_overhead_bytes) * tenths / (10 * lanes);
  return reception + generations[generation - 1].internal_delay_symbols;
}

}  // namespace smmusim::platform
