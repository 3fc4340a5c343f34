// SPDX-License-Identifier: MIT
// Storyteller: the Observer that turns one translation of an UntimedSmmu into a Story. It listens; every decision in
// the Story was the model's (model/smmu/translate.cc and what it calls).
#pragma once

#include "platform/explain/story.h"
#include "platform/explain/told.h"

namespace smmusim::explain {

class Storyteller final : public Observer {
 public:
  /// Begins the Story of `transaction` at an SMMU of this configuration.
  void begin(const SmmuConfig& config, const Transaction& transaction);
  /// The Story, complete.
  Story end(const Response& response);

  void step(Step step, std::uint64_t a, std::uint64_t b) override;
  void illegal(std::string_view sentence, std::string_view rule) override;
  void fault(const spec::Event& event, bool recorded) override;
  void access(const MemoryRequest& request) override;

 private:
  void remember(Step step, std::uint64_t a, std::uint64_t b);
  void describe_descriptor(Step step, std::uint64_t b);
  void add(const Decision& decision, bool of_fetch);
  Fetch& open_fetch(const MemoryRequest& request);
  void fetched_stream(Fetch& fetch, const MemoryRequest& request);
  void fetched_context(Fetch& fetch, const MemoryRequest& request);
  static void fetched_vms(Fetch& fetch);
  void fetched_descriptor(Fetch& fetch, const MemoryRequest& request);
  std::string verdict() const;
  std::string where() const;

  Story story_;
  Told told_;
  std::string cause_;         // the last thing said that may be why
  bool in_stage2_ = false;    // between stage2_begins and stage2_ends
  bool stage2_told_ = false;  // stage2_begins was said at all
};

}  // namespace smmusim::explain
