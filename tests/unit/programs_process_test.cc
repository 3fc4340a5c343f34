// SPDX-License-Identifier: MIT
// The launcher's child processes: their end, ours, and the time that they have.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "platform/programs/errors.h"
#include "platform/programs/process.h"

namespace smmusim::programs {
namespace {

using std::chrono::seconds;

const auto to_nowhere = [](std::string_view) {};

/// Within a time that only a machine with a defect needs; what has ended and waits for its parent does not run.
bool ends(pid_t process) {
  const Clock::time_point until = Clock::now() + seconds(20);
  const auto runs = [process] {
    const std::string path = "/proc/" + std::to_string(process) + "/stat";
    std::string text;
    if (FILE* file = std::fopen(path.c_str(), "r"); file != nullptr) {
      char bytes[200];
      text.assign(bytes, std::fread(bytes, 1, sizeof bytes, file));
      std::fclose(file);
    }
    return !text.empty() && text.find(") Z ") == std::string::npos;
  };
  while (runs()) {
    if (Clock::now() > until) return false;
    ::usleep(10'000);
  }
  return true;
}

TEST(ProgramsProcess, AnExitCodeIsSeenWhereChildrenAreIgnored) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  {
    const SignalGuard guard;
    EXPECT_EQ(run_tool(guard, {"sh", "-c", "exit 7"}).exit_code, 7);
    EXPECT_EQ(run_tool(guard, {"sh", "-c", "kill -9 $$"}).exit_code, 128 + SIGKILL);
  }
  EXPECT_EQ(std::signal(SIGCHLD, before), SIG_IGN) << "it is as it was";
}

TEST(ProgramsProcess, AToolThatHangsIsEnded) {
  const SignalGuard guard;
  try {
    run_tool(guard, {"sh", "-c", "trap '' TERM; echo $$; sleep 600"}, TimeLimit(1, "do something"));
    FAIL() << "it has ended";
  } catch (const Lacking& lacking) {
    EXPECT_STREQ(lacking.what(), "sh did not end within 1 s; do something");
  }
}

TEST(ProgramsProcess, AMessageShowsNoByteThatDisturbsATerminal) {
  const SignalGuard guard;
  EXPECT_EQ(run_tool(guard, {"printf", "first\\n\\033[2J\\377end\\n\\n"}).last_line(), "?[2J?end");
  EXPECT_EQ(run_tool(guard, {"printf", "%400d", "1"}).last_line().size(), 303u);
}

TEST(ProgramsProcess, AChildDiesWithUsWhateverKillsUs) {
  int ends_of_pipe[2];
  ASSERT_EQ(::pipe(ends_of_pipe), 0);
  const pid_t launcher = ::fork();
  ASSERT_GE(launcher, 0);
  if (launcher == 0) {
    const SignalGuard guard;
    Child child(guard, {"sh", "-c", "echo $$; exec sleep 600"});
    child.wait(
        Clock::now() + seconds(600),
        [&](std::string_view pid) { (void)!::write(ends_of_pipe[1], pid.data(), pid.size()); }, to_nowhere);
    ::_exit(0);
  }
  char text[20]{};
  ASSERT_GT(::read(ends_of_pipe[0], text, sizeof text - 1), 0);
  const pid_t child = std::stoi(text);
  EXPECT_EQ(::kill(child, 0), 0);
  ::kill(launcher, SIGKILL);
  ::waitpid(launcher, nullptr, 0);
  EXPECT_TRUE(ends(child));
  ::close(ends_of_pipe[0]);
  ::close(ends_of_pipe[1]);
}

}  // namespace
}  // namespace smmusim::programs
