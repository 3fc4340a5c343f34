// SPDX-License-Identifier: MIT
// What the user gives the shared object that QEMU loads: `-plugin FILE,key=value,...`, or with LD_PRELOAD the same list
// in the environment variable SMMUSIM_COSIM.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/cosim/device/cosim_smmu.h"

namespace smmusim::cosim {

inline constexpr const char* options_variable = "SMMUSIM_COSIM";

struct Options {
  std::string config;      ///< config=FILE: the configuration; empty: every key has its default
  std::string statistics;  ///< stats=FILE: written when QEMU ends; empty: not written
  bool record = false;     ///< record=on: the log of QEMU (-D) gets the lines of its SMMUv3's log
  Injection injection{};   ///< inject=illegal-command:N, inject=defect:N
};

/// Each argument is one key=value. Throws InputError, which names what is wrong and what would be right.
Options parse_options(std::span<const std::string> arguments);

/// `illegal-command:N` or `defect:N`, N from 1, added to `injection`. False: it is neither.
bool parse_injection(std::string_view text, Injection& injection);

/// The arguments of a comma-separated list.
std::vector<std::string> split_arguments(std::string_view list);

}  // namespace smmusim::cosim
