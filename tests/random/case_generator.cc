// SPDX-License-Identifier: MIT
// Puts a random case together: stream table, streams, accesses, bit flips (IHI 0070 3.3, 5.1, 6.3). The reference
// walker is asked for each candidate access, only to mix outcomes: about half proceed, the others take turns among the
// events.
#include "tests/random/case_generator.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "tests/random/case_structures.h"

namespace refwalk {

namespace {

struct Site {
  Workshop& shop;
  const std::vector<Domain>& domains;
  std::vector<Stream> streams;
};

// StreamIDs of the case: spread over the table, with neighbours.
std::vector<uint32_t> pick_sids(Rng& rng, unsigned count, unsigned log2size) {
  std::set<uint32_t> sids;
  for (unsigned tries = 0; sids.size() < count && tries < 20 * count; ++tries) {
    const uint64_t any = low_bits(rng.next(), log2size);
    sids.insert(static_cast<uint32_t>(rng.percent(60) ? low_bits(any, 7) : any));
  }
  return {sids.begin(), sids.end()};
}

void write_linear(Workshop& shop, const std::map<uint32_t, Structure>& stes, unsigned log2size) {
  const uint64_t base = shop.physical.allocate(log2size + 6, shop.features.oas);
  shop.registers.strtab_base = base;
  for (const auto& [sid, ste] : stes) {
    for (unsigned i = 0; i < 8; ++i) shop.physical.write(base + 64 * uint64_t{sid} + 8 * i, ste[i]);
  }
}

void write_two_level(Workshop& shop, const std::map<uint32_t, Structure>& stes, unsigned log2size, unsigned split) {
  Rng& rng = shop.rng;
  const unsigned l1_log2 = log2size > split + 3 ? log2size - split + 3 : 6;
  const uint64_t base = shop.physical.allocate(l1_log2, shop.features.oas);
  shop.registers.strtab_base = base;
  std::map<uint32_t, std::pair<uint64_t, unsigned>> tables;  // L1 index -> L2 table, span
  for (const auto& [sid, ste] : stes) {
    const uint32_t entry = sid >> split;
    auto table = tables.find(entry);
    if (table == tables.end()) {
      // Mostly the whole split; sometimes shorter, so that a few StreamIDs fall out of the span.
      const unsigned span = rng.percent(75) ? split + 1 : rng.between(1, split + 1);
      const uint64_t l2 = shop.physical.allocate(6 + span - 1, shop.features.oas);
      uint64_t l1std = l2 | span;
      const uint64_t choice = rng.below(100);
      if (choice < 2) l1std = l2 | rng.between(split + 2, 31);
      if (choice == 2 && shop.options.aborts) l1std = shop.physical.aborting_block() | 1;
      if (choice == 3 && shop.features.oas < 52) l1std |= uint64_t{1} << 51;
      shop.physical.write(base + 8 * uint64_t{entry}, l1std);
      table = tables.emplace(entry, std::make_pair(l2, span)).first;
    }
    const uint64_t index = low_bits(sid, split);
    if (exceeds(index, table->second.second - 1)) continue;
    for (unsigned i = 0; i < 8; ++i) shop.physical.write(table->second.first + 64 * index + 8 * i, ste[i]);
  }
}

void make_stream_table(Site& site) {
  Workshop& shop = site.shop;
  Rng& rng = shop.rng;
  const bool two_level = shop.features.st_level == 1 && (shop.features.sidsize > 8 || rng.percent(60));
  static constexpr unsigned splits[4] = {6, 8, 10, 7};  // 7 is reserved and means 6
  const unsigned coded = splits[rng.below(4)];
  // LOG2SIZE may exceed SIDSIZE; only the smaller counts for the range.
  unsigned log2size = rng.between(2, std::min(shop.features.sidsize + 1, two_level ? 17u : 8u));
  set_bits(shop.registers.strtab_base_cfg, 5, 0, log2size);
  set_bits(shop.registers.strtab_base_cfg, 10, 6, coded);
  set_bits(shop.registers.strtab_base_cfg, 17, 16, two_level ? 1 : (rng.percent(80) ? 0 : rng.between(2, 3)));
  const unsigned usable = std::min(log2size, shop.features.sidsize);

  std::map<uint32_t, Structure> stes;
  for (const uint32_t sid : pick_sids(rng, shop.options.streams, usable)) {
    Stream stream;
    stream.sid = sid;
    stream.domain = rng.below(site.domains.size());
    stes[sid] = make_stream(shop, site.domains[stream.domain], stream);
    site.streams.push_back(stream);
  }
  if (two_level) {
    write_two_level(shop, stes, log2size, coded == 7 ? 6 : coded);
  } else {
    write_linear(shop, stes, log2size);
  }
}

// An address inside a target, at one of its ends, or just outside.
uint64_t near_target(Rng& rng, const Target& target) {
  const uint64_t last = low_bits(~uint64_t{0}, target.size_log2);
  switch (rng.below(10)) {
    case 0:
      return target.input;
    case 1:
      return target.input | last;
    case 2:
      return (target.input | last) + 1;
    case 3:
      return target.input - 1;
    default:
      return target.input | low_bits(rng.next(), target.size_log2);
  }
}

uint64_t edge_address(Rng& rng, const AddressSpace& space) {
  const uint64_t limit = uint64_t{1} << space.range_log2[0];
  const uint64_t floor = ~low_bits(~uint64_t{0}, space.range_log2[1]);
  switch (rng.below(7)) {
    case 0:
      return limit - 1;
    case 1:
      return limit;
    case 2:
      return floor;
    case 3:
      return floor - 1;
    case 4:
      return ~uint64_t{0};
    case 5:
      return uint64_t{1} << rng.below(64);
    default:
      return rng.next();
  }
}

uint64_t translated_address(Rng& rng, const AddressSpace& space) {
  if (rng.percent(8)) return edge_address(rng, space);
  uint64_t address = near_target(rng, space.targets[rng.below(space.targets.size())]);
  // Top bytes are ignored with TBI; without it they are a fault.
  const bool tagged = bit(space.tbi, bit(address, 55) ? 1 : 0);
  if (rng.percent(tagged ? 50 : 3)) address = low_bits(address, 56) | (rng.next() << 56);
  return address;
}

uint64_t untranslated_address(Rng& rng, const Site& site, const Domain& domain) {
  const unsigned oas = site.shop.features.oas;
  if (rng.percent(15)) return rng.percent(50) ? uint64_t{1} << oas : (uint64_t{1} << oas) - 1;
  if (rng.percent(5)) return rng.next();
  for (const AddressSpace& space : domain.spaces) {
    // Stage-1 outputs are not known here; low guest addresses and stage-1 inputs are as good as any.
    if (rng.percent(20)) return low_bits(space.targets.front().input, oas);
  }
  return low_bits(rng.next(), rng.between(12, oas));
}

CacheLevel random_level(Rng& rng) {
  const auto type = static_cast<Cacheability>(rng.below(3));
  if (type == Cacheability::NC) return {type, false, false, false};
  const bool read = rng.percent(50);
  const bool write = rng.percent(50);
  return {type, read, write, (read || write) && rng.percent(40)};
}

// What a client may present (13.1); mostly the default.
MemoryAttributes random_attributes(Rng& rng) {
  static constexpr uint8_t shareabilities[3] = {0, 2, 3};
  MemoryAttributes attributes;
  if (rng.percent(40)) return attributes;
  attributes.sh = shareabilities[rng.below(3)];
  attributes.device = rng.percent(25);
  attributes.device_type = static_cast<uint8_t>(rng.below(4));
  attributes.inner = random_level(rng);
  attributes.outer = random_level(rng);
  return attributes;
}

Access candidate(Site& site) {
  Rng& rng = site.shop.rng;
  Access access;
  if (site.shop.options.attributes) access.attributes = random_attributes(rng);
  access.write = rng.percent(40);
  access.instruction = rng.percent(20);
  access.privileged = rng.percent(45);
  if (site.streams.empty() || rng.percent(4)) {
    access.sid = static_cast<uint32_t>(low_bits(rng.next(), rng.between(1, 32)));
    access.address = low_bits(rng.next(), rng.between(12, 64));
    return access;
  }
  const Stream& stream = site.streams[rng.below(site.streams.size())];
  const Domain& domain = site.domains[stream.domain];
  access.sid = stream.sid;
  size_t slot = 0;
  if (!stream.ssids.empty() && stream.cd_max != 0 && rng.percent(80)) {
    slot = rng.below(stream.ssids.size());
    access.ssv = true;
    access.ssid = stream.ssids[slot];
  }
  if (site.shop.options.substreams && rng.percent(4)) {
    access.ssv = true;
    access.ssid = static_cast<uint32_t>(low_bits(rng.next(), rng.between(1, 20)));
  }
  if (stream.stage1 && !stream.spaces.empty() && rng.percent(95)) {
    access.address = translated_address(rng, domain.spaces[stream.spaces[slot]]);
  } else if (!domain.guest_targets.empty() && rng.percent(80)) {
    access.address = near_target(rng, domain.guest_targets[rng.below(domain.guest_targets.size())]);
  } else {
    access.address = untranslated_address(rng, site, domain);
  }
  return access;
}

// The event's number, its stage and CLASS; 0x1000 for an access that proceeds.
uint64_t kind_of_answer(const Result& answer) {
  if (answer.outcome == Outcome::Proceed) return 0x1000;
  return bits(answer.event.dw[0], 7, 0) | bits(answer.event.dw[1], 41, 39) << 8;
}

// Tries a few candidates for the wanted kind; among failing ones the event seen least often wins.
Access pick_access(Site& site, const Case& result, std::map<uint64_t, unsigned>& seen) {
  const bool want_proceed = site.shop.rng.percent(60);
  Access best;
  unsigned best_count = 0;
  for (unsigned tries = 0; tries < 12; ++tries) {
    const Access access = candidate(site);
    const Result answer = translate(result.registers, result.memory, access);
    const bool proceeds = answer.outcome == Outcome::Proceed;
    if (want_proceed && proceeds) return access;
    const unsigned count = proceeds ? 1000000 : seen[kind_of_answer(answer)];
    if (tries == 0 || count < best_count) {
      best = access;
      best_count = count;
    }
    if (!want_proceed && tries >= 3 && best_count == 0) break;
  }
  ++seen[kind_of_answer(translate(result.registers, result.memory, best))];
  return best;
}

// A request to where an access might go: one that is granted something, or the answer seen least often.
TranslationRequest pick_request(Site& site, const Case& result, std::map<uint64_t, unsigned>& seen) {
  Rng& rng = site.shop.rng;
  const bool want_grant = rng.percent(65);
  TranslationRequest best;
  uint64_t best_kind = ~uint64_t{0};
  for (unsigned tries = 0; tries < 12; ++tries) {
    const Access access = candidate(site);
    const TranslationRequest request{access.sid,      access.ssv,      access.ssid,      access.address,
                                     rng.percent(40), rng.percent(45), access.privileged};
    const Completion answer = request_translation(result.registers, result.memory, request);
    const bool granted = answer.read || answer.write;
    if (want_grant && granted) return request;
    const uint64_t kind = static_cast<uint64_t>(answer.status) << 8 | bits(answer.event.dw[0], 7, 0);
    if (granted || (best_kind != ~uint64_t{0} && seen[kind] >= seen[best_kind])) continue;
    best = request;
    best_kind = kind;
  }
  ++seen[best_kind];
  return best;
}

void corrupt(Rng& rng, Case& result) {
  const unsigned flips = rng.between(1, 8);
  for (unsigned i = 0; i < flips; ++i) {
    auto word = result.memory.words.begin();
    std::advance(word, static_cast<std::ptrdiff_t>(rng.below(result.memory.words.size())));
    word->second ^= uint64_t{1} << rng.below(64);
  }
  result.cacheable = false;
}

}  // namespace

Case generate_case(uint64_t seed, const CaseOptions& options) {
  Case result;
  result.seed = seed;
  Rng rng(seed);
  make_registers(rng, options, result.registers);
  const Features features = features_of(result.registers);
  PhysicalSpace physical(result.memory, rng, features.oas);
  Workshop shop{rng, options, result.registers, features, physical};
  std::vector<Domain> domains = make_domains(shop);
  Site site{shop, domains, {}};
  make_stream_table(site);
  if (options.corruption > 0 && static_cast<double>(rng.below(1000000)) < options.corruption * 1e6) {
    corrupt(rng, result);
  }
  std::map<uint64_t, unsigned> seen;
  for (unsigned i = 0; i < options.accesses; ++i) {
    result.accesses.push_back(pick_access(site, result, seen));
  }
  std::map<uint64_t, unsigned> seen_requests;
  for (unsigned i = 0; options.ats && i < options.accesses / 2; ++i) {
    result.requests.push_back(pick_request(site, result, seen_requests));
  }
  return result;
}

}  // namespace refwalk
