// SPDX-License-Identifier: MIT
// The reader of kernel modules, with modules made here: whole, cut off anywhere, and with every byte of the headers
// changed.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "platform/config/load.h"
#include "platform/cosim/linux/module_info.h"

namespace smmusim::cosim {
namespace {

void put(std::string& bytes, std::size_t at, std::uint64_t value, unsigned length) {
  for (unsigned i = 0; i != length; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

/// An ELF file of three sections: none, .modinfo, the names.
std::string module_of(const std::string& info) {
  const std::string names("\0.modinfo\0.shstrtab\0", 20);
  std::string bytes(64, '\0');
  std::memcpy(bytes.data(),
              "\x7f"
              "ELF\x02\x01\x01",
              7);
  const std::size_t at_info = bytes.size();
  bytes += info;
  const std::size_t at_names = bytes.size();
  bytes += names;
  bytes.resize((bytes.size() + 7) / 8 * 8);
  const std::size_t table = bytes.size();
  bytes.resize(table + 3 * 64);
  put(bytes, 0x28, table, 8);
  put(bytes, 0x3a, 64, 2);
  put(bytes, 0x3c, 3, 2);
  put(bytes, 0x3e, 2, 2);
  put(bytes, table + 64, 1, 4);
  put(bytes, table + 64 + 0x18, at_info, 8);
  put(bytes, table + 64 + 0x20, info.size(), 8);
  put(bytes, table + 128, 10, 4);
  put(bytes, table + 128 + 0x18, at_names, 8);
  put(bytes, table + 128 + 0x20, names.size(), 8);
  return bytes;
}

const std::string nvme("license=GPL\0depends=nvme-core,t10-pi\0name=nvme\0", 47);

/// "": it was read; else the message.
std::string complaint(const std::string& bytes) {
  try {
    read_module_info(bytes, "nvme.ko");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CosimModuleInfo, ListsWhatTheModuleDependsOn) {
  EXPECT_EQ(read_module_info(module_of(nvme), "nvme.ko").depends, (std::vector<std::string>{"nvme-core", "t10-pi"}));
}

TEST(CosimModuleInfo, AnEmptyListIsNoDependency) {
  EXPECT_TRUE(read_module_info(module_of(std::string("depends=\0a=b\0", 13)), "x.ko").depends.empty());
  EXPECT_TRUE(read_module_info(module_of(std::string("a=b\0", 4)), "x.ko").depends.empty());
  EXPECT_TRUE(read_module_info(module_of(""), "x.ko").depends.empty());
  // The last string may lack its end.
  EXPECT_EQ(read_module_info(module_of("depends=a"), "x.ko").depends, std::vector<std::string>{"a"});
}

TEST(CosimModuleInfo, SaysWhereAFileIsWrong) {
  EXPECT_NE(complaint("").find("nvme.ko: byte 0: "), std::string::npos);
  EXPECT_NE(complaint("not a module").find("nvme.ko: byte 0: "), std::string::npos);
  std::string other = module_of(nvme);
  other[4] = 1;  // 32 bits
  EXPECT_NE(complaint(other).find("byte 0"), std::string::npos);
  other = module_of(nvme);
  put(other, 0x3e, 3, 2);
  EXPECT_NE(complaint(other).find("byte 62"), std::string::npos) << complaint(other);
}

TEST(CosimModuleInfo, RefusesTablesThatWrapAround) {
  for (const std::uint64_t far : {~std::uint64_t{0}, ~std::uint64_t{63}, std::uint64_t{1} << 63}) {
    std::string bytes = module_of(nvme);
    put(bytes, 0x28, far, 8);
    EXPECT_NE(complaint(bytes), "") << far;
    bytes = module_of(nvme);
    put(bytes, bytes.size() - 128 + 0x20, far, 8);  // the length of .modinfo
    EXPECT_NE(complaint(bytes), "") << far;
    bytes = module_of(nvme);
    put(bytes, bytes.size() - 64 + 0x18, far, 8);  // where the names are
    EXPECT_NE(complaint(bytes), "") << far;
  }
}

TEST(CosimModuleInfo, AnyCutIsRefused) {
  const std::string whole = module_of(nvme);
  for (std::size_t length = 0; length != whole.size(); ++length) {
    EXPECT_NE(complaint(whole.substr(0, length)), "") << length;
  }
}

TEST(CosimModuleInfo, AnyChangedByteIsReadOrRefused) {
  const std::string whole = module_of(nvme);
  for (std::size_t at = 0; at != whole.size(); ++at) {
    for (const unsigned value : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(value);
      complaint(bytes);  // under sanitizers: it stays inside
    }
  }
}

}  // namespace
}  // namespace smmusim::cosim
