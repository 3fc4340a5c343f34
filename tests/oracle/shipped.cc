// SPDX-License-Identifier: MIT
// Reads the shipped data: see shipped.h.
#include "tests/oracle/shipped.h"

namespace smmusim::oracle {
namespace {

std::string path_of(const std::string& ending) {
  return std::string(SMMUSIM_SOURCE_DIR) + "/tests/oracle/data/linux72-nvme-mixed-full." + ending;
}

}  // namespace

const std::string& shipped_text() {
  static const std::string text = read_contents(path_of("qemu.log.zst"));
  return text;
}

const LogSteps& shipped_log() {
  static const LogSteps log =
      group("linux72-nvme-mixed-full.qemu.log", parse_lines("linux72-nvme-mixed-full.qemu.log", shipped_text()));
  return log;
}

const Image& shipped_image() {
  static const Image image = read_image(path_of("pages.zst"));
  return image;
}

}  // namespace smmusim::oracle
