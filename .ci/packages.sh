# SPDX-License-Identifier: MIT
# Sourced by quickstart, tests/run, bench/run and .ci/*: Debian packages by purpose, and need_packages to install them.

# shellcheck disable=SC2034
RUN_PACKAGES=(cmake ninja-build g++ ccache pkg-config libsystemc-dev libboost-dev libcli11-dev libtomlplusplus-dev
  nlohmann-json3-dev libfmt-dev libzstd-dev gnuplot-nox)
TEST_PACKAGES=(libgtest-dev python3 clang-format git zstd device-tree-compiler acpica-tools)
GUEST_PACKAGES=(qemu-system-arm device-tree-compiler xz-utils procps)
BROWSER_PACKAGES=(chromium chromium-driver fonts-dejavu-core python3)
BENCH_PACKAGES=(libbenchmark-dev python3)
CLANG_PACKAGES=(clang libclang-rt-14-dev llvm)

# need_packages NAME...: installs those that are missing; says which, silent when there are none.
need_packages() {
  local missing=() name
  if ! command -v dpkg-query > /dev/null; then
    echo "This is no Debian system: install the equivalents of: $*" >&2
    return 0
  fi
  for name in "$@"; do
    case "$(dpkg-query -W -f='${Status}\n' "$name" 2> /dev/null)" in
      *"install ok installed"*) ;;
      *) missing+=("$name") ;;
    esac
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "Installing ${#missing[@]} missing packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || {
      echo "Packages are missing and there is no sudo; run as root: apt-get install ${missing[*]}" >&2
      return 3
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
    --no-install-recommends "${missing[@]}" || {
    echo "apt-get could not install: ${missing[*]}" >&2
    return 3
  }
}

# configure PRESET VARIABLE...: runs cmake where the build folder is new, or a variable in it is not ON yet.
configure() {
  local preset=$1 folder variable stale=0
  shift
  folder=$(build_folder "$preset")
  [ -f "$folder/build.ninja" ] || stale=1
  [ CMakePresets.json -nt "$folder/build.ninja" ] && stale=1
  for variable in "$@"; do
    grep -q "^$variable:BOOL=ON$" "$folder/CMakeCache.txt" 2> /dev/null || stale=1
  done
  [ $stale -eq 0 ] && return 0
  local flags=("${@/#/-D}")
  cmake --preset "$preset" "${flags[@]/%/=ON}"
}

# build_folder PRESET: where CMakePresets.json puts it.
build_folder() { if [ "$1" = release ]; then echo build; else echo "build-$1"; fi; }
