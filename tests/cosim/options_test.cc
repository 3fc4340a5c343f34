// SPDX-License-Identifier: MIT
// The options of the shared object that QEMU loads.
#include "platform/cosim/device/options.h"

#include <gtest/gtest.h>

#include "platform/config/load.h"

namespace smmusim::cosim {
namespace {

TEST(CosimOptionsList, EveryKey) {
  const std::vector<std::string> arguments =
      split_arguments("config=a.toml,stats=s.json,record=on,inject=illegal-command:0x10,,inject=defect:3");
  ASSERT_EQ(arguments.size(), 5u);
  const Options options = parse_options(arguments);
  EXPECT_EQ(options.config, "a.toml");
  EXPECT_EQ(options.statistics, "s.json");
  EXPECT_TRUE(options.record);
  EXPECT_EQ(options.injection.illegal_command, 16u);
  EXPECT_EQ(options.injection.defect, 3u);
  EXPECT_TRUE(parse_options({}).config.empty());
}

TEST(CosimOptionsList, AnythingElseIsRefused) {
  for (const char* wrong : {"", "config", "config=", "stats=", "record", "record=yes", "inject=", "inject=defect",
                            "inject=defect:", "inject=defect:0", "inject=defect:x", "inject=flood:1", "size=3"}) {
    const std::vector<std::string> arguments{wrong};
    EXPECT_THROW(parse_options(arguments), InputError) << wrong;
  }
}

}  // namespace
}  // namespace smmusim::cosim
