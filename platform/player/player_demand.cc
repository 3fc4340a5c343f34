// SPDX-License-Identifier: MIT
// Player: mapping. With demand paging what a record maps is only noted, for the chosen share of the pages of devices
// that send Page Requests; the page gets into the table when one of them asks for it.
#include <algorithm>

#include "platform/player/player.h"

namespace smmusim {
namespace {

constexpr unsigned page_bits = 12;

MapOptions options_of(bool write) {
  MapOptions options;
  options.write = write;
  return options;
}

/// Any function that spreads pages evenly would do: this one is splitmix64's.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31;
}

}  // namespace

/// True if `page` is mapped on demand, and is not there yet. What is there is rewritten in place: no Page Request would
/// come for it.
bool Player::waits_for_demand(std::size_t space, std::uint64_t page) const {
  const std::uint64_t address = page << page_bits;
  if (address - config_.untranslated_base < config_.untranslated_bytes) return false;
  if (mixed(config_.seed ^ mixed(page ^ std::uint64_t{space} << 52)) % 100 >= config_.demand_percent) return false;
  return !spaces_[space].table->lookup(address);
}

void Player::map(const Operation& operation, std::uint64_t address, std::uint64_t output, std::uint64_t bytes) {
  const bool write = (operation.record.perm & trace::perm_write) != 0;
  const std::size_t space = operation.space;
  PageTable& table = *spaces_[space].table;
  ++counters_.maps;
  // Accesses that say themselves how they are translated ask for no page.
  if (!spaces_[space].on_demand || config_.demand_percent == 0 || operation.record.ats != trace::Ats::untranslated) {
    table.map(address, placed(output), bytes, options_of(write));
    return;
  }
  for (std::uint64_t done = 0; done != bytes; done += trace::page_bytes) {
    const std::uint64_t page = (address + done) >> page_bits;
    if (waits_for_demand(space, page)) {
      absent_[space][page] = {output + done, write};
    } else {
      table.map(address + done, placed(output + done), trace::page_bytes, options_of(write));
    }
  }
}

/// [address, address + bytes), which does not wrap further than to 2^64.
void Player::unmap(std::size_t space, std::uint64_t address, std::uint64_t bytes) {
  spaces_[space].table->unmap(address, bytes);
  auto& absent = absent_[space];
  const std::uint64_t last = bytes - 1 > ~address ? ~std::uint64_t{0} : address + (bytes - 1);
  absent.erase(absent.lower_bound(address >> page_bits), absent.upper_bound(last >> page_bits));
}

bool Player::page_in(std::size_t smmu, const spec::PriEntry& request) {
  using spec::PriEntry;
  trace::Record place;
  place.has_substream = request.get<PriEntry::SSV>();
  place.substream = request.get<PriEntry::SubstreamID>();
  const auto stream = std::find_if(streams_.begin(), streams_.end(), [&](const PlayedStream& known) {
    return known.smmu == smmu && known.stream == request.get<PriEntry::StreamID>();
  });
  const std::optional<std::size_t> space = stream == streams_.end() ? std::nullopt : stream->space_of(place);
  if (!space) return false;
  const std::uint64_t address = request.get<PriEntry::Address>();
  const auto absent = absent_[*space].find(address >> page_bits);
  if (absent != absent_[*space].end()) {
    const AbsentPage page = absent->second;
    absent_[*space].erase(absent);
    spaces_[*space].table->map(address, placed(page.output), trace::page_bytes, options_of(page.write));
    ++counters_.pages_on_demand;
    return page.write || !request.get<PriEntry::W>();
  }
  // Another request may have brought it.
  const std::optional<TableLeaf> leaf = spaces_[*space].table->lookup(address);
  return leaf && (!request.get<PriEntry::W>() || leaf->write);
}

}  // namespace smmusim
