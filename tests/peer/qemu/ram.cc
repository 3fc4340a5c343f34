// SPDX-License-Identifier: MIT
// A sparse file in memory, mapped shared. It must not be sealed or resized
// while QEMU runs.
#include "tests/peer/qemu/ram.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace smmusim::peer {

Ram::Ram(const std::string& name) {
  file_ = memfd_create(name.c_str(), 0);
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(ram_bytes)) != 0) {
    throw std::runtime_error("the host gives no sparse file in memory for " + name + "; memfd_create has to work");
  }
  void* mapped = mmap(nullptr, ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
  if (mapped == MAP_FAILED)
    throw std::runtime_error("the host can't map " + name + "; 8 GiB of address space are needed");
  base_ = static_cast<std::uint8_t*>(mapped);
}

Ram::~Ram() {
  munmap(base_, ram_bytes);
  close(file_);
}

void Ram::store(std::uint64_t address, std::uint64_t word) {
  std::memcpy(at(address), &word, sizeof word);
}

std::uint64_t Ram::load(std::uint64_t address) const {
  std::uint64_t word = 0;
  std::memcpy(&word, at(address), sizeof word);
  return word;
}

void Ram::clear_page(std::uint64_t page) {
  std::memset(at(page), 0, 0x1000);
}

void Ram::clear() {
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(ram_bytes));
}

}  // namespace smmusim::peer
