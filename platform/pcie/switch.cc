// SPDX-License-Identifier: MIT
// TLPs on their way through a Switch.
#include "platform/pcie/switch.h"

#include <algorithm>

#include "platform/pcie/completion.h"
#include "platform/pcie/request_watcher.h"

namespace smmusim::platform {
namespace {

/// A Translation Request is watched by nobody: its answer says all.
void tell(const Tlp& tlp, DmaStatus status) {
  if (tlp.watcher != nullptr && !tlp.is_translation_request()) tlp.watcher->resolved(tlp.cookie, {.status = status});
}

constexpr std::size_t index_of(FlowClass flow_class) {
  return static_cast<std::size_t>(flow_class);
}

}  // namespace

SwitchCounters& SwitchCounters::operator+=(const SwitchCounters& other) {
  received += other.received;
  up += other.up;
  down += other.down;
  peer += other.peer;
  redirected += other.redirected;
  unsupported_requests += other.unsupported_requests;
  acs_violations += other.acs_violations;
  unexpected_completions += other.unexpected_completions;
  malformed += other.malformed;
  return *this;
}

struct Switch::Port final : TlpLink::Port, EventNode {
  Switch* owner = nullptr;
  unsigned number = 0;
  TlpLink* link = nullptr;  // null: down
  TlpLink::End end = TlpLink::upstream;
  FabricTarget* below = nullptr;
  std::array<TlpQueue, flow_classes> waiting;  // in the receive buffer
  std::array<bool, flow_classes> blocked{};    // the first waits for room in its egress
  std::uint64_t arrivals = 0;
  TlpQueue answers;                                   // to what was refused here
  std::array<std::size_t, flow_classes> last_from{};  // which port's TLP it took last
  bool wakes = false;

  void tlp_arrived(Tlp& tlp, TlpLink&) override { owner->arrived(*this, tlp); }
  void room_again(FlowClass flow_class, TlpLink&) override {
    if (flow_class == FlowClass::completion) owner->serve_answers(*this);
    owner->serve_all(*this, flow_class);
  }
  bool room(FlowClass flow_class) const { return link->room(end, flow_class); }
  TlpQueue& queue_of(const Tlp& tlp) { return waiting[index_of(tlp.flow_class())]; }
};

Switch::Switch(Engine& engine, TlpPool& pool, const SwitchConfig& config)
    : engine_(engine), pool_(pool), config_(config), routes_(config.bridges), scope_(engine) {
  for (unsigned number = 0; number != routes_.ports(); ++number) {
    Port& port = *ports_.emplace_back(std::make_unique<Port>());
    port.owner = this;
    port.number = number;
    port.scope = &scope_;
    port.fire = [](EventNode& node) {
      auto& self = static_cast<Port&>(node);
      self.wakes = false;
      self.owner->serve(self);
    };
  }
}

Switch::~Switch() = default;

void Switch::connect_upstream(TlpLink& link) {
  Port& port = *ports_[SwitchRoutes::upstream];
  port.link = &link;
  port.end = TlpLink::downstream;
  link.connect(port.end, port);
}

void Switch::connect(unsigned number, TlpLink& link, FabricTarget* below) {
  Port& port = *ports_.at(number);
  port.link = &link;
  port.below = below;
  link.connect(port.end, port);
}

void Switch::arrived(Port& port, Tlp& tlp) {
  ++counters_.received;
  tlp.ready_at = engine_.now() + config_.processing_ps;
  tlp.arrival = port.arrivals++;
  port.queue_of(tlp).push(tlp);
  serve(port);
}

void Switch::serve(Port& port) {
  while (Tlp* tlp = next(port)) {
    if (!pass(port, *tlp)) port.blocked[index_of(tlp->flow_class())] = true;
  }
}

/// There is room again: ports take turns, from the one after that which had the last.
void Switch::serve_all(const Port& egress, FlowClass flow_class) {
  for (const auto& port : ports_) port->blocked[index_of(flow_class)] = false;
  const std::size_t first = egress.last_from[index_of(flow_class)] + 1;
  for (std::size_t i = 0; i != ports_.size(); ++i) serve(*ports_[(first + i) % ports_.size()]);
}

/// The oldest that may go on; null: none may now.
Tlp* Switch::next(Port& port) {
  const TlpQueue& posted = port.waiting[index_of(FlowClass::posted)];
  Tlp* oldest = nullptr;
  for (std::size_t i = 0; i != flow_classes; ++i) {
    const TlpQueue& queue = port.waiting[i];
    if (queue.empty() || port.blocked[i]) continue;
    Tlp& first = queue.front();
    if (oldest != nullptr && oldest->arrival < first.arrival) continue;
    const bool behind_posted = &queue != &posted && !posted.empty() && posted.front().arrival < first.arrival;
    if (!behind_posted || (first.is_completion() && first.relaxed_ordering)) oldest = &first;
  }
  if (oldest == nullptr || oldest->ready_at <= engine_.now()) return oldest;
  wake_at(port, oldest->ready_at);  // those that came later are not ready earlier
  return nullptr;
}

bool Switch::pass(Port& port, Tlp& tlp) {
  const TlpFault fault = judge(tlp, {.mps_bytes = config_.mps_bytes});
  if (fault != TlpFault::none && rule_of(fault).handling == TlpHandling::malformed) {
    ++counters_.malformed;
    tell(tlp, DmaStatus::refused);
    drop(port, tlp);
    return true;
  }
  const SwitchRoute route = routes_.route(port.number, tlp);
  if (route.verdict != SwitchVerdict::forward) {
    refuse(port, tlp, route.verdict);
    return true;
  }
  Port& egress = *ports_[route.egress];
  if (egress.link == nullptr) {
    refuse(port, tlp, tlp.is_completion() ? SwitchVerdict::unexpected_completion : SwitchVerdict::unsupported_request);
    return true;
  }
  if (!egress.room(tlp.flow_class())) return false;
  const bool goes_up = route.egress == SwitchRoutes::upstream;
  ++(goes_up ? counters_.up : port.number == SwitchRoutes::upstream ? counters_.down : counters_.peer);
  counters_.redirected += route.redirected ? 1 : 0;
  egress.last_from[index_of(tlp.flow_class())] = port.number;
  port.queue_of(tlp).pop();
  port.link->release(port.end, tlp);
  egress.link->send(egress.end, tlp);
  return true;
}

void Switch::refuse(Port& port, Tlp& tlp, SwitchVerdict verdict) {
  const bool violation = verdict == SwitchVerdict::acs_violation;
  ++(violation                                         ? counters_.acs_violations
     : verdict == SwitchVerdict::unexpected_completion ? counters_.unexpected_completions
                                                       : counters_.unsupported_requests);
  tell(tlp, violation ? DmaStatus::aborted : DmaStatus::address_error);
  if (tlp.flow_class() == FlowClass::non_posted) {
    port.answers.push(
        error_completion(pool_, tlp, routes_.id_of(port.number), violation ? CplStatus::CA : CplStatus::UR));
  }
  drop(port, tlp);
  serve_answers(port);
}

void Switch::drop(Port& port, Tlp& tlp) {
  port.queue_of(tlp).pop();
  port.link->release(port.end, tlp);
  pool_.give(tlp);
}

void Switch::serve_answers(Port& port) {
  while (!port.answers.empty() && port.room(FlowClass::completion)) port.link->send(port.end, port.answers.pop());
}

void Switch::wake_at(Port& port, Time when) {
  if (port.wakes && port.when <= when) return;
  if (port.wakes) engine_.withdraw(port);
  port.wakes = true;
  engine_.schedule_at(when, port);
}

std::uint64_t Switch::waiting() const {
  std::uint64_t sum = 0;
  for (const auto& port : ports_) {
    for (const TlpQueue& queue : port->waiting) sum += queue.size();
  }
  return sum;
}

bool Switch::idle() const {
  return waiting() == 0 &&
         std::all_of(ports_.begin(), ports_.end(), [](const auto& port) { return port->answers.empty(); });
}

std::string Switch::imbalance() const {
  const SwitchCounters& c = counters_;
  const std::uint64_t ended =
      c.up + c.down + c.peer + c.unsupported_requests + c.acs_violations + c.unexpected_completions + c.malformed;
  return c.received == ended + waiting() ? "" : "TLPs that a switch received are not passed on + refused + waiting";
}

ConfigSpace* Switch::type0(unsigned device_function) {
  return device_function == 0 ? &routes_.bridge(SwitchRoutes::upstream).space() : nullptr;
}

ConfigSpace* Switch::type1(std::uint16_t rid) {
  const BridgeConfig& up = routes_.bridge(SwitchRoutes::upstream);
  const unsigned bus = rid >> 8;
  if (!up.below(bus)) return nullptr;
  if (bus == up.secondary()) {
    const unsigned port = 1 + (rid >> 3 & 0x1f);
    return (rid & 7) == 0 && port < routes_.ports() ? &routes_.bridge(port).space() : nullptr;
  }
  const unsigned port = routes_.port_of_bus(bus);
  return port == 0 ? nullptr : BridgedTarget{&routes_.bridge(port), ports_[port]->below}.find(rid);
}

std::optional<BarPlace> Switch::bar_at(std::uint64_t address, std::uint32_t bytes) {
  if (!routes_.bridge(SwitchRoutes::upstream).claims(address)) return std::nullopt;
  const unsigned port = routes_.port_of_address(address);
  if (port == 0) return std::nullopt;
  return BridgedTarget{&routes_.bridge(port), ports_[port]->below}.bar_at(address, bytes);
}

}  // namespace smmusim::platform
