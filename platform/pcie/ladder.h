// SPDX-License-Identifier: MIT
// Ladder: the TLPs of some links as a message sequence chart in text: a column for every component, a line for every
// TLP in the order in which they arrived. It watches links and changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "platform/pcie/tlp_link.h"

namespace smmusim::platform {

class Ladder {
 public:
  /// `columns`: the components' names, each once, from left to right. At most `lines_max` TLPs are written. `engine`
  /// and `out` outlive it.
  Ladder(const Engine& engine, std::ostream& out, std::vector<std::string> columns, std::uint64_t lines_max);
  Ladder(const Ladder&) = delete;
  Ladder& operator=(const Ladder&) = delete;

  /// Writes the TLPs of this link, which must not outlive the ladder's last use: its on_tlp is taken, and what was
  /// there is called first. Throws std::invalid_argument if there is no column of a name.
  void attach(TlpLink& link, const std::string& upstream, const std::string& downstream);

  /// A TLP that has just arrived.
  void add(Time sent, const Tlp& tlp, std::size_t from, std::size_t to);
  /// The last line, if TLPs were left out: how many.
  void finish();

 private:
  std::size_t column_of(const std::string& name) const;
  std::size_t middle(std::size_t column) const { return column * width_ + width_ / 2; }
  std::string lifelines() const;
  void write_head();
  bool of_translation(const Tlp& tlp);

  const Engine& engine_;
  std::ostream& out_;
  std::vector<std::string> columns_;
  std::size_t width_ = 0;
  std::uint64_t lines_left_;
  std::uint64_t left_out_ = 0;
  // Of the latest request of each requester ID and tag: it was for a translation. Completions do not say so.
  std::map<std::uint32_t, bool> requests_;
};

}  // namespace smmusim::platform
