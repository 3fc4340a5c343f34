# SPDX-License-Identifier: MIT
# cmake --install: headers under include/smmusim with the folders of the tree, libraries, smmusimConfig.cmake and a
# pkg-config file a layer. One export set and one .pc file each, so that the model can be used without SystemC.
# Includes are written as in the tree ("model/smmu/smmu.h"); include/smmusim is the one include folder of the package.
include(CMakePackageConfigHelpers)
set(SMMUSIM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/smmusim)
set(SMMUSIM_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# Relative, so that the installed tree can be moved and `cmake --install --prefix` works.
file(RELATIVE_PATH SMMUSIM_PREFIX_FROM_PC /${SMMUSIM_PC_DIR} /)

# smmusim_install_layer(LAYER DESCRIPTION REQUIRES CFLAGS): library, export set, headers and smmusim-LAYER.pc. REQUIRES
# are pkg-config names; CFLAGS begins with a space or is empty. platform/cli is the program's own.
function(smmusim_install_layer layer SMMUSIM_PC_DESCRIPTION SMMUSIM_PC_REQUIRES SMMUSIM_PC_CFLAGS)
  if(NOT TARGET smmusim_${layer})
    return()
  endif()
  install(TARGETS smmusim_${layer} EXPORT smmusim_${layer} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT smmusim_${layer} NAMESPACE smmusim:: FILE smmusim-${layer}.cmake DESTINATION ${SMMUSIM_CMAKE_DIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/smmusim
          FILES_MATCHING PATTERN "*.h" PATTERN "${layer}/cli" EXCLUDE)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/smmusim-layer.pc.in ${PROJECT_BINARY_DIR}/smmusim-${layer}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/smmusim-${layer}.pc DESTINATION ${SMMUSIM_PC_DIR})
endfunction()

smmusim_install_layer(model "Arm SMMUv3 in plain C++, without SystemC" "" "")
# The library is a C++17 build of SystemC; without the definition its version symbol is not found by C++20 users.
smmusim_install_layer(tlm "the SMMU as a SystemC module with TLM-2.0 sockets" "smmusim-model systemc"
                      " -DSC_CPLUSPLUS=201703L")
smmusim_install_layer(platform "memory, PCIe, endpoints, driver's tables and traces around the SMMU"
                      "smmusim-tlm fmt libzstd tomlplusplus nlohmann_json" "")
if(TARGET smmusim)
  install(TARGETS smmusim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# Where the program looks for it. A build of chosen targets may lack it.
if(TARGET smmusim_qemu)
  install(TARGETS smmusim_qemu LIBRARY DESTINATION lib/smmusim OPTIONAL)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/smmusimConfig.cmake.in ${PROJECT_BINARY_DIR}/smmusimConfig.cmake
                              INSTALL_DESTINATION ${SMMUSIM_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/smmusimConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/smmusimConfig.cmake ${PROJECT_BINARY_DIR}/smmusimConfigVersion.cmake
        DESTINATION ${SMMUSIM_CMAKE_DIR})
