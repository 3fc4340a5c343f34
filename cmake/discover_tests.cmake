# SPDX-License-Identifier: MIT
# Included by ctest at its start: lists the tests of one GoogleTest program and adds an entry per suite or per test.
# In: program, folder, grain (suite or test), labels, results_dir, root. gtest_discover_tests knows only one entry per
# test; thousands of process starts would then cost more than the tests.
cmake_policy(PUSH)
cmake_policy(VERSION 3.25)

# An entry NAME that runs the tests of FILTER and leaves their results in results_dir/NAME.xml.
macro(smmusim_add_entry name filter)
  string(REGEX REPLACE "[^A-Za-z0-9_.-]" "_" file_name "${name}")
  add_test("${name}" "${program}" "--gtest_filter=${filter}" "--gtest_output=xml:${results_dir}/${file_name}.xml")
  set_tests_properties("${name}" PROPERTIES LABELS "${labels}" TIMEOUT 300 WORKING_DIRECTORY "${root}")
endmacro()

set(listing "")
if(EXISTS "${program}")
  execute_process(COMMAND "${program}" --gtest_list_tests OUTPUT_VARIABLE listing RESULT_VARIABLE status)
else()
  set(status "not built")
endif()
string(REGEX REPLACE "[ ]*#[^\n]*" "" listing "${listing}")
if(NOT status EQUAL 0 OR NOT listing MATCHES "\n  [^ ]")
  # A program that cannot list its tests, or has none, is a failure and not an empty folder.
  smmusim_add_entry("${folder}.lists_no_test" "*")
endif()
string(REPLACE "\n" ";" listing "${listing}")
set(suite "")
foreach(line IN LISTS listing)
  if(line MATCHES "^([^ ]+)\\.$")
    set(suite "${CMAKE_MATCH_1}")
    if(grain STREQUAL "suite")
      smmusim_add_entry("${folder}.${suite}" "${suite}.*")
    endif()
  elseif(grain STREQUAL "test" AND line MATCHES "^  ([^ ]+)$")
    set(test "${CMAKE_MATCH_1}")
    smmusim_add_entry("${folder}.${suite}.${test}" "${suite}.${test}")
  endif()
endforeach()
cmake_policy(POP)
