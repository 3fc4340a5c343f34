// SPDX-License-Identifier: MIT
// Two ports with a link between them, for tests of TlpLink: what arrived, when, and TLPs to send. The ports release a
// TLP at once unless they are told to keep it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/sim/engine.h"
#include "platform/pcie/tlp_link.h"

namespace smmusim::platform {

/// An event that runs a function.
struct CallLater : EventNode {
  explicit CallLater(std::function<void()> f) : function(std::move(f)) {
    fire = [](EventNode& node) { static_cast<CallLater&>(node).function(); };
  }
  std::function<void()> function;
};

struct RecordingPort : TlpLink::Port {
  struct Arrival {
    Time at = 0;
    const Tlp* tlp = nullptr;
  };
  RecordingPort(Engine& at, TlpLink::End of) : engine(at), end(of) {}

  void tlp_arrived(Tlp& tlp, TlpLink& link) override {
    arrivals.push_back({engine.now(), &tlp});
    if (keeps) {
      kept.push_back(&tlp);
    } else {
      link.release(end, tlp);
    }
    if (then) then(tlp);
  }
  void room_again(FlowClass flow_class, TlpLink&) override { rooms.push_back(flow_class); }

  /// The tags of what has arrived, as text.
  std::string tags() const {
    std::string text;
    for (const Arrival& arrival : arrivals) text += (text.empty() ? "" : " ") + std::to_string(arrival.tlp->tag);
    return text;
  }

  Engine& engine;
  TlpLink::End end;
  bool keeps = false;
  std::vector<Arrival> arrivals;
  std::vector<const Tlp*> kept;
  std::vector<FlowClass> rooms;
  std::function<void(Tlp&)> then;
};

/// A machine of one link.
class LinkedPorts {
 public:
  explicit LinkedPorts(const TlpLinkConfig& config) : link(engine, config) {
    link.connect(TlpLink::upstream, root);
    link.connect(TlpLink::downstream, device);
  }

  /// A TLP that lives as long as this; its tag is `tag`.
  Tlp& tlp(TlpType type, unsigned tag = 0, unsigned bytes = 4) {
    Tlp& made = *tlps_.emplace_back(std::make_unique<Tlp>());
    made.type = type;
    made.tag = static_cast<std::uint16_t>(tag);
    made.address = std::uint64_t{1} << 32;
    made.length_dw = static_cast<std::uint16_t>(bytes / 4);
    return made;
  }
  /// `call` at time `when`, before or during a run.
  void at(Time when, std::function<void()> call) {
    engine.schedule_at(when, *calls_.emplace_back(std::make_unique<CallLater>(std::move(call))));
  }

  Engine engine;
  TlpLink link;
  RecordingPort root{engine, TlpLink::upstream};
  RecordingPort device{engine, TlpLink::downstream};

 private:
  std::vector<std::unique_ptr<Tlp>> tlps_;
  std::vector<std::unique_ptr<CallLater>> calls_;
};

}  // namespace smmusim::platform
