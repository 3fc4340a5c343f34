// SPDX-License-Identifier: MIT
// KeptContexts: which translations share a copy of their stream's context, and how long it stays.
#include <gtest/gtest.h>

#include "model/smmu/kept_contexts.h"

namespace smmusim {
namespace {

StreamContext stage1(std::uint32_t sid, std::uint16_t asid) {
  StreamContext context;
  context.stream_id = StreamId(sid);
  context.config = spec::SteConfig::stage1;
  context.tlb.asid = Asid(asid);
  return context;
}

TEST(KeptContexts, EqualContextsAreOneCopy) {
  KeptContexts kept;
  KeptContexts::Holder first(kept), second(kept);
  first.keep(stage1(7, 1));
  second.keep(stage1(7, 1));
  EXPECT_EQ(first.get(), second.get());
}

TEST(KeptContexts, AContextThatHasChangedIsAnotherCopy) {
  KeptContexts kept;
  KeptContexts::Holder before(kept), after(kept);
  before.keep(stage1(7, 1));
  after.keep(stage1(7, 2));
  EXPECT_EQ(before.get()->tlb.asid, Asid(1));
  EXPECT_EQ(after.get()->tlb.asid, Asid(2));
}

TEST(KeptContexts, ACopyOutlivesTheContextThatItWasMadeOf) {
  KeptContexts kept;
  KeptContexts::Holder holder(kept);
  StreamContext context = stage1(7, 1);
  holder.keep(context);
  context = stage1(8, 2);
  EXPECT_EQ(holder.get()->stream_id, StreamId(7));
}

TEST(KeptContexts, ACopyIsNotUsedAgainWhileSomebodyHoldsIt) {
  KeptContexts kept;
  KeptContexts::Holder held(kept);
  held.keep(stage1(7, 1));
  for (std::uint16_t asid = 2; asid != 40; ++asid) {
    KeptContexts::Holder other(kept);
    other.keep(stage1(7, asid));
    EXPECT_EQ(other.get()->tlb.asid, Asid(asid));
  }
  EXPECT_EQ(held.get()->tlb.asid, Asid(1));
}

TEST(KeptContexts, AHolderCanBeGivenAnotherContext) {
  KeptContexts kept;
  KeptContexts::Holder holder(kept);
  EXPECT_EQ(holder.get(), nullptr);
  holder.keep(stage1(7, 1));
  holder.keep(stage1(8, 2));
  EXPECT_EQ(holder.get()->stream_id, StreamId(8));
}

}  // namespace
}  // namespace smmusim
