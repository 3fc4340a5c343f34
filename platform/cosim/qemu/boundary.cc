// SPDX-License-Identifier: MIT
// Ends of the process; see the header.
#include "platform/cosim/qemu/boundary.h"

#include <unistd.h>

#include <cstdio>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/cosim/qemu/symbols.h"

namespace smmusim::cosim::qemu {

void end_process(int code, const std::string& text) {
  std::fprintf(stderr, "smmusim: %s\n", text.c_str());
  std::fflush(nullptr);
  _exit(code);
}

void end_process_for_exception() {
  try {
    throw;
  } catch (const MissingSymbols& missing) {
    end_process(exit_machine_lacks, missing.text);
  } catch (const InputError& error) {
    end_process(exit_wrong_input, error.what());
  } catch (const InternalError& error) {
    end_process(exit_defect, std::string("a defect of smmusim, please report it: ") + error.what());
  } catch (const std::exception& error) {
    end_process(exit_defect,
                std::string("a defect of smmusim, please report it: unexpected exception: ") + error.what());
  } catch (...) {
    end_process(exit_defect, "a defect of smmusim, please report it: unexpected exception");
  }
}

}  // namespace smmusim::cosim::qemu
