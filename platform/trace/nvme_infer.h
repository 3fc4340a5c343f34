// SPDX-License-Identifier: MIT
// What each DMA access of an NVMe controller was: direction and size, which QEMU's SMMU log does not say.
//
// Known: the mapping's permission of each access, and the device's command lines (pci_nvme_read/write with a byte
// count), which QEMU prints between the fetch of a submission queue entry and the data of that command. A lifetime is
// a page of a stream from its first access until an invalidation covers it or its pair changes; all accesses of one
// lifetime have one role, except those that belong to a command. In order:
//  1. Data. The accesses that follow a command line, until its bytes are used up: page by page, device-writes for
//     pci_nvme_read, device-reads for pci_nvme_write. If the command needs more than a page and the first access lies
//     apart from the run that follows, or has another permission, it is the PRP list: a read of 8 bytes an entry.
//     A repeated lookup of one data page (QEMU looks again where the output is not contiguous) moves no data of its
//     own: the default size in the command's direction.
//  2. MSI. Translated to an interrupt controller's doorbell: a write of 4 bytes.
//  3. Shadow doorbells and event indexes (NVMe 2.0, 5.8): a lifetime with offsets not multiples of 16: 4 bytes. The
//     controller writes the event index and then reads the doorbell at the same offset of the other page, so of two
//     pages touched one after the other at one offset, the first (in most cases) is written, the second read.
//  4. Submission queue: the access right before a command line, or several offsets that are all multiples of 64:
//     a read of 64 bytes. Completion queue: the access right before an MSI, or offsets that are multiples of 16:
//     a write of 16 bytes. Votes over the lifetime decide, then the offsets.
//  5. The rest (data of administration commands): a page-aligned access is a page, others the default size; write if
//     the mapping allows it.
// The direction always agrees with the mapping's permission and no access crosses a 4 KiB page. Known to be wrong:
// with shadow doorbells QEMU also writes the administration queue's doorbell page; those few count as reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "platform/trace/qemu_line.h"
#include "platform/trace/record.h"

namespace smmusim::trace {

struct InferOptions {
  std::uint32_t default_size = 64;                                    ///< bytes, 1 to 4096
  std::vector<std::uint64_t> msi_addresses = {0x8090040, 0x8020040};  ///< GITS_TRANSLATER and GICv2m of QEMU's virt
};

/// A command line and where it stood: before records[position].
struct NvmeLine {
  std::size_t position = 0;
  NvmeCommand command;
};

/// The rule without device lines: write if the mapping allows it, `size` bytes cut at the end of the page.
void apply_plain_rule(Record& access, std::uint32_t size);

/// Sets op and size of every access of a stream that a command line names (the stream of the access before it); other
/// accesses keep theirs. `exact[i]` != 0 marks accesses whose op and size are known already.
void infer_nvme(std::span<Record> records, std::span<const NvmeLine> lines, const std::vector<char>& exact,
                const InferOptions& options);

}  // namespace smmusim::trace
