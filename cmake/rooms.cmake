# A room is a folder and an OBJECT library. Its include path holds links to itself and to the
# rooms below it and nothing else, so a wrong include does not compile; and it is linked once by
# itself with -z defs, so a wrong call does not link.

# Adds those of the folders that have something to build.
function(weir_add_folders)
    foreach(folder IN LISTS ARGN)
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
            add_subdirectory(${folder})
        endif()
    endforeach()
endfunction()

# weir_include_edges(TARGET base framing ...): what TARGET may include by room. A seam such as
# base_kernel is no folder, so it gives no edge.
function(weir_include_edges target)
    set(edges ${CMAKE_BINARY_DIR}/edges/${target})
    foreach(room IN LISTS ARGN)
        get_filename_component(folder ${edges}/${room} DIRECTORY)
        file(MAKE_DIRECTORY ${folder})
        if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${room} AND NOT EXISTS ${edges}/${room})
            file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${room} ${edges}/${room} SYMBOLIC)
        endif()
    endforeach()
    target_include_directories(${target} PRIVATE ${edges} ${PROJECT_SOURCE_DIR}/include)
endfunction()

# weir_need(liburing 2.3): finds a library by pkg-config, as PkgConfig::liburing. Whoever links an
# installed copy of weir needs it too; library.cmake sees to that.
macro(weir_need module version)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(${module} REQUIRED IMPORTED_TARGET GLOBAL ${module}>=${version})
    set_property(GLOBAL APPEND PROPERTY WEIR_MODULES "${module} >= ${version}")
endmacro()

# weir_room(NAME SOURCES a.c b.c BELOW base framing [LIBRARIES PkgConfig::liburing])
# BELOW names every room that this one may use. A room in a room, runtime/stream, is a part of it:
# who links runtime links it too.
function(weir_room name)
    cmake_parse_arguments(room "" "" "SOURCES;BELOW;LIBRARIES" ${ARGN})
    string(REPLACE "/" "-" target weir_${name})
    add_library(${target} OBJECT ${room_SOURCES})
    if(WEIR_SHARED_ROOMS)
        set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET default)
    endif()
    target_link_libraries(${target} PRIVATE weir_compiler ${room_LIBRARIES})
    weir_include_edges(${target} ${name} ${room_BELOW})
    set_property(GLOBAL APPEND PROPERTY WEIR_ROOMS ${target})
    string(REGEX REPLACE "/.*" "" whole ${name})
    if(NOT whole STREQUAL name)
        set_property(GLOBAL APPEND PROPERTY WEIR_PARTS_${whole} ${target})
    endif()
    set_property(GLOBAL APPEND PROPERTY WEIR_LIBRARIES ${room_LIBRARIES})
endfunction()

# weir_room_objects(VARIABLE base framing ...): the objects of those rooms that exist.
function(weir_room_objects variable)
    set(objects "")
    foreach(room IN LISTS ARGN)
        string(REPLACE "/" "-" target weir_${room})
        get_property(parts GLOBAL PROPERTY WEIR_PARTS_${room})
        foreach(target IN LISTS target parts)
            if(TARGET ${target})
                list(APPEND objects $<TARGET_OBJECTS:${target}>)
            endif()
        endforeach()
    endforeach()
    set(${variable} ${objects} PARENT_SCOPE)
endfunction()

# Links a room with only what is below it. The runtime's seam to the kernel counts as below.
function(weir_check_edges name)
    cmake_parse_arguments(room "" "" "BELOW;LIBRARIES" ${ARGN})
    string(REPLACE "/" "-" target edges_${name})
    weir_room_objects(objects ${name} ${room_BELOW})
    add_library(${target} MODULE ${objects})
    target_link_libraries(${target} PRIVATE weir_compiler ${room_LIBRARIES})
    # A sanitizer's run-time is left to the final program, so -z defs cannot be used with one.
    if(NOT WEIR_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
endfunction()
