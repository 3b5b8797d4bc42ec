# libweir.so, libweir.a and what an installed copy needs.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(weir_add_library)
    get_property(rooms GLOBAL PROPERTY WEIR_ROOMS)
    get_property(libraries GLOBAL PROPERTY WEIR_LIBRARIES)
    list(REMOVE_DUPLICATES libraries)
    set(objects "")
    foreach(room IN LISTS rooms)
        list(APPEND objects $<TARGET_OBJECTS:${room}>)
    endforeach()

    add_library(weir SHARED ${objects})
    add_library(weir_static STATIC ${objects})
    add_library(weir::weir ALIAS weir)
    add_library(weir::weir_static ALIAS weir_static)
    set_target_properties(weir PROPERTIES
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR})
    set_target_properties(weir_static PROPERTIES OUTPUT_NAME weir)
    foreach(library weir weir_static)
        target_link_libraries(${library} PRIVATE weir_compiler ${libraries})
        target_include_directories(${library} PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endforeach()
endfunction()
