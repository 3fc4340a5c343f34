// SPDX-License-Identifier: MIT
// PlatformConfig: everything that a run depends on apart from the contents of its trace. Plain values, checked where
// they come in (load.h); this file knows neither TOML nor key names, those are rows of keys.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/base/types.h"
#include "model/smmu/config.h"
#include "model/spec/ste.h"
#include "platform/driver/stages.h"

namespace smmusim {

enum class Mode : std::uint8_t { timed, untimed };
enum class Replay : std::uint8_t { closed, recorded };
enum class StreamTableFormat : std::uint8_t { linear, two_level };

/// A property that may be left to the platform; the values are those of QEMU's properties.
enum class OnOffAuto : std::uint8_t { off, on, automatic };

/// What the host kernel reports of a device's ATS (iommufd, IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED).
enum class HostAts : std::uint8_t { unknown, supported, not_supported };

/// [host]: the machine whose SMMU is used for accelerated nested mode.
enum class HostMode : std::uint8_t { none, simulated, hardware, automatic };
enum class OasCheck : std::uint8_t { aperture, idr5 };
/// Linux versions that a simulated host can be: rows of platform/host/kernel_profile.h.
enum class HostKernel : std::uint8_t { v6_1, v6_12, v6_13, v7_1, v7_2, v7_4 };
struct HostConfig {
  HostMode mode = HostMode::none;
  OasCheck oas_check = OasCheck::aperture;
  HostKernel kernel = HostKernel::v7_1;  ///< this and what follows: of a simulated host
  unsigned page_kib = 4;
  unsigned oas = 48;       ///< of its SMMU, bits
  unsigned ssidsize = 20;  ///< likewise
  bool ats = true;         ///< likewise
  // What its software takes.
  unsigned ioctl_ns = 1'500;
  unsigned invalidate_entry_ns = 20;
  unsigned attach_ns = 5'000;
  unsigned event_ns = 4'000;
};

/// What QEMU checks of a host, or what can be checked.
enum class AccelCompat : std::uint8_t { none, qemu };
/// Of an SMMU with accel. The *_auto say that the value in Features is to be taken from the host.
struct AccelConfig {
  AccelCompat compat = AccelCompat::none;
  OnOffAuto cmdqv = OnOffAuto::automatic;
  unsigned batch_max = 256;      ///< invalidations in one call to the host
  unsigned veventq_depth = 256;  ///< records of the host's event queue
  bool ril_auto = false;
  bool ats_auto = false;
  bool oas_auto = false;
  bool ssidsize_auto = false;
};

struct NamedSmmu {
  std::string name = "smmu0";
  bool accel = false;  ///< accelerated by the host's SMMU
  AccelConfig acceleration{};
  SmmuConfig config{};  ///< timed and seed are copies of PlatformConfig::mode and ::seed
};

/// Main memory: [base, base + size) exists, every other address is an external abort.
struct MemoryConfig {
  std::uint64_t base = 0x4000'0000;  ///< bytes
  std::uint64_t size = std::uint64_t{1} << 40;
  unsigned latency_ns = 60;
  unsigned bandwidth_gbps = 200;  ///< 10^9 bits a second; 0: unlimited
  unsigned outstanding = 64;      ///< accesses at a time; 0: unlimited
};

/// The interrupt controller's doorbells: writes to [base, base + size) are interrupts, not memory.
struct MsiConfig {
  std::uint64_t base = 0x0802'0000;
  std::uint64_t size = 0x8'0000;
};

/// How often receivers acknowledge and return credits while TLPs come in.
enum class DllpSpacing : std::uint8_t { observed, latest };

/// Which ACS controls the PCI core switches on in the bridges that offer them.
enum class AcsPolicy : std::uint8_t { off, isolate, direct };

struct PcieConfig {
  unsigned generation = 3;  ///< 1 to 6
  unsigned lanes = 4;
  unsigned mps_bytes = 256;      ///< Max_Payload_Size
  unsigned mrrs_bytes = 512;     ///< Max_Read_Request_Size
  unsigned rcb_bytes = 64;       ///< Read Completion Boundary
  unsigned propagation_ns = 5;   ///< one way along the link
  unsigned processing_ns = 150;  ///< one way through the root complex
  DllpSpacing dllp_spacing = DllpSpacing::observed;
  bool ats_supported = true;   ///< by the root complex, as firmware says of it
  unsigned outstanding = 256;  ///< memory requests at a time at each TBU
  unsigned switch_ns = 150;    ///< one way through a switch
  AcsPolicy acs = AcsPolicy::isolate;
  // What the root port's receive buffers hold: TLPs, and units of 16 bytes. 0: unlimited.
  unsigned posted_header_credits = 64;
  unsigned posted_data_credits = 1024;
  unsigned non_posted_header_credits = 64;
};

struct AtcSettings {
  unsigned entries = 0;
  unsigned ways = 4;
  Replacement replacement = Replacement::lru;
  unsigned page_bits_max = 63;     ///< log2 of the largest page that one entry stands for
  unsigned requests = 32;          ///< Translation Requests at a time
  unsigned prefetch_pages = 0;     ///< asked for after the page that missed
  unsigned invalidate_ns = 20;     ///< for one Invalidate Request
  unsigned invalidate_queue = 32;  ///< Invalidate Queue Depth
};

/// What a device does: plays the trace's accesses, or is a device that a simulated driver uses: an NVMe controller, or
/// QEMU's iommu-testdev.
enum class DeviceModel : std::uint8_t { dma, nvme, iommu_testdev };

/// What the driver of an iommu-testdev has it do.
struct TestdevSettings {
  std::uint64_t writes = 1000;
  unsigned bytes_max = 4096;  ///< of a write
};

/// An NVMe controller, and what its driver has it do.
struct NvmeSettings {
  std::string file;   ///< its namespace; empty: in memory
  unsigned mib = 16;  ///< of a namespace in memory
  unsigned block_bytes = 512;
  unsigned queues = 1;                           ///< pairs of I/O queues
  unsigned depth = 32;                           ///< commands at a time in each
  unsigned channels = 8;                         ///< commands that the medium works on at a time
  unsigned command_ns = 500;                     ///< from the arrival of a command to its start
  unsigned read_ns = 10'000, write_ns = 10'000;  ///< the medium takes for a command
  std::uint64_t commands = 10'000;
  unsigned bytes_min = 4096, bytes_max = 4096;  ///< of a command
  unsigned read_percent = 50;
  bool offsets = false;  ///< buffers begin anywhere in a page
};

/// What a device's receive buffer holds: TLPs, and units of 16 bytes. 0: unlimited, as what a device has asked for.
struct ReceiveCredits {
  unsigned posted_headers = 64;
  unsigned posted_data = 256;
  unsigned completion_headers = 0;
  unsigned completion_data = 0;
};

/// What a device's DMA engine takes for each access, beside issue_interval_ns.
struct DmaEngineSettings {
  unsigned write_interval_ps = 0;                      ///< at least, from the start of a write to the next access
  unsigned read_request_ps = 0, write_request_ps = 0;  ///< for each TLP of an access
  unsigned copy_gbps = 0;                              ///< at which it moves data: 10^9 bits a second; 0: at once
  unsigned copy_bytes = 1;                             ///< it moves them in whole units of so many
};

struct EndpointConfig {
  std::string name;
  std::uint16_t rid = 0;                   ///< bus[15:8] device[7:3] function[2:0]
  std::optional<std::uint32_t> stream_id;  ///< absent: the RID
  std::size_t smmu = 0;                    ///< index in PlatformConfig::smmus
  std::string switch_name;                 ///< the switch that it is behind; empty: it has a root port of its own
  std::uint64_t bar_bytes = 0;             ///< of memory in BAR 0, a power of two; 0: none
  unsigned outstanding = 64;               ///< accesses at a time
  unsigned issue_interval_ns = 0;          ///< between the starts of two accesses
  unsigned tags = 256;                     ///< non-posted requests at a time
  unsigned request_ns = 0;                 ///< from the start of an access to its first TLP
  unsigned completion_ns = 0;              ///< from a read's last completion to its end
  unsigned completion_timeout_us = 0;      ///< until a request is given up; 0: never
  OnOffAuto ats = OnOffAuto::automatic;    ///< the per-device property
  bool ats_capability = false;             ///< of the physical device
  HostAts host_ats = HostAts::unknown;     ///< unknown counts as supported
  ReceiveCredits credits{};
  DmaEngineSettings dma_engine{};
  AtcSettings atc{};                ///< the device's address translation cache
  bool pri = false;                 ///< it has the PRI capability
  unsigned pri_requests = 32;       ///< Page Requests at a time
  unsigned pri_retries = 64;        ///< Page Requests for one access before it fails
  bool pri_response_pasid = false;  ///< PRG Response PASID Required
  bool invalidate_silent = false;   ///< a broken device: it never completes Invalidate Requests
  /// Width of the PASID capability, 0: none. Absent: as wide as the trace's PASIDs of this device need.
  std::optional<unsigned> pasid_bits;
  DeviceModel model = DeviceModel::dma;
  NvmeSettings nvme{};        ///< with model nvme
  TestdevSettings testdev{};  ///< with model iommu_testdev

  unsigned pasid_width() const { return pasid_bits.value_or(0); }
  StreamId stream() const { return StreamId(stream_id.value_or(rid)); }
};

struct TraceConfig {
  std::string file;  ///< empty: none
  Replay replay = Replay::closed;
  bool check = true;  ///< compare each translation with the answer that the trace recorded
};

/// The largest leaf of the stage-2 table below a nested stream, as log2 of its bytes.
enum class Stage2Leaf : std::uint8_t { kib4 = 12, mib2 = 21, gib1 = 30 };

/// What the simulated driver writes into memory and registers.
struct DriverConfig {
  DriverStages stages = DriverStages::one;
  Stage2Leaf stage2_leaf = Stage2Leaf::mib2;
  StreamTableFormat stream_table = StreamTableFormat::two_level;
  unsigned stream_table_split = 8;  ///< STRTAB_BASE_CFG.SPLIT: 6, 8 or 10
  /// STE.S1Fmt of streams with substreams. Absent: 64 KiB tables of CDs where there are more CDs than fit into one and
  /// all SMMUs have two levels, else linear; as Linux.
  std::optional<spec::S1Format> context_table;
  spec::S1Dss s1dss = spec::S1Dss::substream0;  ///< STE.S1DSS of streams with substreams
  unsigned command_queue_log2 = 8;              ///< entries
  unsigned event_queue_log2 = 8;
  /// ATS answers with stage 1 alone, and translated accesses go through stage 2 (STE.EATS = split-stage).
  bool ats_split = false;
  unsigned pri_queue_log2 = 8;
  unsigned demand_paging = 0;       ///< percent of the pages of devices with PRI that are mapped only on request
  unsigned page_request_ns = 500;   ///< the handler takes for an entry of the PRI queue
  unsigned page_fault_ns = 10'000;  ///< until a requested page is there
  /// Where tables and queues are built, inside main memory and away from what the trace's devices touch.
  std::uint64_t tables_base = 0xc000'0000;
};

struct PlatformConfig {
  std::string preset;  ///< the one that was applied; empty: none
  Mode mode = Mode::timed;
  std::uint64_t seed = 1;
  std::vector<NamedSmmu> smmus{NamedSmmu{}};  ///< at least one; names differ
  MemoryConfig memory{};
  MsiConfig msi{};
  PcieConfig pcie{};
  /// Names, RIDs and streams differ. Empty: one for each stream of the trace, made from endpoint_template.
  std::vector<EndpointConfig> endpoints{};
  EndpointConfig endpoint_template{};
  HostConfig host{};
  TraceConfig trace{};
  DriverConfig driver{};
};

}  // namespace smmusim
