// SPDX-License-Identifier: MIT
// One end of a link: it refills its transmit queues whenever they have room, answers reads, and counts what it gets.
#include "tests/validation/link_traffic.h"

#include <algorithm>
#include <memory>

namespace smmusim::validation {
namespace {

using namespace platform;

constexpr std::uint64_t high_address = std::uint64_t{1} << 32;

class TrafficEnd : public TlpLink::Port {
 public:
  TrafficEnd(Engine& engine, TlpPool& pool, TlpLink& link, TlpLink::End end, const EndTraffic& traffic)
      : engine_(engine), pool_(pool), link_(link), end_(end), traffic_(traffic), tags_left_(traffic.tags) {
    link.connect(end, *this);
  }

  void refill() {
    while (traffic_.write_bytes != 0 && link_.room(end_, FlowClass::posted)) send_write();
    while (traffic_.read_bytes != 0 && tags_left_ != 0 && link_.room(end_, FlowClass::non_posted)) send_read();
    while (!answers_.empty() && link_.room(end_, FlowClass::completion)) send_completion();
  }

  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    if (tlp.type == TlpType::MWr) {
      written_ += tlp.payload_bytes();
      after(traffic_.hold_ps, tlp, &TrafficEnd::drop);
    } else if (tlp.type == TlpType::CplD) {
      read_ += tlp.payload_bytes();
      if (tlp.byte_count == tlp.payload_bytes()) ++tags_left_;
      drop(tlp);
      refill();
    } else {
      link_.release(end_, tlp);
      after(traffic_.answer_ps, tlp, &TrafficEnd::answer);
    }
  }
  void room_again(FlowClass, TlpLink&) override { refill(); }

  std::uint64_t written() const { return written_; }
  std::uint64_t read() const { return read_; }

 private:
  /// Calls `step` with the TLP after `delay`.
  void after(Time delay, Tlp& tlp, void (TrafficEnd::*step)(Tlp&)) {
    if (delay == 0) return (this->*step)(tlp);
    if (free_.empty()) free_.push_back(steps_.emplace_back(std::make_unique<Step>()).get());
    Step& node = *free_.back();
    free_.pop_back();
    node.end = this;
    node.tlp = &tlp;
    node.call = step;
    node.fire = [](EventNode& event) {
      auto& fired = static_cast<Step&>(event);
      fired.end->free_.push_back(&fired);
      (fired.end->*fired.call)(*fired.tlp);
    };
    engine_.schedule_in(delay, node);
  }

  void drop(Tlp& tlp) {
    link_.release(end_, tlp);
    pool_.give(tlp);
  }

  void answer(Tlp& tlp) {
    tlp.byte_count = static_cast<std::uint16_t>(tlp.length_dw * 4U);
    answers_.push(tlp);
    refill();
  }

  Tlp& made(TlpType type, unsigned bytes) {
    Tlp& tlp = pool_.take();
    tlp.type = type;
    tlp.address = high_address;
    tlp.length_dw = static_cast<std::uint16_t>(bytes / 4);
    return tlp;
  }

  void send_write() {
    if (write_left_ == 0) write_left_ = traffic_.write_bytes;
    const unsigned bytes = std::min(write_left_, link_.config().mps_bytes);
    write_left_ -= bytes;
    link_.send(end_, made(TlpType::MWr, bytes));
  }

  void send_read() {
    --tags_left_;
    link_.send(end_, made(TlpType::MRd, traffic_.read_bytes));
  }

  void send_completion() {
    Tlp& request = answers_.front();
    const unsigned bytes = std::min<unsigned>(request.byte_count, traffic_.completion_bytes);
    Tlp& completion = made(TlpType::CplD, bytes);
    completion.byte_count = request.byte_count;
    request.byte_count = static_cast<std::uint16_t>(request.byte_count - bytes);
    if (request.byte_count == 0) pool_.give(answers_.pop());
    link_.send(end_, completion);
  }

  struct Step : EventNode {
    TrafficEnd* end = nullptr;
    Tlp* tlp = nullptr;
    void (TrafficEnd::*call)(Tlp&) = nullptr;
  };

  Engine& engine_;
  TlpPool& pool_;
  TlpLink& link_;
  TlpLink::End end_;
  EndTraffic traffic_;
  unsigned tags_left_;
  unsigned write_left_ = 0;
  TlpQueue answers_;  // byte_count: left to send
  std::uint64_t written_ = 0, read_ = 0;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<Step*> free_;
};

double gbps(std::uint64_t bytes, Time length) {
  return static_cast<double>(bytes) * 8e3 / static_cast<double>(length);
}

}  // namespace

TrafficResults run_traffic(const TlpLinkConfig& config, const EndTraffic& root, const EndTraffic& device, Time warm_up,
                           Time length) {
  Engine engine;
  TlpPool pool;
  TlpLink link(engine, config);
  TrafficEnd ends[] = {TrafficEnd(engine, pool, link, TlpLink::upstream, root),
                       TrafficEnd(engine, pool, link, TlpLink::downstream, device)};
  for (TrafficEnd& end : ends) end.refill();
  engine.run_until(warm_up);
  const std::uint64_t before[2][2] = {{ends[0].written(), ends[0].read()}, {ends[1].written(), ends[1].read()}};
  engine.run_until(warm_up + length);
  TrafficResults results;
  for (const unsigned end : {0U, 1U}) {
    const unsigned other = 1 - end;
    results.from[end].write_gbps = gbps(ends[other].written() - before[other][0], length);
    results.from[end].read_gbps = gbps(ends[other].read() - before[other][1], length);
  }
  return results;
}

}  // namespace smmusim::validation
