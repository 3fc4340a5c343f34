// SPDX-License-Identifier: MIT
// Payload extensions and the payload pool.
#include <gtest/gtest.h>

#include "tlm/payload_pool.h"
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {
namespace {

TEST(PayloadPool, GivesAPayloadBackInsteadOfCreatingOne) {
  PayloadPool pool;
  tlm::tlm_generic_payload* first = &pool.take();
  first->release();
  EXPECT_EQ(&pool.take(), first);
  EXPECT_EQ(pool.created(), 1U);
}

TEST(PayloadPool, CreatesAsManyAsAreInFlight) {
  PayloadPool pool;
  std::vector<tlm::tlm_generic_payload*> taken;
  for (int round = 0; round != 3; ++round) {
    for (int i = 0; i != 10; ++i) taken.push_back(&pool.take());
    for (auto* payload : taken) payload->release();
    taken.clear();
  }
  EXPECT_EQ(pool.created(), 10U);
}

TEST(PayloadPool, KeepsThePayloadWhileSomebodyHoldsIt) {
  PayloadPool pool;
  tlm::tlm_generic_payload& first = pool.take();
  first.acquire();
  first.release();
  EXPECT_NE(&pool.take(), &first);
}

TEST(PayloadPool, HandsOutClearedExtensions) {
  PayloadPool pool;
  tlm::tlm_generic_payload& first = pool.take();
  first.get_extension<SmmuExtension>()->client.stream_id = StreamId(7);
  first.get_extension<SmmuExtension>()->translated = true;
  PathExtension::of(first).push({1, 2});
  first.release();
  tlm::tlm_generic_payload& again = pool.take();
  EXPECT_EQ(again.get_extension<SmmuExtension>()->client.stream_id, StreamId(0));
  EXPECT_FALSE(again.get_extension<SmmuExtension>()->translated);
  EXPECT_EQ(PathExtension::of(again).depth, 0);
}

TEST(PayloadQueue, IsFirstInFirstOut) {
  PayloadPool pool;
  PayloadQueue queue;
  tlm::tlm_generic_payload& first = pool.take();
  tlm::tlm_generic_payload& second = pool.take();
  queue.push(first);
  queue.push(second);
  EXPECT_EQ(&queue.pop(), &first);
  EXPECT_EQ(&queue.pop(), &second);
  EXPECT_TRUE(queue.empty());
}

TEST(SmmuExtension, IsCopiedWithThePayload) {
  PayloadPool pool;
  tlm::tlm_generic_payload& source = pool.take();
  source.get_extension<SmmuExtension>()->client.substream_id = SubstreamId(5);
  tlm::tlm_generic_payload copy;
  copy.deep_copy_from(source);
  ASSERT_NE(copy.get_extension<SmmuExtension>(), nullptr);
  EXPECT_EQ(copy.get_extension<SmmuExtension>()->client.substream_id, SubstreamId(5));
}

}  // namespace
}  // namespace smmusim::systemc
