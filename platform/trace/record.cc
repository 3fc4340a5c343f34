// SPDX-License-Identifier: MIT
// Which records are legal. One function decides it for text, binary, importers and the generator alike.
#include "platform/trace/record.h"

#include <array>
#include <cstddef>

namespace smmusim::trace {
namespace {

/// A copy with only the fields that the kind (no access) uses.
Record canonical(const Record& r) {
  Record c;
  c.time_ps = r.time_ps;
  c.kind = r.kind;
  const auto copy_stream = [&] {
    c.stream = r.stream;
    c.substream = r.has_substream ? r.substream : 0;
    c.has_substream = r.has_substream;
  };
  const auto copy_range = [&] {
    c.address = r.address;
    c.pages = r.pages;
    c.granule_log2 = r.granule_log2;
  };
  const auto copy_asid = [&] {
    c.has_asid = r.has_asid;
    c.asid = r.has_asid ? r.asid : std::uint16_t{0};
  };
  const auto copy_output = [&] {
    c.output = r.output;
    c.perm = r.perm;
  };
  switch (r.kind) {
    case Kind::access:
      break;  // is_canonical_access
    case Kind::map:
      copy_stream();
      copy_range();
      copy_output();
      break;
    case Kind::unmap:
      copy_stream();
      copy_range();
      break;
    case Kind::invalidate:
      c.invalidate_scope = r.invalidate_scope;
      c.has_vmid = r.has_vmid;
      c.vmid = r.has_vmid ? r.vmid : std::uint16_t{0};
      if (r.invalidate_scope == InvalidateScope::range || r.invalidate_scope == InvalidateScope::asid) {
        copy_asid();
      }
      if (r.is_range()) {
        copy_range();
        c.ttl = r.ttl;
        c.leaf = r.leaf;
      }
      break;
    case Kind::config:
      c.config_scope = r.config_scope;
      if (r.config_scope != ConfigScope::all) c.stream = r.stream;
      if (r.config_scope == ConfigScope::ste_range) c.stream_last = r.stream_last;
      if (r.config_scope == ConfigScope::cd) {
        copy_stream();
        copy_asid();
      }
      break;
  }
  return c;
}

const char* check_access(const Record& r) {
  if (r.op > Op::atomic) return "an access of an unknown operation; it is read, write or atomic";
  if (r.ats > Ats::translated) return "an unknown ATS type; it is untranslated, request or translated";
  if (r.size == 0) return "an access of no bytes; its size is at least 1";
  if (r.size > access_bytes_max) return "an access of more than 1 MiB; write it as several";
  if (r.op == Op::atomic && ((r.size != 4 && r.size != 8) || r.address % r.size != 0)) {
    return "an atomic that no AtomicOp is; it has 4 or 8 bytes and is aligned to them";
  }
  if (r.address + (r.size - 1) < r.address) return "an access that goes beyond address 2^64; it ends below";
  if (!r.has_expected) return nullptr;
  if ((r.address % page_bytes) + r.size > page_bytes) {
    return "an access with an expected address that crosses a 4 KiB boundary; write one access for each page";
  }
  if ((r.address ^ r.output) % page_bytes != 0) {
    return "an expected address whose offset in its 4 KiB page differs from the access's; the low 12 bits are equal";
  }
  if (r.perm == 0 || r.perm > 3) return "an expected address without permission; perm is r, w or rw";
  return nullptr;
}

const char* check_pages(const Record& r, bool granule_may_be_absent) {
  const bool known = r.granule_log2 == 12 || r.granule_log2 == 14 || r.granule_log2 == 16;
  if (!known && !(r.granule_log2 == 0 && granule_may_be_absent)) {
    return "an unknown granule; it is 4K, 16K or 64K";
  }
  if (r.pages == 0 || r.pages > pages_max) return "a number of pages out of range; it is 1 to 2^36";
  if (r.granule_log2 == 0 && r.pages != 1) return "several pages without a granule; give granule=4K, 16K or 64K";
  return nullptr;
}

const char* check_map(const Record& r) {
  if (const char* wrong = check_pages(r, false)) return wrong;
  const std::uint64_t bytes = r.pages << r.granule_log2;
  if (r.address % r.granule_bytes() != 0) return "a mapping that starts inside a granule; align its address";
  if (r.address + (bytes - 1) < r.address) return "a mapping that goes beyond address 2^64; it ends below";
  if (r.kind == Kind::unmap) return nullptr;
  if (r.output % r.granule_bytes() != 0) return "a mapping to the inside of a granule; align its output address";
  if (r.output + (bytes - 1) < r.output) return "a mapping to beyond address 2^64; it ends below";
  if (r.perm == 0 || r.perm > 3) return "a mapping without permission; perm is r, w or rw";
  return nullptr;
}

const char* check_invalidate(const Record& r) {
  if (r.invalidate_scope > InvalidateScope::vmid) return "an invalidation of unknown scope; see traces/README.md";
  if (r.invalidate_scope == InvalidateScope::asid && !r.has_asid)
    return "an ASID invalidation without ASID; give asid=N";
  if (r.invalidate_scope == InvalidateScope::vmid && !r.has_vmid)
    return "a VMID invalidation without VMID; give vmid=N";
  if (r.ttl > 3) return "a TTL out of range; it is 0 to 3";
  return r.is_range() ? check_pages(r, true) : nullptr;
}

const char* check_config(const Record& r) {
  if (r.config_scope > ConfigScope::all) return "a configuration change of unknown scope; see traces/README.md";
  if (r.config_scope == ConfigScope::ste_range && r.stream_last < r.stream) {
    return "a stream range that ends before it starts; last is at least sid";
  }
  return nullptr;
}

const char* check_kind(const Record& r) {
  switch (r.kind) {
    case Kind::access:
      return check_access(r);
    case Kind::map:
    case Kind::unmap:
      return check_map(r);
    case Kind::invalidate:
      return check_invalidate(r);
    case Kind::config:
      return check_config(r);
  }
  return "a record of unknown kind; see traces/README.md";
}

template <std::size_t N, class E>
std::string_view name_of(const std::array<std::string_view, N>& names, E value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : std::string_view{"?"};
}

/// canonical(r) == r for the kind that a trace is full of, without the copy.
bool is_canonical_access(const Record& r) {
  const auto numbers = r.pages | r.stream_last | r.asid | r.vmid | r.granule_log2 | r.ttl |
                       static_cast<unsigned>(r.invalidate_scope) | static_cast<unsigned>(r.config_scope);
  if (numbers != 0 || r.has_asid || r.has_vmid || r.leaf) return false;
  return (r.has_substream || r.substream == 0) && (r.has_expected || (r.output | r.perm) == 0);
}

}  // namespace

bool Record::covers(std::uint64_t iova) const {
  if (kind != Kind::invalidate) return false;
  if (invalidate_scope == InvalidateScope::ipa_range) return false;
  if (invalidate_scope != InvalidateScope::range) return true;
  const std::uint64_t granule = granule_bytes();
  const std::uint64_t first = address & ~(granule - 1);
  return (iova - first) / granule < pages;
}

const char* check_record(const Record& record) {
  if (record.substream >= (std::uint32_t{1} << 20)) return "a SubstreamID out of range; it has 20 bits";
  if (const char* wrong = check_kind(record)) return wrong;
  const bool same = record.kind == Kind::access ? is_canonical_access(record) : canonical(record) == record;
  return same ? nullptr : "a value in a field that this kind of record does not have; leave it out";
}

Record make_access(std::uint64_t time_ps, Op op, std::uint32_t stream, std::uint64_t iova, std::uint32_t size,
                   std::uint64_t expected_pa, std::uint8_t perm) {
  Record r;
  r.time_ps = time_ps;
  r.op = op;
  r.stream = stream;
  r.address = iova;
  r.size = size;
  r.output = expected_pa;
  r.perm = perm;
  r.has_expected = true;
  return r;
}

Record make_context_change(std::uint64_t time_ps, std::uint32_t stream, std::uint32_t substream, std::uint16_t asid) {
  Record r;
  r.time_ps = time_ps;
  r.kind = Kind::config;
  r.config_scope = ConfigScope::cd;
  r.stream = stream;
  r.has_substream = true;
  r.substream = substream;
  r.has_asid = true;
  r.asid = asid;
  return r;
}

Record make_range_invalidation(std::uint64_t time_ps, std::uint16_t asid, std::uint64_t iova, std::uint64_t pages,
                               std::uint8_t granule_log2) {
  Record r;
  r.time_ps = time_ps;
  r.kind = Kind::invalidate;
  r.invalidate_scope = InvalidateScope::range;
  r.has_asid = true;
  r.asid = asid;
  r.address = iova;
  r.pages = pages;
  r.granule_log2 = granule_log2;
  r.leaf = true;
  return r;
}

std::string_view to_string(Kind kind) {
  static constexpr std::array<std::string_view, 5> names{"access", "map", "unmap", "invalidate", "config"};
  return name_of(names, kind);
}
std::string_view to_string(Op op) {
  static constexpr std::array<std::string_view, 3> names{"read", "write", "atomic"};
  return name_of(names, op);
}
std::string_view to_string(Ats ats) {
  static constexpr std::array<std::string_view, 3> names{"untranslated", "request", "translated"};
  return name_of(names, ats);
}
std::string_view to_string(InvalidateScope scope) {
  static constexpr std::array<std::string_view, 6> names{"range", "asid", "vmid-s1", "all", "ipa-range", "vmid"};
  return name_of(names, scope);
}
std::string_view to_string(ConfigScope scope) {
  static constexpr std::array<std::string_view, 5> names{"ste", "ste-range", "cd", "cd-all", "all"};
  return name_of(names, scope);
}

}  // namespace smmusim::trace
