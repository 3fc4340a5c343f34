// SPDX-License-Identifier: MIT
// Random memory with just enough sense (IHI 0070 chapter 5) for walks to go deep.
#include "tests/random/backbone_noise.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace smmusim {

NoisePort::NoisePort(Engine& engine, std::uint64_t seed, bool timed, unsigned oas)
    : engine_(engine), random_(seed), seed_(seed), timed_(timed), oas_(oas) {
  sense_ = static_cast<unsigned>(random_.percent(75) ? 80 + random_.below(21) : random_.below(101));
  aborts_ = random_.percent(50) ? 0 : static_cast<unsigned>(random_.below(20));
  pointer_ = low_mask(random_.percent(25) ? 16 : 32) & ~low_mask(6);
}

bool NoisePort::start(MemoryRequest& request) {
  ++accesses;
  structures += request.purpose < Purpose::TTD ? 1 : 0;
  descriptors += request.purpose == Purpose::TTD ? 1 : 0;
  request.status = random_.percent(aborts_) ? MemoryStatus::external_abort : MemoryStatus::ok;
  if (request.op == MemoryOp::read) fill(request);
  // An update: now and then something else has come there.
  if (request.op == MemoryOp::compare_and_swap && random_.percent(20)) request.expected = random_.next();
  if (!timed_) return true;
  engine_.schedule_in(random_.below(300'000), request);
  return false;
}

void NoisePort::fill(MemoryRequest& request) {
  Words words{};
  TestRandom noise(seed_ ^ (request.address.value * 0x2545f4914f6cdd1d));
  for (std::uint64_t& word : words) word = noise.next();
  if (noise.percent(sense_)) make_sensible(request, words, noise);
  if (request.purpose == Purpose::CMD) last_command = request.address.value;
  if (request.purpose == Purpose::CMD && replaced_.count(request.address.value) != 0) words = {0x46, 0};
  std::memcpy(request.data, words.data(), request.size);
}

/// Config 5 to 7 (bypass is dull); S2: 4 KiB tables from level 1 on, mostly no HTTU and no stall.
void NoisePort::make_sensible_ste(Words& words, TestRandom& noise) const {
  constexpr std::uint64_t config[] = {0xb, 0xd, 0xf, 0xf};
  words[0] = (words[0] & (pointer_ | 0x30)) | config[noise.below(std::size(config))];
  if (noise.percent(50)) words[0] |= std::uint64_t{1 + noise.below(4)} << 59;  // S1CDMax
  words[1] &= ~(std::uint64_t{1} << 27 | std::uint64_t{0xf} << 28);            // S1STALLD, EATS, STRW
  if (noise.percent(30)) words[1] |= std::uint64_t{2} << 30;                   // STRW
  const std::uint64_t smallest = std::max(64 - oas_, 22u);
  const std::uint64_t size = smallest + noise.below(34 - smallest);
  const std::uint64_t httu_and_stall = noise.percent(30) ? std::uint64_t{0x7} << 55 : 0;
  const std::uint64_t kept =
      words[2] & (std::uint64_t{0xff} | std::uint64_t{0x6} << 52 | std::uint64_t{1} << 58 | httu_and_stall);
  words[2] = kept | size << 32 | std::uint64_t{1} << 38 | std::uint64_t{5} << 48 | std::uint64_t{1} << 51;
  words[3] &= pointer_;
}

/// V, AA64, A, IPS of 48 bits, TxSZ 25 with 4 KiB tables at both ends, mostly no HTTU and no stall.
void NoisePort::make_sensible_cd(Words& words, TestRandom& noise, std::uint64_t pointer) {
  constexpr std::uint64_t size_and_granule = 0xff;
  constexpr std::uint64_t decided =
      size_and_granule | size_and_granule << 16 | std::uint64_t{0x7} << 32 | std::uint64_t{0x7} << 42;
  constexpr std::uint64_t wanted = 0x19 | 0x99 << 16 | std::uint64_t{5} << 32;
  constexpr std::uint64_t set = 0x80000000 | std::uint64_t{1} << 41 | std::uint64_t{1} << 46;
  const std::uint64_t asid = noise.percent(50) ? std::uint64_t{0xff00} << 48 : 0;
  const std::uint64_t endi = noise.percent(70) ? std::uint64_t{1} << 15 : 0;
  const std::uint64_t httu_and_stall = noise.percent(30) ? words[0] & std::uint64_t{0x7} << 42 : 0;
  words[0] = (words[0] & ~decided & ~asid & ~endi) | wanted | set | httu_and_stall;
  words[1] &= pointer | 0xf;
  words[2] &= pointer | 0xf;
}

void NoisePort::make_sensible(const MemoryRequest& request, Words& words, TestRandom& noise) const {
  constexpr std::uint64_t opcodes[] = {1,    2,    3,    4,    5,    6,    0x10, 0x11, 0x12,
                                       0x13, 0x20, 0x21, 0x22, 0x23, 0x28, 0x2a, 0x30, 0x46};
  switch (request.purpose) {
    case Purpose::L1STD:
      words[0] = (words[0] & pointer_) | (1 + noise.below(11));
      break;
    case Purpose::STE:
      make_sensible_ste(words, noise);
      break;
    case Purpose::L1CD:
      words[0] = (words[0] & pointer_) | 1;
      break;
    case Purpose::CD:
      make_sensible_cd(words, noise, pointer_);
      break;
    case Purpose::TTD:
      // AF mostly, and at stage 2 permission to read.
      words[0] = (words[0] & (pointer_ | 0xffc | 0x7ff0000000000000)) | (noise.percent(70) ? 3 : 1);
      if (noise.percent(80)) words[0] |= 0x400 | (request.stage == 2 ? 0x40u : 0u);
      break;
    case Purpose::CMD:
      words[0] = (words[0] & ~std::uint64_t{0x4ff}) | opcodes[noise.below(std::size(opcodes))];
      break;
    default:
      break;
  }
}

}  // namespace smmusim
