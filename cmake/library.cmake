# libweir.so, libweir.a and what an installed copy needs; and weir_rooms, which has the rooms as
# they are, for the command and for tests.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The binary interface is that of a minor version while the major one is 0: its name is in the
# SONAME and behind each symbol, WEIR_0.1. What is no public symbol is nobody's.
function(weir_name_interface)
    set(interface ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    set_target_properties(weir PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${interface})
    # What a sanitizer or coverage instruments has symbols that others must see.
    if(WEIR_SANITIZE OR WEIR_COVERAGE)
        return()
    endif()
    file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/weir/*.h)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
    execute_process(
        COMMAND ${PROJECT_SOURCE_DIR}/cmake/public_symbols.sh ${PROJECT_SOURCE_DIR}/include/weir
        OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE "\n" ";\n" symbols "${symbols}")
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/weir.map
         CONTENT "WEIR_${interface} {\nglobal:\n${symbols}local: *;\n};\n")
    target_link_options(weir PRIVATE -Wl,--version-script=${PROJECT_BINARY_DIR}/weir.map)
    set_target_properties(weir PROPERTIES LINK_DEPENDS ${PROJECT_BINARY_DIR}/weir.map)
endfunction()

function(weir_add_library)
    get_property(rooms GLOBAL PROPERTY WEIR_ROOMS)
    get_property(libraries GLOBAL PROPERTY WEIR_LIBRARIES)
    list(REMOVE_DUPLICATES libraries)
    set(objects "")
    foreach(room IN LISTS rooms)
        list(APPEND objects $<TARGET_OBJECTS:${room}>)
    endforeach()

    if(WEIR_SHARED_ROOMS)
        add_library(weir_rooms SHARED ${objects})
        target_link_libraries(weir_rooms INTERFACE ${libraries})
    else()
        add_library(weir_rooms STATIC ${objects})
    endif()
    target_link_libraries(weir_rooms PRIVATE weir_compiler ${libraries})
    target_include_directories(weir_rooms PUBLIC ${PROJECT_SOURCE_DIR}/include)

    # A static library hides nothing, and names such as memory_free are everybody's. So it is one
    # object, in which all but weir_* is local. (The rooms are named beside their objects, which
    # alone are files that nobody makes, to a Makefile.)
    set(whole ${PROJECT_BINARY_DIR}/weir.o)
    add_custom_command(OUTPUT ${whole}
        COMMAND ${CMAKE_C_COMPILER} -r -nostdlib ${WEIR_WHOLE_FLAGS} -o ${whole} ${objects}
        COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=weir_*
            --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_* ${whole}
        DEPENDS ${rooms} ${objects} COMMAND_EXPAND_LISTS VERBATIM)

    add_library(weir SHARED ${objects})
    add_library(weir_static STATIC ${whole})
    add_library(weir::weir_static ALIAS weir_static)
    # -DBUILD_SHARED_LIBS=OFF means that nobody wants the shared one.
    if(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
        add_library(weir::weir ALIAS weir_static)
        set_target_properties(weir PROPERTIES EXCLUDE_FROM_ALL TRUE)
    else()
        add_library(weir::weir ALIAS weir)
    endif()
    weir_name_interface()
    set_target_properties(weir_static PROPERTIES OUTPUT_NAME weir LINKER_LANGUAGE C)
    foreach(library weir weir_static)
        target_link_libraries(${library} PRIVATE $<BUILD_INTERFACE:weir_compiler> ${libraries})
        target_include_directories(${library} PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endforeach()
endfunction()

# Headers, both libraries, and what find_package(weir) and pkg-config read.
function(weir_install_library)
    set(package ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
    get_property(modules GLOBAL PROPERTY WEIR_MODULES)
    list(JOIN modules ", " weir_modules)
    string(REPLACE " " "" weir_dependencies "${modules}")

    install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    set(libraries weir_static)
    if(NOT DEFINED BUILD_SHARED_LIBS OR BUILD_SHARED_LIBS)
        list(PREPEND libraries weir)
    endif()
    install(TARGETS ${libraries} EXPORT weir_targets)
    install(EXPORT weir_targets NAMESPACE weir:: DESTINATION ${package}
            FILE weir_targets.cmake)

    configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/weir_config.cmake.in
        ${PROJECT_BINARY_DIR}/weir-config.cmake INSTALL_DESTINATION ${package})
    write_basic_package_version_file(${PROJECT_BINARY_DIR}/weir-config-version.cmake
        COMPATIBILITY SameMinorVersion)
    # Either folder may have been given as an absolute path. If not, the copy may be moved.
    set(pc_prefix ${CMAKE_INSTALL_PREFIX})
    if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
        file(RELATIVE_PATH up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
        string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${up}")
    endif()
    cmake_path(APPEND pc_includedir "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}")
    cmake_path(APPEND pc_libdir "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
    configure_file(${PROJECT_SOURCE_DIR}/cmake/weir.pc.in ${PROJECT_BINARY_DIR}/weir.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/weir-config.cmake
                  ${PROJECT_BINARY_DIR}/weir-config-version.cmake DESTINATION ${package})
    install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    install(FILES LICENSE README.md CHANGELOG.md SECURITY.md
                  docs/TEN_MINUTES.md docs/GUIDE.md docs/FUNCTIONS.md docs/OPTIONS.md docs/NAMES.md
                  docs/PROCESSES.md docs/load.schema.json
            DESTINATION ${CMAKE_INSTALL_DOCDIR})
    install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
            FILES_MATCHING PATTERN *.c PATTERN *.service)
endfunction()
