# SPDX-License-Identifier: MIT
# cmake --install: headers under include/smmusim with the folders of the tree, libraries, smmusimConfig.cmake, smmusim.pc.
# One export set a layer, so that smmusim::model can be used where SystemC is not installed.
include(CMakePackageConfigHelpers)
set(SMMUSIM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/smmusim)

foreach(layer model tlm platform)
  if(TARGET smmusim_${layer})
    install(TARGETS smmusim_${layer} EXPORT smmusim_${layer} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT smmusim_${layer} NAMESPACE smmusim:: FILE smmusim-${layer}.cmake DESTINATION ${SMMUSIM_CMAKE_DIR})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/smmusim
            FILES_MATCHING PATTERN "*.h")
  endif()
endforeach()
if(TARGET smmusim)
  install(TARGETS smmusim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/smmusimConfig.cmake.in ${PROJECT_BINARY_DIR}/smmusimConfig.cmake
                              INSTALL_DESTINATION ${SMMUSIM_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/smmusimConfigVersion.cmake COMPATIBILITY SameMinorVersion)
# Relative, so that the installed tree can be moved and `cmake --install --prefix` works.
file(RELATIVE_PATH SMMUSIM_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/smmusim.pc.in ${PROJECT_BINARY_DIR}/smmusim.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/smmusimConfig.cmake ${PROJECT_BINARY_DIR}/smmusimConfigVersion.cmake
        DESTINATION ${SMMUSIM_CMAKE_DIR})
install(FILES ${PROJECT_BINARY_DIR}/smmusim.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
