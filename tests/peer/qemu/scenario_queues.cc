// SPDX-License-Identifier: MIT
// Scenarios of the Event queue, the enables, GBPA and the interrupt control: faults in a row, a guest that moves CONS,
// queues that are full, off, or where nothing answers; accesses with the SMMU off (IHI 0070 sections 7.2, 7.4, 6.3).
#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/layout.h"
#include "tests/peer/qemu/scenario_generator.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;

constexpr std::uint32_t smmuen = 1, eventqen = 4, cmdqen = 8, bit31 = 0x80000000u;

class Queues {
 public:
  explicit Queues(Script& script) : script_(script), random_(script.random), scenario_(script.scenario) {}
  void run();

 private:
  void access(bool fault);
  void enables(std::uint32_t value) {
    cr0_ = value;
    script_.write(reg::CR0, value);
  }
  void restart_queue();
  void lost_queue();
  void bypass();
  void guard();
  void one();

  Script& script_;
  Random& random_;
  Scenario& scenario_;
  std::uint32_t cr0_ = smmuen | eventqen | cmdqen;
};

void Queues::access(bool fault) {
  Step& step = script_.add(Do::access);
  step.access = script_.access(script_.any_stream(), script_.any_page());
  if (!fault) return;
  if (random_.percent(75)) {
    step.access.address ^= std::uint64_t{1} << random_.between(20, 39);  // nothing is mapped there, or very little
  } else {
    const Device& device = devices[random_.below(devices.size())];  // mostly a stream without an STE
    step.access.sid = device.sid;
    step.access.write = !device.reads;
  }
}

/// Off, other indexes, on.
void Queues::restart_queue() {
  enables(cr0_ & ~eventqen);
  if (random_.percent(60)) access(true);
  if (random_.percent(60)) {
    const std::uint64_t index = random_.next() & low_mask(scenario_.eventq_log2 + 1);
    const std::uint64_t used = random_.below((std::uint64_t{1} << scenario_.eventq_log2) + 1);
    const std::uint32_t flag = random_.percent(5) ? bit31 : 0;
    script_.write(reg::EVENTQ_PROD, ((index + used) & low_mask(scenario_.eventq_log2 + 1)) | flag);
    script_.write(reg::EVENTQ_CONS, index | flag);
  }
  enables(cr0_ | eventqen);
}

/// A queue where nothing answers: EVENTQ_ABT_ERR.
void Queues::lost_queue() {
  enables(cr0_ & ~eventqen);
  script_.write(reg::EVENTQ_BASE, nowhere | scenario_.eventq_log2, 8);
  enables(cr0_ | eventqen);
  for (unsigned n = random_.between(1, 3); n > 0; --n) access(true);
  enables(cr0_ & ~eventqen);
  script_.write(reg::EVENTQ_BASE, scenario_event_queue | scenario_.eventq_log2, 8);
  enables(cr0_ | eventqen);
  if (random_.percent(5)) access(true);  // QEMU records it: row "event-after-abort"
  script_.add(Do::acknowledge);
}

void Queues::bypass() {
  enables(cr0_ & ~smmuen);
  for (unsigned n = random_.between(1, 3); n > 0; --n) {
    const std::uint32_t update = random_.percent(75) ? bit31 : 0;
    if (random_.percent(70)) {
      script_.write(reg::GBPA, update | random_.below(2) << 20 | (random_.next() & 0x000f3f1f));
    }
    Step& step = script_.add(Do::access);
    const Page& page = script_.any_page();
    step.access = script_.access(script_.any_stream(), page);
    step.access.address = scenario_.targets[random_.below(scenario_.targets.size())] + (page.input & 0xff8);
  }
  enables(cr0_ | smmuen);
}

/// A write that the register's guard refuses; QEMU takes it (row "write-guard").
void Queues::guard() {
  constexpr std::uint32_t offsets[] = {reg::CMDQ_CONS, reg::EVENTQ_PROD, reg::STRTAB_BASE_CFG};
  script_.write(offsets[random_.below(std::size(offsets))], random_.next() & 0xf);
}

void Queues::one() {
  const auto draw = static_cast<unsigned>(random_.below(100));
  if (draw < 34) {
    for (unsigned n = random_.between(1, random_.percent(60) ? 1 : 3); n > 0; --n) access(true);
  } else if (draw < 68) {
    script_.add(Do::drain).count = random_.percent(65) ? 1000 : random_.between(0, 3);
  } else if (draw < 74) {
    access(false);
  } else if (draw < 80) {
    restart_queue();
  } else if (draw < 84) {
    lost_queue();
  } else if (draw < 89) {
    bypass();
  } else if (draw < 94) {
    script_.write(reg::IRQ_CTRL, random_.next() & 5);
  } else if (draw < 97) {
    script_.add(Do::acknowledge);
  } else if (draw < 99) {
    script_.submit({random_command(script_, false)});
  } else {
    guard();
  }
}

void Queues::run() {
  scenario_.eventq_log2 = random_.percent(70) ? random_.between(0, 3) : random_.between(4, 6);
  scenario_.eventq_index = static_cast<std::uint32_t>(random_.next() & low_mask(scenario_.eventq_log2 + 1));
  scenario_.overflow_flags = random_.percent(3);
  for (unsigned n = random_.between(5, 12); n > 0; --n) one();
}

}  // namespace

void script_queues(Script& script) {
  Queues(script).run();
}

}  // namespace smmusim::peer
