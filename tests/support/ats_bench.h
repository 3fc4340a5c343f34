// SPDX-License-Identifier: MIT
// AtsBench: a nested stream whose device uses ATS and PRI, and the device itself, scripted by the test: it makes
// Translation Requests and Translated accesses, keeps what the SMMU sends it, and answers when the test says so.
// Positions and offsets are those of IHI 0070; nothing here uses the model's codecs.
#pragma once

#include <vector>

#include "tests/support/stage2_bench.h"

namespace smmusim {

namespace off {
inline constexpr std::uint32_t PRIQ_BASE = 0xc0, PRIQ_IRQ_CFG0 = 0xd0, PRIQ_IRQ_CFG1 = 0xd8, PRIQ_IRQ_CFG2 = 0xdc;
inline constexpr std::uint32_t PRIQ_PROD = 0x100c8, PRIQ_CONS = 0x100cc;
}  // namespace off
namespace gerror {
inline constexpr std::uint32_t PRIQ_ABT_ERR = 8, MSI_PRIQ_ABT_ERR = 64;
}  // namespace gerror
namespace irq {
inline constexpr std::uint32_t PRIQ = 2;
}
namespace cr2 {
inline constexpr std::uint32_t RECINVSID = 2, REC_CFG_ATS = 8;
}
inline constexpr unsigned wire_priq = 1u << static_cast<unsigned>(Wire::pri_queue);

namespace raw::ats {
inline constexpr Bits PPAR{82, 82}, G{9, 9}, AtcSize{69, 64}, PRGIndex{72, 64};
inline constexpr std::uint64_t ATC_INV = 0x40, PRI_RESP = 0x41;
inline constexpr std::uint64_t F_BAD_ATS_TREQ = 0x05, F_TRANSL_FORBIDDEN = 0x07;
inline constexpr Bits Span{67, 64}, P{92, 92}, X{93, 93}, W{94, 94}, R{95, 95}, InputPage{191, 140};
}  // namespace raw::ats
namespace raw::pri {  // PRI queue entry (chapter 8)
inline constexpr Bits StreamID{31, 0}, SubstreamID{51, 32}, Priv{58, 58}, X{59, 59}, R{60, 60}, W{61, 61};
inline constexpr Bits Last{62, 62}, SSV{63, 63}, PRGIndex{72, 64}, Address{127, 76};
}  // namespace raw::pri

/// stage2_config() with ATS of both kinds, PRI (queues of up to 16 entries), ATSRECERR and permission overrides.
SmmuConfig ats_config();
/// The same in version 3.3 with PASIDTT and PPS off.
SmmuConfig pasidtt_config();
SmmuConfig timed(SmmuConfig config);

/// What a Translation Request asks for.
struct Ask {
  bool no_write = false;
  bool execute = false;
  bool privileged = false;
  int pasid = -1;  ///< none
};

class AtsBench : public Stage2Bench {
 public:
  static constexpr std::uint64_t va = 0x12'3456'7000, ipa = 0x8'7654'3000, pa = SmmuBench::target;
  static constexpr std::uint64_t priq = 0x4040'0000;
  static constexpr unsigned priq_log2 = 2;
  static constexpr std::uint32_t all_on = 0x1f;  ///< CR0: SMMUEN, PRIQEN, EVENTQEN, CMDQEN, ATSCHK

  /// Stream 1: nested, EATS=01, va -> ipa -> pa. ATSCHK=1 and the PRI queue enabled. The device takes messages.
  explicit AtsBench(const SmmuConfig& config = ats_config(), Time latency_ps = 0);

  void cr0(std::uint32_t value) { bench.enable(value); }
  void set_cr2(std::uint32_t value);  ///< through SMMUEN=0
  /// Stream 2: stage 1 alone, EATS=01, one page va -> pa with `descriptor_flags`.
  raw::Cd plain_stream(std::initializer_list<raw::Edit> ste_edits = {},
                       std::uint64_t descriptor_flags = raw::af | raw::ng | raw::ap_unprivileged);
  static constexpr std::uint32_t plain_sid = 2;

  // The device.
  Transaction request_of(std::uint32_t stream, std::uint64_t address, const Ask& ask = {}) const;
  Response request(std::uint32_t stream, std::uint64_t address, const Ask& ask = {}) {
    return bench.go(request_of(stream, address, ask));
  }
  Response request(std::uint64_t address = va, const Ask& ask = {}) { return request(sid, address, ask); }
  Response translated(std::uint32_t stream, std::uint64_t address, AccessType access = AccessType::read,
                      int pasid = -1);
  Response translated(std::uint64_t address, AccessType access = AccessType::read) {
    return translated(sid, address, access);
  }
  void page_request(PageRequest request) {
    bench.smmu.page_request(request);
    bench.run();
  }
  std::vector<AtcInvalidate> invalidations;  ///< received, in order
  std::vector<PageResponse> responses;
  bool answers = false;  ///< an invalidation, at once

  // The PRI queue.
  raw::Words<2> priq_entry(std::uint32_t index);
  std::uint32_t priq_prod() { return bench.r32(off::PRIQ_PROD); }
};

/// A page request of stream 1 without PASID for reading, the last of group 5.
PageRequest ordinary_page_request();
raw::Command atc_inv(std::uint32_t stream, std::initializer_list<raw::Edit> edits = {});

/// "success R W X P" and the like, for comparisons that read well in failures.
std::string describe(const Response& response);

}  // namespace smmusim
