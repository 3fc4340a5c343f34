// SPDX-License-Identifier: MIT
// Writes a trace as QEMU's log lines: see export_qemu.h.
#include "platform/trace/export_qemu.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "platform/trace/nvme_infer.h"

namespace smmusim::trace {
namespace {

constexpr std::uint64_t ps_per_second = 1'000'000'000'000;

std::string stamp_of(std::uint64_t time_ps) {
  const std::uint64_t seconds = time_ps / ps_per_second;
  const std::uint64_t rest = time_ps % ps_per_second;
  const std::chrono::sys_days day{std::chrono::days{static_cast<int>(seconds / 86400)}};
  const std::chrono::year_month_day date{day};
  const std::uint64_t second = seconds % 86400;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), second / 3600,
                                 second / 60 % 60, second % 60);
  // QEMU prints microseconds; finer times take all twelve digits.
  if (rest % 1'000'000 == 0) return text + fmt::format("{:06}Z", rest / 1'000'000);
  return text + fmt::format("{:012}Z", rest);
}

bool plain_rule_restores(const Record& r) {
  Record plain = r;
  apply_plain_rule(plain, InferOptions{}.default_size);
  return plain == r && r.ats == Ats::untranslated && r.tag == 0 && !r.has_substream && !r.privileged && !r.instruction;
}

const char* append_access(const Record& r, const std::string& stamp, std::string& to) {
  if (!r.has_expected) return "an access without expected address, which this log can't say; give it pa= and perm=";
  if (!plain_rule_restores(r)) {
    fmt::format_to(std::back_inserter(to), "{} smmusim_access op={}", stamp, static_cast<unsigned>(r.op));
    if (r.size != 0) fmt::format_to(std::back_inserter(to), " size={}", r.size);
    if (r.has_substream) fmt::format_to(std::back_inserter(to), " ssid=0x{:x}", r.substream);
    fmt::format_to(std::back_inserter(to), " ats={} tag={} priv={:d} inst={:d}\n", static_cast<unsigned>(r.ats), r.tag,
                   static_cast<bool>(r.privileged), static_cast<bool>(r.instruction));
  }
  fmt::format_to(std::back_inserter(to),
                 "{} smmuv3_translate_success smmuv3-iommu-memory-region-{}-1 sid=0x{:x} iova=0x{:x} translated=0x{:x} "
                 "perm=0x{:x} stage=1\n",
                 stamp, r.stream & 0xff, r.stream, r.address, r.output, r.perm);
  return nullptr;
}

int id_or_minus_one(bool has, std::uint16_t id) {
  return has ? id : -1;
}

const char* append_invalidate(const Record& r, const std::string& stamp, std::string& to) {
  const int vmid = id_or_minus_one(r.has_vmid, r.vmid);
  const int asid = id_or_minus_one(r.has_asid, r.asid);
  auto out = std::back_inserter(to);
  switch (r.invalidate_scope) {
    case InvalidateScope::range:
    case InvalidateScope::ipa_range:
      fmt::format_to(
          out, "{} smmuv3_range_inval vmid={} asid={} addr=0x{:x} tg={} num_pages=0x{:x} ttl={} leaf={:d} stage={}\n",
          stamp, vmid, asid, r.address, r.granule_log2 == 0 ? 0 : (r.granule_log2 - 10) / 2, r.pages, r.ttl,
          static_cast<bool>(r.leaf), r.invalidate_scope == InvalidateScope::range ? 1 : 2);
      return nullptr;
    case InvalidateScope::asid:
      fmt::format_to(out, "{} smmuv3_cmdq_tlbi_nh_asid asid={}", stamp, asid);
      to.append(r.has_vmid ? fmt::format(" vmid={}\n", vmid) : "\n");
      return nullptr;
    case InvalidateScope::vmid_s1:
      fmt::format_to(out, "{} smmuv3_cmdq_tlbi_nh vmid={}\n", stamp, vmid);
      return nullptr;
    case InvalidateScope::vmid:
      fmt::format_to(out, "{} smmuv3_cmdq_tlbi_s12_vmid vmid={}\n", stamp, vmid);
      return nullptr;
    case InvalidateScope::all:
      if (r.has_vmid) return "an invalidation of everything with a VMID, which this log can't say; leave vmid= out";
      fmt::format_to(out, "{} smmuv3_cmdq_tlbi_nsnh \n", stamp);
      return nullptr;
  }
  return "an invalidation of unknown scope";
}

const char* append_config(const Record& r, const std::string& stamp, std::string& to) {
  auto out = std::back_inserter(to);
  switch (r.config_scope) {
    case ConfigScope::ste:
      fmt::format_to(out, "{} smmuv3_cmdq_cfgi_ste streamid= 0x{:x}\n", stamp, r.stream);
      return nullptr;
    case ConfigScope::ste_range:
      fmt::format_to(out, "{} smmuv3_cmdq_cfgi_ste_range start=0x{:x} - end=0x{:x}\n", stamp, r.stream, r.stream_last);
      return nullptr;
    case ConfigScope::all:
      fmt::format_to(out, "{} smmuv3_cmdq_cfgi_ste_range start=0x0 - end=0xffffffff\n", stamp);
      return nullptr;
    case ConfigScope::cd_all:
      return "an invalidation of all CDs of a stream, which this log can't tell from one of a single CD; "
             "export to text instead";
    case ConfigScope::cd:
      if (r.has_substream)
        return "an invalidation with a SubstreamID, which this log can't say; export to text instead";
      fmt::format_to(out, "{} smmuv3_cmdq_cfgi_cd sid=0x{:x}\n", stamp, r.stream);
      return nullptr;
  }
  return "a change of unknown scope";
}

}  // namespace

const char* append_log_lines(const Record& record, std::string& to) {
  const std::string stamp = stamp_of(record.time_ps);
  switch (record.kind) {
    case Kind::access:
      if (record.size > page_bytes) return "an access of more than a page, which this log can't say; split it";
      return append_access(record, stamp, to);
    case Kind::invalidate:
      return append_invalidate(record, stamp, to);
    case Kind::config:
      return append_config(record, stamp, to);
    case Kind::map:
    case Kind::unmap:
      break;
  }
  return "a map or unmap, which this log can't say; export to text instead";
}

}  // namespace smmusim::trace
