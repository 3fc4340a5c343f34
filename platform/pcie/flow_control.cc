// SPDX-License-Identifier: MIT
// Counting credits.
#include "platform/pcie/flow_control.h"

#include <algorithm>

namespace smmusim::platform {
namespace {

CreditCount count_of(unsigned advertised) {
  CreditCount count;
  if (advertised != 0) count.capacity = count.limit = count.advertised = advertised;
  return count;
}

bool less_than_half(const CreditCount& count) {
  return count.finite() && count.left() * 2 < count.capacity;
}

}  // namespace

FlowControl::FlowControl(const FlowCredits& receiver, unsigned mps_bytes) {
  for (std::size_t i = 0; i != flow_classes; ++i) {
    classes_[i].headers = count_of(receiver.headers[i]);
    classes_[i].data = count_of(receiver.data[i]);
    const bool non_posted = static_cast<FlowClass>(i) == FlowClass::non_posted;
    classes_[i].largest_units = non_posted ? largest_non_posted_units : mps_bytes / unit_bytes;
    if (classes_[i].headers.finite() || classes_[i].data.finite()) all_infinite_ = false;
  }
}

void FlowControl::updated(const CreditLimits& limits) {
  Class& c = of(limits.flow_class);
  c.headers.limit = limits.headers;
  c.data.limit = limits.data;
}

bool FlowControl::sender_may_starve(FlowClass flow_class) const {
  const Class& c = of(flow_class);
  return less_than_half(c.headers) || less_than_half(c.data) || (c.data.finite() && c.data.left() < c.largest_units);
}

FlowClass FlowControl::neediest() const {
  const auto share = [](const CreditCount& count) {
    return count.finite() ? static_cast<double>(count.left()) / static_cast<double>(count.capacity) : 1.0;
  };
  FlowClass neediest = FlowClass::posted;
  double least = 2;
  for (std::size_t i = 0; i != flow_classes; ++i) {
    const auto flow_class = static_cast<FlowClass>(i);
    if (!unadvertised(flow_class)) continue;
    const double left = std::min(share(classes_[i].headers), share(classes_[i].data));
    if (left < least) {
      least = left;
      neediest = flow_class;
    }
  }
  return neediest;
}

CreditLimits FlowControl::advertise(FlowClass flow_class) {
  Class& c = of(flow_class);
  for (CreditCount* count : {&c.headers, &c.data}) {
    if (count->finite()) count->advertised = count->capacity + count->freed;
  }
  return {flow_class, c.headers.advertised, c.data.advertised};
}

}  // namespace smmusim::platform
