// SPDX-License-Identifier: MIT
// Traffic: accesses that are submitted to a timed machine at random times and retired at random times after their
// answers, and commands that are issued in between. It compares nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "tests/random/backbone_machine.h"

namespace smmusim {

class Traffic {
 public:
  Traffic(CaseMachine& machine, std::uint64_t seed) : machine_(machine), random_(seed) {}
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  /// Schedules an access or a request within the next `span` picoseconds. Its number is how many were added before it.
  void add(const Question& question, Time span);
  void add(const refwalk::Access& access, Time span) { add(Question{access, std::nullopt}, span); }
  /// Schedules one to three commands that make nothing wrong: invalidations of anything, and CMD_SYNC.
  void add_harmless_commands(Time span);

  std::size_t size() const { return clients_.size(); }
  bool answered(std::size_t number) const { return clients_[number].answered; }
  bool all_answered() const;
  const Question& question(std::size_t number) const { return clients_[number].question; }
  const refwalk::Access& access(std::size_t number) const { return question(number).access; }
  const Response& response(std::size_t number) const { return clients_[number].request.response; }

 private:
  struct Client;
  struct Node : EventNode {
    Client* client = nullptr;
  };
  struct Request : TranslationRequest {
    Client* client = nullptr;
  };
  struct Client {
    Traffic* traffic = nullptr;
    Question question{};
    Node arrival;
    Node retirement;
    Request request;
    bool answered = false;
  };
  struct Issue : EventNode {
    Traffic* traffic = nullptr;
    std::vector<spec::Command> commands;
  };

  static void arrive(EventNode& node);
  static void answer(EventNode& node);
  static void retire(EventNode& node);
  static void issue(EventNode& node);
  spec::Command harmless_command();

  CaseMachine& machine_;
  TestRandom random_;
  std::deque<Client> clients_;
  std::deque<Issue> issues_;
};

}  // namespace smmusim
