// SPDX-License-Identifier: MIT
// The sc_main that libsystemc.so refers to, for programs that start in main and call the kernel themselves.
// It is never called; see the target smmusim_sc_main in the root CMakeLists.txt.

extern "C" int sc_main(int argc, char* argv[]);

extern "C" int sc_main(int, char**) {
  return 70;
}
