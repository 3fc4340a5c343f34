// SPDX-License-Identifier: MIT
// Direction and size of an NVMe controller's accesses: the heuristic that nvme_infer.h describes, in passes.
#include "platform/trace/nvme_infer.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace smmusim::trace {
namespace {

constexpr std::size_t none = ~std::size_t{0};

std::uint64_t page_of(const Record& r) {
  return r.address / page_bytes;
}
std::uint32_t offset_of(const Record& r) {
  return static_cast<std::uint32_t>(r.address % page_bytes);
}

struct Lifetime {
  std::uint64_t output_page = 0;
  std::uint8_t perm = 0;
  std::uint32_t first_offset = 0, offset_bits = 0;  // offset_bits: of the accesses outside commands, ORed
  bool several_offsets = false, doorbell = false;
  std::uint32_t submission_votes = 0, completion_votes = 0, written_votes = 0, read_votes = 0;
};

class Inference {
 public:
  Inference(std::span<Record> records, std::span<const NvmeLine> lines, const std::vector<char>& exact,
            const InferOptions& options)
      : records_(records), lines_(lines), exact_(exact), options_(options) {}

  void run() {
    find_lifetimes();
    find_streams();
    for (const NvmeLine& line : lines_) take_command(line);
    collect_votes();
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (is_ours(i) && !in_command_[i]) apply_role(i);
    }
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (is_ours(i)) respect_mapping(records_[i]);
    }
  }

 private:
  bool is_access(std::size_t i) const { return records_[i].kind == Kind::access; }
  bool is_ours(std::size_t i) const { return is_access(i) && exact_[i] == 0 && streams_.contains(records_[i].stream); }
  Lifetime& life(std::size_t i) { return lifetimes_[lifetime_of_[i]]; }
  bool is_msi(const Record& r) const {
    return std::find(options_.msi_addresses.begin(), options_.msi_addresses.end(), r.output) !=
           options_.msi_addresses.end();
  }

  void find_lifetimes() {
    lifetime_of_.assign(records_.size(), none);
    in_command_.assign(records_.size(), 0);
    for (std::size_t i = 0; i < records_.size(); ++i) {
      const Record& r = records_[i];
      if (r.kind == Kind::invalidate) end_lifetimes(r);
      if (r.kind != Kind::access) continue;
      const auto [at, is_new] = open_.try_emplace({page_of(r), r.stream}, lifetimes_.size());
      const bool changed = !is_new && (lifetimes_[at->second].output_page != r.output / page_bytes ||
                                       lifetimes_[at->second].perm != r.perm);
      if (changed) at->second = lifetimes_.size();
      if (is_new || changed) {
        lifetimes_.emplace_back();
        lifetimes_.back().output_page = r.output / page_bytes;
        lifetimes_.back().perm = r.perm;
      }
      lifetime_of_[i] = at->second;
      if (offset_of(r) % 16 != 0) life(i).doorbell = true;
    }
  }

  void end_lifetimes(const Record& r) {
    if (r.invalidate_scope != InvalidateScope::range) return open_.clear();
    const std::uint64_t granule = r.granule_bytes();
    const std::uint64_t first = (r.address & ~(granule - 1)) / page_bytes;
    const std::uint64_t last = first + r.pages * (granule / page_bytes);
    open_.erase(open_.lower_bound({first, 0}), open_.lower_bound({last, 0}));
  }

  void find_streams() {
    for (const NvmeLine& line : lines_) {
      const std::size_t fetch = access_before(line.position);
      if (fetch == none) continue;
      streams_.insert(records_[fetch].stream);
      ++life(fetch).submission_votes;
    }
  }

  std::size_t access_before(std::size_t position) const {
    while (position != 0) {
      if (is_access(--position)) return position;
    }
    return none;
  }

  /// The accesses of the command's stream that may be its own: up to a doorbell, an MSI or the next command line.
  std::vector<std::size_t> candidates(const NvmeLine& line, std::uint32_t stream) {
    const auto next = std::upper_bound(lines_.begin(), lines_.end(), line.position,
                                       [](std::size_t p, const NvmeLine& l) { return p < l.position; });
    const std::size_t end = next == lines_.end() ? records_.size() : next->position;
    std::vector<std::size_t> found;
    for (std::size_t i = line.position; i < end; ++i) {
      if (!is_access(i) || records_[i].stream != stream) continue;
      if (life(i).doorbell || is_msi(records_[i])) break;
      found.push_back(i);
    }
    return found;
  }

  bool starts_with_list(const std::vector<std::size_t>& own, std::uint64_t bytes) const {
    if (bytes <= page_bytes || own.size() < 2) return false;
    const Record &first = records_[own[0]], &second = records_[own[1]];
    if (first.perm != second.perm) return true;
    const bool apart = page_of(second) != page_of(first) && page_of(second) != page_of(first) + 1;
    return apart && own.size() > 2 && page_of(records_[own[2]]) == page_of(second) + 1;
  }

  void take_command(const NvmeLine& line) {
    const std::size_t fetch = access_before(line.position);
    if (fetch == none) return;
    const std::vector<std::size_t> own = candidates(line, records_[fetch].stream);
    std::size_t k = 0;
    if (starts_with_list(own, line.command.bytes)) {
      const std::uint64_t behind_first = page_bytes - offset_of(records_[own[1]]);
      const std::uint64_t entries = (line.command.bytes - behind_first + page_bytes - 1) / page_bytes;
      set(own[k++], Op::read, entries * 8);
    }
    const Op op = line.command.device_writes ? Op::write : Op::read;
    std::uint64_t left = line.command.bytes;
    std::size_t data_before = none;
    for (; k < own.size(); ++k) {
      const Record& r = records_[own[k]];
      if (data_before != none && records_[data_before].address == r.address) {
        set(own[k], op, options_.default_size);
        continue;
      }
      if (left == 0 || (data_before != none && offset_of(r) != 0)) break;
      const std::uint64_t part = std::min<std::uint64_t>(left, page_bytes - offset_of(r));
      set(own[k], op, part);
      left -= part;
      data_before = own[k];
    }
  }

  void set(std::size_t i, Op op, std::uint64_t size) {
    in_command_[i] = 1;
    if (exact_[i] != 0) return;
    set_access(records_[i], op, size);
  }
  static void set_access(Record& r, Op op, std::uint64_t size) {
    r.op = op;
    r.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, page_bytes - offset_of(r)));
  }

  void collect_votes() {
    std::map<std::uint32_t, std::size_t> before;  // the last access of each stream
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!is_access(i)) continue;
      const Record& r = records_[i];
      const auto at = before.find(r.stream);
      if (at != before.end()) vote_pair(at->second, i);
      before[r.stream] = i;
      if (in_command_[i]) continue;
      Lifetime& l = life(i);
      if (l.offset_bits == 0 && !l.several_offsets) l.first_offset = offset_of(r);
      l.several_offsets |= l.first_offset != offset_of(r);
      l.offset_bits |= offset_of(r);
    }
  }

  void vote_pair(std::size_t earlier, std::size_t later) {
    const Record &a = records_[earlier], &b = records_[later];
    if (is_msi(b) && !in_command_[earlier]) ++life(earlier).completion_votes;
    const bool pair = life(earlier).doorbell && life(later).doorbell && offset_of(a) == offset_of(b);
    if (!pair || page_of(a) == page_of(b)) return;
    ++life(earlier).written_votes;
    ++life(later).read_votes;
  }

  void apply_role(std::size_t i) {
    Record& r = records_[i];
    const Lifetime& l = life(i);
    if (is_msi(r)) return set_access(r, Op::write, 4);
    if (l.doorbell) return set_access(r, l.written_votes > l.read_votes ? Op::write : Op::read, 4);
    bool submission = l.submission_votes > l.completion_votes;
    bool completion = l.completion_votes > l.submission_votes;
    if (!submission && !completion) {
      completion = l.offset_bits % 64 != 0 && l.several_offsets;
      submission = l.offset_bits % 64 == 0 && l.several_offsets;
    }
    if (submission) return set_access(r, Op::read, 64);
    if (completion) return set_access(r, Op::write, 16);
    set_access(r, Op::write, offset_of(r) == 0 ? page_bytes : options_.default_size);
  }

  static void respect_mapping(Record& r) {
    if ((r.perm & perm_write) == 0) r.op = Op::read;
    if ((r.perm & perm_read) == 0) r.op = Op::write;
  }

  std::span<Record> records_;
  std::span<const NvmeLine> lines_;
  const std::vector<char>& exact_;
  const InferOptions& options_;
  std::vector<Lifetime> lifetimes_;
  std::vector<std::size_t> lifetime_of_;
  std::vector<char> in_command_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::size_t> open_;
  std::set<std::uint32_t> streams_;
};

}  // namespace

void apply_plain_rule(Record& access, std::uint32_t size) {
  access.op = (access.perm & perm_write) != 0 ? Op::write : Op::read;
  access.size = std::min(size, page_bytes - offset_of(access));
}

void infer_nvme(std::span<Record> records, std::span<const NvmeLine> lines, const std::vector<char>& exact,
                const InferOptions& options) {
  Inference(records, lines, exact, options).run();
}

}  // namespace smmusim::trace
