// SPDX-License-Identifier: MIT
// What an accelerated SMMU may claim in its ID registers, given the host: the guest's CDs and stage-1 tables are read
// by the physical SMMU, unfiltered, so every feature that they can use must be the host's too. Pure functions, and the
// rule by which `auto` freezes. As arm-smmuv3,accel=on of QEMU, and what the uAPI lets be read beyond that.
//
// Not constrained: what the emulator itself handles (stream table format, SIDSIZE, queues, MSIs), and fields that Linux
// does not let user space rely on. COHACC and S1P are assumed of the host.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/spec/features.h"
#include "platform/config/platform_config.h"
#include "platform/nested/host_report.h"

namespace smmusim::nested {

/// Properties that can be left to the host; no value is `auto`.
struct Properties {
  std::optional<bool> ril{};
  std::optional<bool> ats{};
  std::optional<bool> cmdqv{};
  std::optional<unsigned> oas{};       ///< bits
  std::optional<unsigned> ssidsize{};  ///< bits

  bool any_auto() const { return !ril || !ats || !cmdqv || !oas || !ssidsize; }
};

struct IdentityRules {
  OasCheck oas_check = OasCheck::aperture;
  AccelCompat compat = AccelCompat::none;
};

/// One field that the host can't give.
struct IdentityError {
  std::string field;    ///< as "IDR3.RIL", or the property
  std::string message;  ///< one sentence with the host's and the vSMMU's value
  friend bool operator==(const IdentityError&, const IdentityError&) = default;
};

struct Identity {
  spec::Features features{};
  std::vector<IdentityError> errors{};  ///< if not empty, features are not to be used
};

/// `wished` are the features as configured; those that properties govern (ril, ats, oas, ssidsize) are replaced. `auto`
/// takes the host's value; of ats it takes `endpoint_shows_ats`, for an SMMU may always claim ATS and does nothing with
/// it until a device asks (with compat qemu: the host's IDR0.ATS).
Identity resolve_identity(const spec::Features& wished, const Properties& properties, const HostReport& host,
                          const IdentityRules& rules, bool endpoint_shows_ats);

/// A device that is put behind an accelerated SMMU.
struct Newcomer {
  HostReport host{};
  bool shows_ats = false;  ///< the guest sees its ATS capability
};

/// The life of `auto`: open until the first device is there, frozen from then on (for ats: when the machine is done),
/// so that a device that is plugged in later must fit.
class IdentityFreeze {
 public:
  IdentityFreeze(const spec::Features& wished, const Properties& properties, const IdentityRules& rules)
      : wished_(wished), properties_(properties), rules_(rules) {}

  /// A device before the machine starts (cold) or, after machine_done(), hot. Errors: it can't be behind this SMMU, and
  /// nothing has changed.
  std::vector<IdentityError> add(const Newcomer& device);
  /// No more cold devices. Errors: an `auto` is still open because there never was a device.
  std::vector<IdentityError> machine_done();
  /// As resolved so far; final after machine_done().
  const spec::Features& features() const { return frozen_ ? identity_.features : wished_; }

 private:
  Properties frozen_properties() const;

  spec::Features wished_;
  Properties properties_;
  IdentityRules rules_;
  Identity identity_{};
  bool frozen_ = false;
  bool done_ = false;
};

}  // namespace smmusim::nested
