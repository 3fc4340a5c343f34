// SPDX-License-Identifier: MIT
// Rows of the keys of [[endpoint]]. `endpoint.smmu` is resolved to an index by the loader, which knows the names.
#include <array>
#include <stdexcept>

#include "platform/config/bdf.h"
#include "platform/config/key_rows.h"

namespace smmusim::key_rows {
namespace {

using E = EndpointConfig;
constexpr Choice on_off_auto[] = {{"off", 0}, {"on", 1}, {"auto", 2}};
constexpr Choice host_reports[] = {{"unknown", 0}, {"supported", 1}, {"not-supported", 2}};

Row bdf() {
  Row made = row<E>("endpoint.bdf", KeyType::text, {"", "PCI address: bus, device, function", "the StreamID"});
  made.min = made.max = 7;
  made.get = [](const Subject& s) -> Value { return format_bdf(s.endpoint->rid); };
  made.set = [](const Subject& s, const Value& value) {
    const auto rid = parse_bdf(std::get<std::string>(value));
    if (!rid) throw std::invalid_argument("is no PCI address; write BB:DD.F in hexadecimal, as 00:01.0");
    s.endpoint->rid = *rid;
  };
  return std::move(made).in_words("BB:DD.F").identifies();
}

Row stream_id() {
  Row made =
      row<E>("endpoint.stream_id", KeyType::integer, {"", "StreamID of the device's transactions", "the RID, as bdf"});
  made.max = 0xffff'ffff;
  made.get = [](const Subject& s) -> Value { return std::uint64_t{s.endpoint->stream().value}; };
  made.set = [](const Subject& s, const Value& value) {
    if (std::holds_alternative<Automatic>(value)) {
      s.endpoint->stream_id.reset();
    } else {
      s.endpoint->stream_id = static_cast<std::uint32_t>(std::get<std::uint64_t>(value));
    }
  };
  return std::move(made).or_auto().identifies();
}

Row smmu() {
  Row made = row<E>("endpoint.smmu", KeyType::text, {"", "name of the SMMU that translates for it", "the only one"});
  made.min = 1;
  made.max = 64;
  made.get = [](const Subject& s) -> Value {
    const auto& smmus = s.platform->smmus;
    return s.endpoint->smmu < smmus.size() ? smmus[s.endpoint->smmu].name : std::string();
  };
  made.set = [](const Subject& s, const Value& value) {
    const auto& smmus = s.platform->smmus;
    for (std::size_t i = 0; i < smmus.size(); ++i) {
      if (smmus[i].name == std::get<std::string>(value)) {
        s.endpoint->smmu = i;
        return;
      }
    }
    std::string names;
    for (const NamedSmmu& known : smmus) names += (names.empty() ? "" : ", ") + known.name;
    throw std::invalid_argument("names no SMMU; there is " + names);
  };
  return std::move(made).in_words("a name").identifies();
}

Row pasid_bits() {
  Row made = row<E>("endpoint.pasid_bits", KeyType::integer,
                    {"bit", "width of the PASID capability; 0: none", "what the trace's PASIDs need"});
  made.max = 20;
  made.get = [](const Subject& s) -> Value { return std::uint64_t{s.endpoint->pasid_width()}; };
  made.set = [](const Subject& s, const Value& value) {
    if (std::holds_alternative<Automatic>(value)) {
      s.endpoint->pasid_bits.reset();
    } else {
      s.endpoint->pasid_bits = static_cast<unsigned>(std::get<std::uint64_t>(value));
    }
  };
  return std::move(made).or_auto();
}

void add_topology(std::vector<Key>& keys) {
  keys.push_back(
      text<E>("endpoint.switch", [](auto& e) -> auto& { return e.switch_name; }, 0, 64,
              {"", "name of the switch that it is behind with others; empty: a root port of its own", "none"})
          .in_words("a name")
          .identifies());
  static constexpr auto sizes = [] {
    std::array<std::uint64_t, 20> list{};  // 0, and 4 KiB to 1 GiB
    for (unsigned i = 1; i != list.size(); ++i) list[i] = std::uint64_t{0x800} << i;
    return list;
  }();
  keys.push_back(one_of<E>("endpoint.bar_bytes", [](auto& e) -> auto& { return e.bar_bytes; }, sizes,
                           {"byte", "of memory in BAR 0 for peers; needs endpoint.switch; 0: no BAR", "none"}));
}

void add_ats(std::vector<Key>& keys) {
  keys.push_back(choice<E>("endpoint.ats", [](auto& e) -> auto& { return e.ats; }, on_off_auto,
                           {"", "whether the device shows an ATS capability", "QEMU's vfio-pci property"}));
  keys.push_back(boolean<E>("endpoint.ats_capability", [](auto& e) -> auto& { return e.ats_capability; },
                            {"", "whether the physical device has ATS", "a device without ATS"}));
  keys.push_back(choice<E>("endpoint.host_ats", [](auto& e) -> auto& { return e.host_ats; }, host_reports,
                           {"", "what the host kernel reports of the device's ATS", "no host device, so no report"}));
  keys.push_back(pasid_bits());
  keys.push_back(boolean<E>("endpoint.pri", [](auto& e) -> auto& { return e.pri; },
                            {"", "whether the device has the PRI capability", "a device without PRI"}));
  keys.push_back(integer<E>("endpoint.pri_requests", [](auto& e) -> auto& { return e.pri_requests; }, 1, 512,
                            {"requests", "Page Requests at a time", "a page of a queue's entries"}));
  keys.push_back(integer<E>("endpoint.pri_retries", [](auto& e) -> auto& { return e.pri_retries; }, 1, 65535,
                            {"requests", "Page Requests for one access before it fails", "patience for full queues"}));
  keys.push_back(boolean<E>("endpoint.pri_response_pasid", [](auto& e) -> auto& { return e.pri_response_pasid; },
                            {"", "whether its page responses need the PASID (STE.PPAR)", "as before PCIe 4.0"}));
}

void add_atc(std::vector<Key>& keys) {
  keys.push_back(integer<E>("endpoint.atc_entries", [](auto& e) -> auto& { return e.atc.entries; }, 0, 1 << 20,
                            {"entries", "of the device's address translation cache", "none is remembered"}));
  keys.push_back(integer<E>("endpoint.atc_ways", [](auto& e) -> auto& { return e.atc.ways; }, 1, 1 << 20,
                            {"ways", "of the ATC; entries / ways is a power of two", "usual"}));
  keys.push_back(choice<E>("endpoint.atc_replacement", [](auto& e) -> auto& { return e.atc.replacement; }, replacements,
                           {"", "of the ATC", "the usual approximation"}));
  keys.push_back(integer<E>(
      "endpoint.atc_page_bits", [](auto& e) -> auto& { return e.atc.page_bits_max; }, 12, 63,
      {"log2(bytes)", "largest page that one entry stands for; larger answers are cut", "whatever the SMMU answers"}));
  keys.push_back(integer<E>("endpoint.atc_requests", [](auto& e) -> auto& { return e.atc.requests; }, 1, 1024,
                            {"requests", "Translation Requests at a time", "half the root port's credits"}));
  keys.push_back(integer<E>("endpoint.atc_prefetch", [](auto& e) -> auto& { return e.atc.prefetch_pages; }, 0, 64,
                            {"pages", "asked for after the one that missed", "no prefetch"}));
  keys.push_back(integer<E>("endpoint.atc_invalidate_ns", [](auto& e) -> auto& { return e.atc.invalidate_ns; }, 0,
                            1'000'000, {"ns", "the ATC takes for an Invalidate Request", "a few cycles at 500 MHz"}));
  keys.push_back(integer<E>("endpoint.invalidate_queue", [](auto& e) -> auto& { return e.atc.invalidate_queue; }, 1, 32,
                            {"requests", "Invalidate Queue Depth of the ATS capability", "all that ITags can name"}));
  keys.push_back(boolean<E>("endpoint.invalidate_silent", [](auto& e) -> auto& { return e.invalidate_silent; },
                            {"", "a broken device: it never completes Invalidate Requests", "devices that work"}));
}

void add_credits(std::vector<Key>& keys) {
  keys.push_back(integer<E>("endpoint.posted_header_credits", [](auto& e) -> auto& { return e.credits.posted_headers; },
                            0, 127,
                            {"TLPs", "posted, in the device's receive buffer; 0: unlimited", "as the root port"}));
  keys.push_back(
      integer<E>("endpoint.posted_data_credits", [](auto& e) -> auto& { return e.credits.posted_data; }, 0, 2047,
                 {"16 bytes", "of posted TLPs in the device's receive buffer; 0: unlimited", "16 TLPs of 256 bytes"}));
  keys.push_back(integer<E>("endpoint.completion_header_credits",
                            [](auto& e) -> auto& { return e.credits.completion_headers; }, 0, 127,
                            {"TLPs", "completions, in the device's receive buffer; 0: unlimited",
                             "a device asks for no more than it has room for"}));
  keys.push_back(integer<E>("endpoint.completion_data_credits",
                            [](auto& e) -> auto& { return e.credits.completion_data; }, 0, 2047,
                            {"16 bytes", "of completions in the device's receive buffer; 0: unlimited",
                             "a device asks for no more than it has room for"}));
}

void add_dma_engine(std::vector<Key>& keys) {
  const auto number = [&](std::string_view name, unsigned DmaEngineSettings::*member, std::uint64_t min,
                          std::uint64_t max, const Words& words) {
    keys.push_back(integer<E>(
        name, [member](auto& e) -> auto& { return e.dma_engine.*member; }, min, max, words));
  };
  constexpr std::uint64_t ps_max = 1'000'000'000;
  number("endpoint.write_interval_ps", &DmaEngineSettings::write_interval_ps, 0, ps_max,
         {"ps", "from the start of a write to the next access, at least", "as endpoint.issue_interval_ns"});
  number("endpoint.read_request_ps", &DmaEngineSettings::read_request_ps, 0, ps_max,
         {"ps", "the DMA engine is busy with each TLP of a read", "the link limits it"});
  number("endpoint.write_request_ps", &DmaEngineSettings::write_request_ps, 0, ps_max,
         {"ps", "the DMA engine is busy with each TLP of a write", "the link limits it"});
  number("endpoint.copy_gbps", &DmaEngineSettings::copy_gbps, 0, 100'000,
         {"10^9 bit/s",
          "at which the DMA engine moves an access's data, one access after the other; a read ends after that; 0: at "
          "once",
          "a device that uses data where they arrive"});
  number("endpoint.copy_bytes", &DmaEngineSettings::copy_bytes, 1, 4096,
         {"byte", "unit in which the DMA engine moves data, the last one of an access whole", "no units"});
}

}  // namespace

std::vector<Key> endpoint_keys() {
  std::vector<Key> keys;
  keys.push_back(text<E>("endpoint.name", [](auto& e) -> auto& { return e.name; }, 1, 64,
                         {"", "how statistics call this device", "the PCI address"})
                     .identifies());
  keys.push_back(bdf());
  keys.push_back(stream_id());
  keys.push_back(smmu());
  keys.push_back(integer<E>("endpoint.outstanding", [](auto& e) -> auto& { return e.outstanding; }, 1, 65535,
                            {"accesses", "at a time", "a usual NVMe drive's read tags"}));
  keys.push_back(integer<E>("endpoint.issue_interval_ns", [](auto& e) -> auto& { return e.issue_interval_ns; }, 0,
                            1'000'000,
                            {"ns", "between the starts of two accesses; 0: no limit", "the link limits it"}));
  keys.push_back(integer<E>("endpoint.tags", [](auto& e) -> auto& { return e.tags; }, 1, 256,
                            {"requests", "non-posted requests at a time, translation requests among them",
                             "all that Extended Tags can name"}));
  keys.push_back(integer<E>("endpoint.request_ns", [](auto& e) -> auto& { return e.request_ns; }, 0, 1'000'000,
                            {"ns", "from the start of an access to its first TLP", "part of pcie.processing_ns"}));
  keys.push_back(integer<E>("endpoint.completion_ns", [](auto& e) -> auto& { return e.completion_ns; }, 0, 1'000'000,
                            {"ns", "from a read's last completion to its end", "part of pcie.processing_ns"}));
  keys.push_back(integer<E>(
      "endpoint.completion_timeout_us", [](auto& e) -> auto& { return e.completion_timeout_us; }, 0, 64'000'000,
      {"us", "until a request without completion is given up; 0: never", "every request is answered"}));
  add_dma_engine(keys);
  add_topology(keys);
  add_credits(keys);
  add_ats(keys);
  add_atc(keys);
  add_driven_device_keys(keys);
  return keys;
}

}  // namespace smmusim::key_rows
