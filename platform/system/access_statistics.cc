// SPDX-License-Identifier: MIT
// AccessStatistics; see the header.
#include "platform/system/access_statistics.h"

#include <algorithm>

namespace smmusim {
namespace {

constexpr std::string_view names[access_classes] = {"translated",   "atc",  "micro_tlb",     "tlb",
                                                    "joined_walk",  "walk", "configuration", "translation_request",
                                                    "page_request", "fault"};

AccessClass class_of(Reach reach) {
  switch (reach) {
    case Reach::tbu:
      return AccessClass::micro_tlb;
    case Reach::tcu:
      return AccessClass::tlb;
    case Reach::joined:
      return AccessClass::joined_walk;
    case Reach::walk:
      return AccessClass::walk;
    case Reach::configuration:
      break;
  }
  return AccessClass::configuration;
}

}  // namespace

std::string_view name_of(AccessClass access_class) {
  return names[static_cast<std::size_t>(access_class)];
}

AccessClass class_of(const platform::DmaCompletion& completion) {
  if (completion.status != platform::DmaStatus::ok) return AccessClass::fault;
  if (completion.work.ats == AtsType::translated) return AccessClass::translated;
  switch (completion.atc) {
    case platform::AtcUse::hit:
      return AccessClass::atc;
    case platform::AtcUse::requested:
      return AccessClass::translation_request;
    case platform::AtcUse::paged:
      return AccessClass::page_request;
    case platform::AtcUse::none:
      break;
  }
  return class_of(completion.smmu.reach);
}

void ClassStatistics::add(const ClassStatistics& other) {
  latency.add(other.latency);
  translation += other.translation;
  memory += other.memory;
}

void Timeline::add(Time at, std::uint32_t bytes, Time latency) {
  while (at >> width_log2_ >= intervals_max) {
    for (std::size_t i = 0; i != intervals_.size(); ++i) {
      const Interval one = intervals_[i];
      if (i % 2 == 0) intervals_[i / 2] = Interval{};
      intervals_[i / 2].transactions += one.transactions;
      intervals_[i / 2].bytes += one.bytes;
      intervals_[i / 2].latency += one.latency;
    }
    intervals_.resize((intervals_.size() + 1) / 2);
    ++width_log2_;
  }
  const auto index = static_cast<std::size_t>(at >> width_log2_);
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  Interval& interval = intervals_[index];
  ++interval.transactions;
  interval.bytes += bytes;
  interval.latency += latency;
}

void AccessStatistics::add(const platform::DmaCompletion& completion, Time start) {
  ClassStatistics& entry = classes_[static_cast<std::size_t>(class_of(completion))];
  const Time latency = completion.latency();
  entry.latency.add(latency);
  entry.translation += completion.smmu.translation_time;
  entry.memory += completion.smmu.memory_time;
  timeline_.add(completion.completed_at - start, completion.work.size, latency);
}

ClassStatistics AccessStatistics::total() const {
  ClassStatistics sum;
  for (const ClassStatistics& one : classes_) sum.add(one);
  return sum;
}

}  // namespace smmusim
