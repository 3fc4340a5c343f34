// SPDX-License-Identifier: MIT
// The numbers and layouts of the NVM Express Base Specification 1.4 that controller and driver share: registers,
// commands, completions, status codes. Values only.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace smmusim::nvme {

inline constexpr std::uint32_t version_1_4 = 0x0001'0400;
inline constexpr unsigned command_bytes = 64, completion_bytes = 16, identify_bytes = 4096;
inline constexpr unsigned command_bytes_log2 = 6, completion_bytes_log2 = 4;  ///< CC.IOSQES, CC.IOCQES

/// Registers in BAR 0 (section 3.1).
namespace reg {
inline constexpr std::uint32_t CAP = 0x00, VS = 0x08, INTMS = 0x0c, INTMC = 0x10, CC = 0x14, CSTS = 0x1c, NSSR = 0x20,
                               AQA = 0x24, ASQ = 0x28, ACQ = 0x30, doorbells = 0x1000;
constexpr std::uint32_t sq_tail(unsigned queue) {
  return doorbells + 8 * queue;
}
constexpr std::uint32_t cq_head(unsigned queue) {
  return doorbells + 8 * queue + 4;
}
}  // namespace reg

inline constexpr std::uint32_t cc_enable = 1, cc_shutdown_mask = 3U << 14, cc_io_entry_sizes_shift = 16;
inline constexpr unsigned cc_page_size_shift = 7;  ///< CC.MPS: memory pages are 2^(12 + MPS) bytes
inline constexpr std::uint32_t csts_ready = 1, csts_fatal = 2, csts_shutdown_complete = 2U << 2;

namespace admin {
inline constexpr std::uint8_t delete_sq = 0x00, create_sq = 0x01, get_log_page = 0x02, delete_cq = 0x04,
                              create_cq = 0x05, identify = 0x06, abort = 0x08, set_features = 0x09, get_features = 0x0a,
                              async_event_request = 0x0c;
}
namespace io {
inline constexpr std::uint8_t flush = 0x00, write = 0x01, read = 0x02;
}
namespace cns {
inline constexpr std::uint8_t identify_namespace = 0, controller = 1, active_namespaces = 2, descriptors = 3;
}
namespace feature {
inline constexpr std::uint8_t arbitration = 0x01, power = 0x02, temperature = 0x04, error_recovery = 0x05,
                              write_cache = 0x06, queues = 0x07, coalescing = 0x08, vector = 0x09, atomicity = 0x0a,
                              async_events = 0x0b;
}
namespace log_page {
inline constexpr std::uint8_t errors = 1, health = 2, firmware = 3;
}

/// Status Code Type << 8 | Status Code (section 4.6.1).
enum class Status : std::uint16_t {
  success = 0x000,
  invalid_opcode = 0x001,
  invalid_field = 0x002,
  command_id_conflict = 0x003,
  data_transfer_error = 0x004,
  internal_error = 0x006,
  abort_requested = 0x007,
  invalid_namespace = 0x00b,
  command_sequence_error = 0x00c,
  invalid_prp_offset = 0x013,
  lba_out_of_range = 0x080,
  invalid_completion_queue = 0x100,
  invalid_queue_identifier = 0x101,
  invalid_queue_size = 0x102,
  async_event_limit = 0x105,
  invalid_interrupt_vector = 0x108,
  invalid_log_page = 0x109,
  invalid_queue_deletion = 0x10c,
  feature_not_saveable = 0x10d,
  write_fault = 0x280,
  unrecovered_read_error = 0x281,
};

/// A submission queue entry (section 4.2), as doublewords.
struct Command {
  std::array<std::uint32_t, 16> dw{};

  std::uint8_t opcode() const { return static_cast<std::uint8_t>(dw[0]); }
  unsigned fuse() const { return dw[0] >> 8 & 3; }
  unsigned psdt() const { return dw[0] >> 14 & 3; }
  std::uint16_t id() const { return static_cast<std::uint16_t>(dw[0] >> 16); }
  std::uint32_t nsid() const { return dw[1]; }
  std::uint64_t prp1() const { return pair(6); }
  std::uint64_t prp2() const { return pair(8); }
  std::uint64_t slba() const { return pair(10); }                 ///< of Read and Write
  std::uint32_t blocks() const { return (dw[12] & 0xffff) + 1; }  ///< likewise

  void set(std::uint8_t opcode_value, std::uint16_t id_value) { dw[0] = opcode_value | std::uint32_t{id_value} << 16; }
  void set_prps(std::uint64_t first, std::uint64_t second) {
    set_pair(6, first);
    set_pair(8, second);
  }
  void set_blocks(std::uint64_t first, std::uint32_t count) {
    set_pair(10, first);
    dw[12] = count - 1;
  }

 private:
  std::uint64_t pair(unsigned low) const { return std::uint64_t{dw[low + 1]} << 32 | dw[low]; }
  void set_pair(unsigned low, std::uint64_t value) {
    dw[low] = static_cast<std::uint32_t>(value);
    dw[low + 1] = static_cast<std::uint32_t>(value >> 32);
  }
};
static_assert(sizeof(Command) == command_bytes);

/// A completion queue entry (section 4.6).
struct Completion {
  std::uint32_t result = 0;  ///< of this command
  std::uint32_t reserved = 0;
  std::uint16_t sq_head = 0;
  std::uint16_t sq = 0;
  std::uint16_t command_id = 0;
  std::uint16_t phase_and_status = 0;

  static constexpr unsigned do_not_retry = 1U << 15;
  bool phase() const { return (phase_and_status & 1) != 0; }
  Status status() const { return static_cast<Status>(phase_and_status >> 1 & 0x7ff); }
  /// An error of the command as it stands comes again if it is tried again.
  void set_status(Status status, bool phase) {
    const bool final = status != Status::success && status != Status::data_transfer_error;
    phase_and_status =
        static_cast<std::uint16_t>(static_cast<unsigned>(status) << 1 | unsigned{phase} | (final ? do_not_retry : 0));
  }
};
static_assert(sizeof(Completion) == completion_bytes);

}  // namespace smmusim::nvme
