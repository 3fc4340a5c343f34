// SPDX-License-Identifier: MIT
// Drawing lines of text.
#include "platform/pcie/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "platform/pcie/tlp_text.h"

namespace smmusim::platform {
namespace {

constexpr std::size_t narrowest = 16;  // of a column, so that an arrow is seen
constexpr std::size_t time_width = 14;

/// Nanoseconds with all of their picoseconds.
std::string time_text(Time ps) {
  return fmt::format("{:>{}}.{:03}", ps / 1000, time_width - 4, ps % 1000);
}

}  // namespace

Ladder::Ladder(const Engine& engine, std::ostream& out, std::vector<std::string> columns, std::uint64_t lines_max)
    : engine_(engine), out_(out), columns_(std::move(columns)), lines_left_(lines_max) {
  width_ = narrowest;
  for (const std::string& name : columns_) width_ = std::max(width_, name.size() + 2);
  write_head();
}

std::size_t Ladder::column_of(const std::string& name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found == columns_.end()) throw std::invalid_argument("the ladder has no column " + name);
  return static_cast<std::size_t>(found - columns_.begin());
}

void Ladder::attach(TlpLink& link, const std::string& upstream, const std::string& downstream) {
  const std::size_t up = column_of(upstream), down = column_of(downstream);
  link.on_tlp = [this, up, down, before = std::move(link.on_tlp)](Time sent, const Tlp& tlp, TlpLink::End from) {
    if (before) before(sent, tlp, from);
    const bool upwards = from == TlpLink::downstream;
    add(sent, tlp, upwards ? down : up, upwards ? up : down);
  };
}

void Ladder::write_head() {
  std::string names(width_ * columns_.size(), ' ');
  for (std::size_t i = 0; i != columns_.size(); ++i) {
    names.replace(middle(i) - columns_[i].size() / 2, columns_[i].size(), columns_[i]);
  }
  out_ << fmt::format("{:>{}}{:>{}}  {}TLP\n", "sent ns", time_width, "arrived ns", time_width, names);
}

std::string Ladder::lifelines() const {
  std::string line(width_ * columns_.size(), ' ');
  for (std::size_t i = 0; i != columns_.size(); ++i) line[middle(i)] = '|';
  return line;
}

bool Ladder::of_translation(const Tlp& tlp) {
  const std::uint32_t key = std::uint32_t{tlp.requester_id} << 16 | tlp.tag;
  if (tlp.flow_class() == FlowClass::non_posted) requests_[key] = tlp.is_translation_request();
  if (!tlp.is_completion()) return false;
  const auto request = requests_.find(key);
  return request != requests_.end() && request->second;
}

void Ladder::add(Time sent, const Tlp& tlp, std::size_t from, std::size_t to) {
  if (lines_left_ == 0) {
    ++left_out_;
    return;
  }
  --lines_left_;
  std::string line = lifelines();
  const std::size_t left = middle(std::min(from, to)) + 1, right = middle(std::max(from, to));
  std::fill(line.begin() + static_cast<std::ptrdiff_t>(left), line.begin() + static_cast<std::ptrdiff_t>(right), '-');
  if (to > from) {
    line[right - 1] = '>';
  } else {
    line[left] = '<';
  }
  out_ << fmt::format("{}{}  {}{}\n", time_text(sent), time_text(engine_.now()), line,
                      describe(tlp, of_translation(tlp)));
}

void Ladder::finish() {
  if (left_out_ != 0) out_ << fmt::format("{} more TLPs are left out\n", left_out_);
  left_out_ = 0;
}

}  // namespace smmusim::platform
