// SPDX-License-Identifier: MIT
// Scenarios of the caches. A round: accesses; one change of a descriptor or structure; perhaps other commands and the
// accesses again, which may show the old or the new state; the commands that the change asks for, in one of their many
// forms, and CMD_SYNC; the accesses again, which have to show the new state (IHI 0070 sections 4.3, 4.4, 4.7, 3.21).
#include <algorithm>
#include <map>
#include <set>

#include "tests/peer/qemu/scenario_generator.h"

namespace smmusim::peer {
namespace {

using spec::Cd;
using spec::Command;
using spec::Opcode;
using spec::Ste;

constexpr std::uint64_t one = 1, not_global = one << 11;

struct Use {
  const Stream* stream;
  const Page* page;
  Access access;
};

class Rounds {
 public:
  explicit Rounds(Script& script);
  void run();

 private:
  void round();
  void accesses(bool definite, unsigned chance);
  // Changes.
  void change();
  void change_leaf(const Leaf& leaf, Changed what);
  void change_structure(const Stream& stream);
  void store(std::uint64_t address, std::uint64_t word);
  std::uint64_t word(std::uint64_t address) const;
  // Invalidations.
  void others();
  void invalidate();
  std::vector<Command> stage1_commands();
  std::vector<Command> stage2_commands();
  std::vector<Command> configuration_commands();
  std::vector<Command> by_address(Opcode opcode, std::uint64_t address, const Leaf& leaf);
  std::vector<Command> in_every_vmid(Opcode opcode) const;
  void set_range(Command& command, std::uint64_t address, const Leaf& leaf);
  bool stage1() const { return script_.scenario.image.stages != Stages::stage2; }
  bool stage2() const { return script_.scenario.image.stages != Stages::stage1; }
  bool nested() const { return script_.world.streams[0].config == 7; }

  Script& script_;
  Random& random_;
  std::map<std::uint64_t, std::uint64_t> changed_;
  std::set<std::pair<std::uint16_t, std::uint16_t>> contexts_;  // VMID and ASID of everything that may be cached
  std::vector<Use> uses_;
  const Page* page_ = nullptr;      // whose descriptor changes
  const Stream* stream_ = nullptr;  // whose structure changes
  Round round_;
  std::map<const Page*, Round> past_;  // what QEMU may have kept of a page
};

void add_past(Round& round, const Round& past) {
  round.global_other_asid |= past.global_other_asid;
  round.other_part |= past.other_part;
  round.root |= past.root;
  round.tagged |= past.tagged;
}

Command command_of(Opcode opcode) {
  Command command;
  command.set<Command::OP>(opcode);
  return command;
}

Rounds::Rounds(Script& script) : script_(script), random_(script.random) {
  for (const Stream& stream : script.world.streams) contexts_.insert({stream.vmid, stream.asid});
}

std::uint64_t Rounds::word(std::uint64_t address) const {
  const auto found = changed_.find(address);
  return found == changed_.end() ? script_.scenario.image.word(address) : found->second;
}

void Rounds::store(std::uint64_t address, std::uint64_t word) {
  changed_[address] = word;
  script_.add(Do::store).stores = {{address, word}};
}

void Rounds::change_leaf(const Leaf& leaf, Changed what) {
  round_.changed = what;
  const std::uint64_t old = word(leaf.at);
  switch (random_.below(leaf.elsewhere != 0 ? 6 : 4)) {
    case 0:
      return store(leaf.at, old ^ one);
    case 1:
      return store(leaf.at, old ^ one << 10);
    case 2:
      return store(leaf.at, old ^ one << 7);
    case 3:
      // Not readable: a leaf of stage 2; of stage 1 the access flag again.
      return store(leaf.at, old ^ (what == Changed::s1_leaf ? one << 10 : one << 6));
    default:
      return store(leaf.at, old == leaf.elsewhere ? leaf.word : leaf.elsewhere);
  }
}

void Rounds::change_structure(const Stream& stream) {
  stream_ = &stream;
  const auto draw = static_cast<unsigned>(random_.below(stream.cd != 0 ? 9 : 4));
  round_.changed = draw < 4 ? Changed::ste : Changed::cd;
  if (draw == 0) return store(stream.ste, word(stream.ste) ^ Ste::V::mask);
  if (draw == 1) {
    const bool aborts = (word(stream.ste) & Ste::Config::mask) == 0;
    const std::uint64_t config = aborts ? std::uint64_t{stream.config} << Ste::Config::lo : 0;
    return store(stream.ste, (word(stream.ste) & ~Ste::Config::mask) | config);
  }
  if (draw == 2) return store(stream.ste + 16, word(stream.ste + 16) ^ Ste::S2R::mask);
  if (draw == 3) return store(stream.ste + 8, word(stream.ste + 8) ^ Ste::MEV::mask);
  if (draw == 4) return store(stream.cd, word(stream.cd) ^ Cd::V::mask);
  if (draw == 5) return store(stream.cd, word(stream.cd) ^ Cd::A::mask);
  if (draw == 6) return store(stream.cd, word(stream.cd) ^ Cd::R::mask);
  const std::uint64_t asid = word(stream.cd) ^ one << Cd::ASID::lo;
  contexts_.insert({stream.vmid, static_cast<std::uint16_t>(asid >> Cd::ASID::lo)});
  return store(stream.cd, asid);
}

void Rounds::change() {
  const World& world = script_.world;
  page_ = uses_[random_.below(uses_.size())].page;
  stream_ = uses_[random_.below(uses_.size())].stream;
  const auto draw = static_cast<unsigned>(random_.below(100));
  if (draw < 35 && page_->s1.at != 0) return change_leaf(page_->s1, Changed::s1_leaf);
  if (draw < 60 && page_->s2.at != 0) return change_leaf(page_->s2, Changed::s2_leaf);
  if (draw < 70 && page_->s1_table_at != 0) {
    round_.changed = Changed::s1_table;
    return store(page_->s1_table_at, word(page_->s1_table_at) ^ one);
  }
  if (draw < 75 && world.root_leaf != 0) {
    round_.changed = Changed::s2_root;
    return store(world.root_leaf, word(world.root_leaf) ^ one);
  }
  if (draw < 82 && stream_->l1std != 0) {
    round_.changed = Changed::l1std;
    return store(stream_->l1std, word(stream_->l1std) ^ 7);
  }
  change_structure(*stream_);
}

std::vector<Command> Rounds::in_every_vmid(Opcode opcode) const {
  std::vector<Command> commands;
  std::set<std::uint16_t> vmids;
  for (const auto& [vmid, asid] : contexts_) vmids.insert(vmid);
  for (const std::uint16_t vmid : vmids) {
    commands.push_back(command_of(opcode));
    commands.back().set<Command::VMID>(vmid);
  }
  return commands;
}

/// One of the ways to name the leaf that holds `address`.
void Rounds::set_range(Command& command, std::uint64_t address, const Leaf& leaf) {
  const bool table = round_.changed == Changed::s1_table;
  command.set<Command::Leaf>(!table && random_.percent(50));
  const auto draw = static_cast<unsigned>(random_.below(100));
  const auto tg = static_cast<spec::TlbiTg>((leaf.granule - 10) / 2);
  if (draw < 40) {
    // Anywhere in the leaf; of a block's level only the page is known here.
    const std::uint64_t inside = leaf.level == 3 || table ? low_mask(leaf.granule) : low_mask(leaf.granule * 2 - 3);
    command.set<Command::TTL>(random_.between(0, 3));
    const std::uint64_t other = random_.next() & inside & ~low_mask(12);
    round_.other_part = round_.other_part || (nested() && leaf.level < 3 && other != 0);
    command.set<Command::Address>((address ^ other) & ~low_mask(12));
  } else if (draw < 60 && !table && leaf.level == 3) {
    command.set<Command::TG>(tg).set<Command::TTL>(3).set<Command::Address>(address & ~low_mask(leaf.granule));
  } else {
    const unsigned num = random_.between(1, 31), scale = random_.between(0, 3);
    const std::uint64_t granules = (std::uint64_t{num} + 1) << scale;
    const std::uint64_t number = address >> leaf.granule;
    const std::uint64_t before = std::min(random_.below(granules), number);
    command.set<Command::TG>(tg).set<Command::NUM>(num).set<Command::SCALE>(scale);
    command.set<Command::Address>((number - before) << leaf.granule);
  }
}

std::vector<Command> Rounds::by_address(Opcode opcode, std::uint64_t address, const Leaf& leaf) {
  std::vector<Command> commands;
  if (opcode == Opcode::CMD_TLBI_NH_VA) {
    const bool global = round_.changed == Changed::s1_leaf && (word(leaf.at) & not_global) == 0;
    round_.global_other_asid = global && random_.percent(20);
    for (const auto& [vmid, asid] : contexts_) {
      commands.push_back(command_of(opcode));
      const std::uint16_t named = round_.global_other_asid ? static_cast<std::uint16_t>(asid ^ 0x8000) : asid;
      commands.back().set<Command::VMID>(vmid).set<Command::ASID>(named);
    }
  } else {
    commands = in_every_vmid(opcode);
  }
  for (Command& command : commands) set_range(command, address, leaf);
  return commands;
}

std::vector<Command> Rounds::stage1_commands() {
  const bool global = (word(page_->s1.at) & not_global) == 0;
  const auto draw = static_cast<unsigned>(random_.below(100));
  if (draw < 75) round_.tagged = script_.world.tbi;
  if (draw < 75) {
    const Opcode opcode = draw < 50 ? Opcode::CMD_TLBI_NH_VA : Opcode::CMD_TLBI_NH_VAA;
    if (round_.changed != Changed::s1_table) return by_address(opcode, page_->input, page_->s1);
    // Other pages may lie below the table.
    std::vector<Command> commands;
    for (const Page& page : script_.world.pages) {
      const std::vector<Command> more = by_address(opcode, page.input, page.s1);
      commands.insert(commands.end(), more.begin(), more.end());
    }
    return commands;
  }
  if (draw < 82 && !global) {
    std::vector<Command> commands;
    for (const auto& [vmid, asid] : contexts_) {
      commands.push_back(command_of(Opcode::CMD_TLBI_NH_ASID));
      commands.back().set<Command::VMID>(vmid).set<Command::ASID>(asid);
    }
    return commands;
  }
  if (draw < 90) return in_every_vmid(Opcode::CMD_TLBI_NH_ALL);
  if (draw < 96 && stage2()) return in_every_vmid(Opcode::CMD_TLBI_S12_VMALL);
  return {command_of(Opcode::CMD_TLBI_NSNH_ALL)};
}

std::vector<Command> Rounds::stage2_commands() {
  const auto draw = static_cast<unsigned>(random_.below(100));
  if (draw < 15) return in_every_vmid(Opcode::CMD_TLBI_S12_VMALL);
  if (draw < 20) return {command_of(Opcode::CMD_TLBI_NSNH_ALL)};
  const bool root = round_.changed == Changed::s2_root;
  Leaf leaf = page_->s2;
  if (root) leaf.level = 3;
  std::vector<Command> commands = by_address(Opcode::CMD_TLBI_S2_IPA, root ? script_.world.root_ipa : page_->ipa, leaf);
  // Entries that combine both stages are found by VA (4.4.3.1).
  const std::vector<Command> combined = nested() ? in_every_vmid(Opcode::CMD_TLBI_NH_ALL) : std::vector<Command>{};
  commands.insert(commands.end(), combined.begin(), combined.end());
  return commands;
}

std::vector<Command> Rounds::configuration_commands() {
  const bool table = round_.changed == Changed::l1std;
  const auto draw = static_cast<unsigned>(random_.below(100));
  const std::uint32_t sid = stream_->device.sid;
  if (draw < 15) {
    Command all = command_of(Opcode::CMD_CFGI_STE_RANGE);
    all.set<Command::Range>(31);
    return {all};
  }
  if (draw < 35) {
    Command range = command_of(Opcode::CMD_CFGI_STE_RANGE);
    range.set<Command::Range>(random_.between(table ? 5 : 0, 9))
        .set<Command::StreamID>(sid ^ static_cast<std::uint32_t>(random_.below(2)));
    return {range};
  }
  std::vector<Command> commands;
  for (const Stream& stream : script_.world.streams) {
    if (&stream != stream_ && !(table && stream.l1std == stream_->l1std)) continue;
    const bool cd = round_.changed == Changed::cd && draw < 85;
    commands.push_back(command_of(!cd         ? Opcode::CMD_CFGI_STE
                                  : draw < 65 ? Opcode::CMD_CFGI_CD
                                              : Opcode::CMD_CFGI_CD_ALL));
    commands.back().set<Command::StreamID>(stream.device.sid).set<Command::Leaf>(!table && random_.percent(50));
  }
  return commands;
}

void Rounds::invalidate() {
  std::vector<Command> commands;
  switch (round_.changed) {
    case Changed::s1_leaf:
    case Changed::s1_table:
      commands = stage1_commands();
      break;
    case Changed::s2_leaf:
    case Changed::s2_root:
      commands = stage2_commands();
      break;
    default:
      commands = configuration_commands();
      break;
  }
  commands.push_back(command_of(Opcode::CMD_SYNC));
  const std::size_t entries = std::size_t{1} << script_.scenario.cmdq_log2;
  for (std::size_t i = 0; i < commands.size(); i += entries) {
    const auto first = commands.begin() + static_cast<std::ptrdiff_t>(i);
    const std::size_t count = std::min(entries, commands.size() - i);
    script_.submit(std::vector<Command>(first, first + static_cast<std::ptrdiff_t>(count)));
  }
}

/// Commands that may or may not remove what the change made stale.
void Rounds::others() {
  for (auto n = random_.below(4); n > 0; --n) {
    const Command command = random_command(script_, false);
    const Opcode opcode = command.get<Command::OP>();
    const bool needs1 = opcode == Opcode::CMD_CFGI_CD || opcode == Opcode::CMD_CFGI_CD_ALL ||
                        (opcode >= Opcode::CMD_TLBI_NH_ALL && opcode <= Opcode::CMD_TLBI_NH_VAA);
    const bool needs2 = opcode == Opcode::CMD_TLBI_S2_IPA || opcode == Opcode::CMD_TLBI_S12_VMALL;
    if ((needs1 && !stage1()) || (needs2 && !stage2())) continue;
    script_.submit({command});
  }
}

void Rounds::accesses(bool definite, unsigned chance) {
  for (const Use& use : uses_) {
    if (!random_.percent(chance)) continue;
    Step& step = script_.add(Do::access);
    step.access = use.access;
    step.definite = definite;
    step.round = round_;
    add_past(step.round, past_[use.page]);
    if (definite) script_.add(Do::drain).count = 1000;
  }
}

void Rounds::round() {
  uses_.clear();
  for (unsigned n = random_.between(1, 3); n > 0; --n) {
    const Stream& stream = script_.any_stream();
    const Page& page = script_.any_page();
    uses_.push_back({&stream, &page, script_.access(stream, page)});
  }
  round_ = {};
  accesses(true, 100);
  change();
  if (random_.percent(50)) others();
  if (random_.percent(70)) accesses(false, 60);
  script_.add(Do::drain).count = 1000;
  invalidate();
  round_.root = round_.changed == Changed::s2_root;
  for (const Page& page : script_.world.pages) {
    const bool all = round_.changed == Changed::s1_table || round_.root;
    if (all || &page == page_) add_past(past_[&page], round_);
  }
  accesses(true, 100);
}

void Rounds::run() {
  for (unsigned n = random_.between(2, 4); n > 0; --n) round();
}

}  // namespace

void script_invalidation(Script& script) {
  Rounds(script).run();
}

}  // namespace smmusim::peer
