# SPDX-License-Identifier: MIT
# Compiler flags common to all targets: warnings, optimisation, sanitizers, coverage, the compiler cache.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
# -O3: 8 % on cold walks and 5 % on hits against -O2 (bench/untimed), for a tenth more build time.
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
set(SMMUSIM_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Defects of g++ 12, all reports of correct code: std::string's operator+ inlined at -O2 (array-bounds, restrict,
  # GCC bugs 105329 and 105651), and a coroutine frame's class-specific operator new at -O0 (mismatched-new-delete).
  list(APPEND SMMUSIM_WARNINGS -Wno-array-bounds -Wno-restrict -Wno-mismatched-new-delete)
endif()
# libsystemc costs 3 ms at every start of a process; tests that do not use it need not load it.
add_link_options(-Wl,--as-needed)

if(SMMUSIM_SANITIZE)
  add_compile_options(-fsanitize=${SMMUSIM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SMMUSIM_SANITIZE})
endif()
if(SMMUSIM_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SMMUSIM_COVERAGE with ${CMAKE_CXX_COMPILER_ID}; needs clang, because gcov has no lines inside "
                        "coroutine bodies (use the preset coverage)")
  endif()
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
if(SMMUSIM_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

find_program(SMMUSIM_CCACHE ccache)
if(SMMUSIM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for before it caches users of a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${SMMUSIM_CCACHE})
endif()

# smmusim_precompile(TARGET HEADER...) or (TARGET REUSE_FROM OTHER): precompiled headers where they pay. Measured with
# g++ 12 at -O2: gtest.h costs 2.0 s a file and 0.4 s precompiled, so tests use it; <systemc> costs 1.1 s and its
# precompiled form 2.5 s plus 80 MB a target, so tlm and platform do not. Only g++: clang's time stamps defeat ccache.
function(smmusim_precompile target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    if(ARGV1 STREQUAL "REUSE_FROM")
      target_precompile_headers(${target} REUSE_FROM ${ARGV2})
    else()
      target_precompile_headers(${target} PRIVATE ${ARGN})
    endif()
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()
