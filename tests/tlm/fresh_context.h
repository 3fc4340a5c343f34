// SPDX-License-Identifier: MIT
// FreshContext: a SystemC kernel for one test. First base class of a fixture, so that it exists before its modules.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <systemc>

namespace smmusim::systemc {

class FreshContext : public ::testing::Test {
 protected:
  FreshContext() : context_(std::make_unique<sc_core::sc_simcontext>()), before_(sc_core::sc_curr_simcontext) {
    sc_core::sc_curr_simcontext = context_.get();
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);
  }
  ~FreshContext() override { sc_core::sc_curr_simcontext = before_; }

 private:
  std::unique_ptr<sc_core::sc_simcontext> context_;
  sc_core::sc_simcontext* before_;
};

}  // namespace smmusim::systemc
