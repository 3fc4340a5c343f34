// SPDX-License-Identifier: MIT
// `smmusim report`: the page of a folder that run or sweep wrote.
#include <filesystem>
#include <memory>

#include "platform/cli/commands.h"
#include "platform/report/report.h"
#include "platform/system/output.h"

namespace smmusim::cli {
namespace {

int make_report(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / report::report_file;
  const std::string page = report::page_of_folder(folder);
  OutputFile file(path);
  file.write(page);
  print(path.string() + "\n");
  file.publish();
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto folder = std::make_shared<std::string>();
  CLI::App& command = add_command(app, "report", "makes report.html again in a folder that run or sweep wrote",
                                  "smmusim sweep --trace traces/linux72-nvme-mixed.trace --vary smmu.oas=40,44,48 "
                                  "--vary endpoint.ats=off,on,auto --out study && smmusim report study\n\n"
                                  "The page is one file that asks for nothing from outside. It is drawn by gnuplot "
                                  "(gnuplot-nox).");
  command.add_option("dir", *folder, "the folder: of run --out (stats.json) or of sweep (results.csv)")
      ->type_name("DIR")
      ->required();
  command.callback([folder, &action] { action = [folder] { return make_report(*folder); }; });
}

}  // namespace smmusim::cli
