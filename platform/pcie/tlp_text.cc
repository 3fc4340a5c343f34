// SPDX-License-Identifier: MIT
// TLPs in words.
#include "platform/pcie/tlp_text.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <string_view>

#include "platform/config/bdf.h"
#include "platform/pcie/messages.h"

namespace smmusim::platform {
namespace {

/// Bytes from the first enabled one to the last; 0: none is.
unsigned enabled_bytes(const Tlp& tlp) {
  if (tlp.first_be == 0 && tlp.last_be == 0) return 0;
  const unsigned last = tlp.length_dw == 1 ? tlp.first_be : tlp.last_be;
  const auto before = static_cast<unsigned>(std::countr_zero(tlp.first_be));
  const auto after = static_cast<unsigned>(std::countl_zero(static_cast<unsigned char>(last << 4)));
  return tlp.length_dw * 4U - before - after;
}

std::string size_text(unsigned span_bits) {
  constexpr std::array<std::string_view, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return fmt::format("{}{}", 1U << span_bits % 10, units[span_bits / 10]);
}

std::string range_text(const AtsRange& range) {
  if (range.span_bits >= 64) return "everything";
  return fmt::format("{:#x} {}", range.address, size_text(range.span_bits));
}

std::string flag(bool set, std::string_view name) {
  return set ? fmt::format(" {}", name) : std::string();
}

std::string pasid_text(const PasidPrefix& pasid) {
  if (!pasid.present) return {};
  return fmt::format(" PASID {:#x}{}{}", pasid.pasid, flag(pasid.privileged, "PMR"), flag(pasid.execute, "ER"));
}

std::string status_text(CplStatus status) {
  switch (status) {
    case CplStatus::SC:
      return "SC";
    case CplStatus::UR:
      return "UR";
    case CplStatus::CA:
      return "CA";
  }
  return "?";
}

std::string memory_text(const Tlp& tlp) {
  const std::string_view name = name_of(tlp.type);
  if (tlp.is_translation_request()) {
    const unsigned entries = tlp.length_dw / 2U;
    return fmt::format("{} AT=TR {:#x} {} {} tag {}{}{}", name, tlp.address, entries,
                       entries == 1 ? "entry" : "entries", tlp.tag, flag(tlp.no_write, "NW"), pasid_text(tlp.pasid));
  }
  return fmt::format("{}{} {:#x} {}B tag {}{}{}{}", name, flag(tlp.at == AddressType::translated, "AT=translated"),
                     tlp.address, tlp.is_atomic() ? tlp.payload_bytes() : enabled_bytes(tlp), tlp.tag,
                     pasid_text(tlp.pasid), flag(tlp.relaxed_ordering, "RO"), flag(tlp.id_ordering, "IDO"));
}

std::string entry_text(const TranslationEntry& entry) {
  return fmt::format("{} S={}{}{}{}{}{}{}{}{}", range_text(entry.range), entry.range.span_bits > 12 ? 1 : 0,
                     flag(entry.read, "R"), flag(entry.write, "W"), flag(entry.execute, "Exe"),
                     flag(entry.privileged, "Priv"), flag(entry.global, "Global"), flag(entry.untranslated_only, "U"),
                     flag(entry.non_snooped, "N"), flag(entry.cxl_io, "CXL.io"));
}

std::string completion_text(const Tlp& tlp, bool of_translation) {
  if (tlp.type == TlpType::Cpl) {
    return fmt::format("Cpl{} {} tag {}", flag(of_translation, "TR"), status_text(tlp.status), tlp.tag);
  }
  if (!of_translation) {
    const std::string more = tlp.byte_count > tlp.payload_bytes() ? fmt::format(" of {}B left", tlp.byte_count) : "";
    return fmt::format("CplD {}B{} tag {}", tlp.payload_bytes(), more, tlp.tag);
  }
  std::string text = fmt::format("CplD TR tag {}", tlp.tag);
  for (std::size_t i = 0; i != translation_entries(tlp); ++i) {
    text += fmt::format("{} {}", i == 0 ? "" : ",", entry_text(translation_entry(tlp, i)));
  }
  return text;
}

std::string itags_text(std::uint32_t itags) {
  std::string text;
  for (; itags != 0; itags &= itags - 1) text += fmt::format(" {}", std::countr_zero(itags));
  return text;
}

std::string response_text(unsigned code) {
  switch (code) {
    case 0:
      return "Success";
    case 1:
      return "Invalid Request";
    case 15:
      return "Response Failure";
    default:
      return fmt::format("code {}", code);
  }
}

std::string page_request_text(const Tlp& tlp) {
  const PageRequestMessage m = page_request(tlp);
  if (m.pasid.present && m.last && !m.read && !m.write) return fmt::format("Stop Marker{}", pasid_text(m.pasid));
  return fmt::format("Page Request group {} {:#x}{}{}{}{}", m.group, m.address, flag(m.read, "R"), flag(m.write, "W"),
                     flag(m.last, "last"), pasid_text(m.pasid));
}

std::string message_text(const Tlp& tlp) {
  switch (tlp.message) {
    case MessageCode::Invalidate_Request: {
      if (tlp.data.size() < 8) return "Invalidate Request without data";
      const InvalidateRequest m = invalidate_request(tlp);
      return fmt::format("Invalidate Request itag {} {}{}{}", m.itag, range_text(m.range), flag(m.global, "Global"),
                         pasid_text(m.pasid));
    }
    case MessageCode::Invalidate_Completion: {
      const InvalidateCompletion m = invalidate_completion(tlp);
      return fmt::format("Invalidate Completion itag{} CC={}", itags_text(m.itags), m.count);
    }
    case MessageCode::Page_Request:
      return page_request_text(tlp);
    case MessageCode::PRG_Response: {
      const PrgResponse m = prg_response(tlp);
      return fmt::format("PRG Response group {} {}{}", m.group, response_text(m.code), pasid_text(m.pasid));
    }
  }
  return "message";
}

}  // namespace

std::string describe(const Tlp& tlp, bool of_translation) {
  if (tlp.is_message()) return message_text(tlp);
  if (tlp.is_completion()) return completion_text(tlp, of_translation);
  if (tlp.type == TlpType::MRd || tlp.type == TlpType::MWr || tlp.is_atomic()) return memory_text(tlp);
  return fmt::format("{} {} register {:#x} tag {}", name_of(tlp.type), format_bdf(tlp.target_id), tlp.address, tlp.tag);
}

}  // namespace smmusim::platform
