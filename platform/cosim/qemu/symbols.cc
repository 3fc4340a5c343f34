// SPDX-License-Identifier: MIT
// Looking up QEMU's functions; see the header.
#include "platform/cosim/qemu/symbols.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstring>

namespace smmusim::cosim::qemu {
namespace {

/// Those whose structures were looked at, and that were run. What lies between changed them step by step.
bool known_version(std::int64_t major, std::int64_t minor) {
  return (major == 7 && minor == 2) || major == 10 || major == 11;
}
constexpr std::int64_t first_major_with_ops = 10;  // of those known: pci_setup_iommu takes a table of callbacks

/// Data pointers and functions are the same on the hosts that QEMU runs on.
template <class Pointer>
void find(const char* name, Pointer& to, std::string& missing) {
  void* address = dlsym(RTLD_DEFAULT, name);
  static_assert(sizeof to == sizeof address);
  std::memcpy(&to, &address, sizeof address);
  if (address == nullptr) missing += (missing.empty() ? "" : ", ") + std::string(name);
}

void find_version(Symbols& symbols, std::string& missing) {
  find("qmp_query_version", symbols.qmp_query_version, missing);
  if (symbols.qmp_query_version == nullptr) return;
  const VersionInfo* info = symbols.qmp_query_version(nullptr);  // a few bytes, kept
  symbols.major = info->version->major;
  symbols.minor = info->version->minor;
}

Symbols look_up() {
  Symbols symbols;
  std::string missing;
  find_version(symbols, missing);
#define SMMUSIM_FIND(result, name, ...) find(#name, symbols.name, missing);
  SMMUSIM_QEMU_FUNCTIONS(SMMUSIM_FIND)
#undef SMMUSIM_FIND
  find("address_space_memory", symbols.address_space_memory, missing);
  find("pci_setup_iommu", symbols.pci_setup_iommu, missing);
  const std::string known = "qemu-system-aarch64 7.2 (Debian 12's package qemu-system-arm), 10 or 11";
  if (!missing.empty()) {
    throw MissingSymbols{fmt::format("{} does not export {}; use {}", symbols.version(), missing, known)};
  }
  if (!known_version(symbols.major, symbols.minor)) {
    throw MissingSymbols{fmt::format("{}: its structures are not known; use {}", symbols.version(), known)};
  }
  return symbols;
}

}  // namespace

std::string Symbols::version() const {
  return major == 0 ? "this program (no QEMU, or one that tells no version)" : fmt::format("QEMU {}.{}", major, minor);
}

void Symbols::set_up_pci(Object* bus, AddressSpace* (*address_space_of)(PciBus*, void*, int), void* opaque) const {
  if (major < first_major_with_ops) {
    using WithFunction = void (*)(Object*, AddressSpace * (*)(PciBus*, void*, int), void*);
    reinterpret_cast<WithFunction>(pci_setup_iommu)(bus, address_space_of, opaque);
    return;
  }
  using WithOps = void (*)(Object*, const PciIommuOps*, void*);
  static PciIommuOps ops{};
  ops.callbacks[major < 11 ? 0 : 1] = address_space_of;
  reinterpret_cast<WithOps>(pci_setup_iommu)(bus, &ops, opaque);
}

TxAttributes Symbols::requester(std::uint16_t id) const {
  const unsigned shift = major == 7 ? 4 : 6;  // behind: unspecified, secure, (later: space,) user, memory
  return {std::uint64_t{id} << shift};
}

int plugin_interface_version() {
  Symbols symbols;
  std::string ignored;
  find_version(symbols, ignored);
  if (symbols.major >= 11) return 7;
  return symbols.major >= 10 ? 4 : 1;
}

const Symbols& find_symbols() {
  static const Symbols symbols = look_up();
  return symbols;
}

}  // namespace smmusim::cosim::qemu
