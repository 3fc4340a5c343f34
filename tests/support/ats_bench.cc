// SPDX-License-Identifier: MIT
// AtsBench: the stream is Stage2Bench's; the device is a few lines.
#include "tests/support/ats_bench.h"

namespace smmusim {

SmmuConfig ats_config() {
  SmmuConfig config = stage2_config();
  spec::Features& f = config.features;
  f.ats = f.split_stage_ats = f.pri = f.atsrecerr = f.attr_perms_ovr = f.attr_types_ovr = true;
  f.priqs = 4;
  return config;
}

SmmuConfig pasidtt_config() {
  SmmuConfig config = ats_config();
  spec::Features& f = config.features;
  f.version_minor = 3;
  f.e0pd = f.ptwnnc = f.pasidtt = true;
  return config;
}

SmmuConfig timed(SmmuConfig config) {
  config.timed = true;
  return config;
}

namespace {

Stage2Bench::Options options_of(const SmmuConfig& config, Time latency_ps) {
  Stage2Bench::Options options;
  options.config = config;
  if (config.features.oas < 48) options.stage2 = stage2_shape(config.features.oas);
  options.latency_ps = latency_ps;
  return options;
}

}  // namespace

AtsBench::AtsBench(const SmmuConfig& config, Time latency_ps) : Stage2Bench(options_of(config, latency_ps)) {
  bench.smmu.on_atc_invalidate([this](const AtcInvalidate& message) {
    invalidations.push_back(message);
    if (answers) bench.smmu.atc_invalidation_completed(message.tag);
  });
  bench.smmu.on_page_response([this](const PageResponse& message) { responses.push_back(message); });
  edit_ste({{raw::ste::EATS, 1}});
  s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
  s2.map(ipa, pa, s2_rw);
  bench.w64(off::PRIQ_BASE, priq | priq_log2);
  cr0(all_on);
  bench.memory.log.clear();
}

void AtsBench::set_cr2(std::uint32_t value) {
  const std::uint32_t before = bench.r32(off::CR0);
  cr0(before & ~cr0::SMMUEN);
  bench.w32(off::CR2, value);
  cr0(before);
}

raw::Cd AtsBench::plain_stream(std::initializer_list<raw::Edit> ste_edits, std::uint64_t descriptor_flags) {
  const raw::Cd plain = bench.stage1_cd(plain_sid);
  bench.put_cd(plain_sid, plain);
  bench.put_ste(plain_sid,
                SmmuBench::stage1_ste(SmmuBench::cd_address(plain_sid)).with({{raw::ste::EATS, 1}}).with(ste_edits));
  bench.map(SmmuBench::ttb0(plain), va, raw::page(pa, descriptor_flags));
  return plain;
}

Transaction AtsBench::request_of(std::uint32_t stream, std::uint64_t address, const Ask& ask) const {
  Transaction t = SmmuBench::transaction(stream, address);
  t.ats = AtsType::translation_request;
  t.no_write = ask.no_write;
  t.instruction = ask.execute;
  t.privileged = ask.privileged;
  t.substream_valid = ask.pasid >= 0;
  if (t.substream_valid) t.substream_id = SubstreamId(static_cast<std::uint32_t>(ask.pasid));
  return t;
}

Response AtsBench::translated(std::uint32_t stream, std::uint64_t address, AccessType access, int pasid) {
  Transaction t = SmmuBench::transaction(stream, address, access);
  t.ats = AtsType::translated;
  t.substream_valid = pasid >= 0;
  if (t.substream_valid) t.substream_id = SubstreamId(static_cast<std::uint32_t>(pasid));
  return bench.go(t);
}

raw::Words<2> AtsBench::priq_entry(std::uint32_t index) {
  raw::Words<2> entry;
  for (std::size_t i = 0; i < 2; ++i) entry.dw[i] = bench.memory.read64(priq + 16ull * index + 8 * i);
  return entry;
}

PageRequest ordinary_page_request() {
  PageRequest request;
  request.stream_id = StreamId(Stage2Bench::sid);
  request.read = true;
  request.last = true;
  request.group = 5;
  request.address = 0x7654'3000;
  return request;
}

raw::Command atc_inv(std::uint32_t sid, std::initializer_list<raw::Edit> edits) {
  return raw::command(raw::ats::ATC_INV, {{raw::cmd::StreamID, sid}}).with(edits);
}

std::string describe(const Response& response) {
  switch (response.outcome) {
    case Outcome::proceed:
      return "proceed";
    case Outcome::abort:
      return "abort";
    case Outcome::raz_wi:
      return "raz_wi";
    case Outcome::stalled:
      return "stalled";
    case Outcome::ats_completion:
      break;
  }
  if (response.ats.status == AtsStatus::unsupported_request) return "UR";
  if (response.ats.status == AtsStatus::completer_abort) return "CA";
  std::string text = "success";
  if (response.read_allowed) text += " R";
  if (response.write_allowed) text += " W";
  if (response.ats.execute) text += " X";
  if (response.ats.privileged) text += " P";
  return text;
}

}  // namespace smmusim
