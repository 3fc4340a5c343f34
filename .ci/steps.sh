# SPDX-License-Identifier: MIT
# Sourced by .ci/run and .ci/full: runs steps, adds up their test counts, keeps the minutes of each.
passed=0
failed=0
skipped=0
minutes=()
started=$SECONDS
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# step NAME COMMAND...: a step that ends with a line `N passed, N failed` is counted by it, one that ends with
# `SKIPPED: reason` as one skipped, any other as one failure if it fails. A failed step does not stop the next one.
step() {
  local name=$1 begin=$SECONDS status=0 last
  shift
  echo "=== $name"
  { "$@" 2>&1 || echo "step status $?"; } | tee "$log" | grep -v '^step status '
  grep -q '^step status ' "$log" && status=1
  last=$(grep -v '^step status ' "$log" | tail -n 1)
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    [ $status -eq 1 ] && [ "${BASH_REMATCH[2]}" -eq 0 ] && failed=$((failed + 1))
  elif [[ $last == SKIPPED:* ]]; then
    skipped=$((skipped + 1))
    failed=$((failed + status))
  else
    failed=$((failed + status))
  fi
  minutes+=("$(printf '%5.1f min  %s%s' "$(minutes_of $((SECONDS - begin)))" "$name" "$([ $status -eq 0 ] || echo '  FAILED')")")
}

minutes_of() { awk -v s="$1" 'BEGIN { printf "%.1f", s / 60 }'; }

# finish: minutes of each step, the total line, the exit code.
finish() {
  printf '%s\n' "" "${minutes[@]}" "$(printf '%5.1f min  total' "$(minutes_of $((SECONDS - started)))")"
  local line="$passed passed, $failed failed"
  [ $skipped -gt 0 ] && line+=", $skipped skipped"
  echo "$line"
  [ $failed -eq 0 ] && [ $passed -gt 0 ]
}

# The steps of .ci/run, which .ci/full begins with too.
install_packages() { need_packages "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"; }
build_release() { configure release SMMUSIM_TESTS SMMUSIM_BENCH && cmake --build build --parallel "$(nproc)"; }
usual_steps() {
  step "packages" install_packages
  step "release build" build_release
  step "all tests, release" tests/run
  step "quick tests, sanitizers" tests/run --quick --preset dev
  step "reports in Chromium" tests/report/run
  step "2,000 peer cases" tests/peer/qemu/run --cases 2000
  step "Linux in QEMU" tests/peer/linux/run --quick
}
