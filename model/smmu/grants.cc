// SPDX-License-Identifier: MIT
// Smmu::grant(): a debug translation, which changes nothing, turned into a range. An access that uses a grant is seen
// by no observer and counted by nobody, so with an observer there are none; statistics count what comes to the SMMU.
#include "model/smmu/grants.h"

#include <optional>

#include "model/smmu/core.h"
#include "model/smmu/smmu.h"

namespace smmusim {
namespace {

/// Of a mapping that nothing translated: the unit in which everything else is checked (section 16.7.1).
constexpr unsigned untranslated_bits = 12;

/// None where the SMMU has ATS: a device that uses it keeps translations of its own.
bool may_grant(const Core& core) {
  return !core.config.timed && core.observer == nullptr && !core.config.features.ats;
}

}  // namespace

void revoke_grants(Core& core) {
  core.grants.revoke_all();
}

bool Smmu::grants_possible() const {
  return may_grant(*core_);
}

void Smmu::on_revoke(std::function<void()> revoke) {
  core_->grants.set_revoke(std::move(revoke));
}

std::optional<Grant> Smmu::grant(unsigned tbu, const Transaction& transaction) {
  if (!may_grant(*core_)) return std::nullopt;
  const Response response = translate(tbu, transaction, debug_effects);
  // Nobody would see a direct access that has to set the access flag or the dirty state (section 3.13).
  if (response.outcome != Outcome::proceed || response.unmarked) return std::nullopt;
  const std::uint64_t offsets = low_mask(response.page_bits == 0 ? untranslated_bits : response.page_bits);
  Grant grant;
  grant.first = transaction.address.value & ~offsets;
  grant.last = transaction.address.value | offsets;
  grant.address = Pa(response.address.value & ~offsets);
  grant.read = response.read_allowed;
  grant.write = response.write_allowed;
  if (!grant.read && !grant.write) return std::nullopt;
  core_->grants.note_given();
  return grant;
}

}  // namespace smmusim
