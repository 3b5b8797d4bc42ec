# How tests are built and registered. Every test has a label per room and a time-out.
#
# weir_unit_test(NAME ROOM framing BELOW base SOURCES x_test.c
#                [LIBRARIES ...] [LABELS ...] [TIMEOUT seconds])
#     A Criterion program that links ROOM, the rooms (and seams: base_kernel) BELOW it, and
#     nothing else of weir. Not built with the thread sanitizer: Criterion itself is not clean.
#     Label it `kernel` when it wants a real one: an emulator of a processor lacks much of it.
#
# weir_main_test(NAME [ROOM ... BELOW ...] SOURCES x.c
#                [LIBRARIES ...] [LABELS ...] [TIMEOUT seconds] [ARGUMENTS ...])
#     A program with a main: exit 0 passes, 77 skips. Without ROOM it gets what a user of the
#     library has: the public headers and libweir. Label it `threads` to have it run under the
#     thread sanitizer too.
#
# weir_loopback_test(NAME SOURCES x_test.c [LABELS ...] [TIMEOUT seconds])
#     A Criterion program with the whole runtime and support/loopback.h. It runs once per profile of
#     the ring, as NAME_newest and so on: what is switched off is what an older kernel would lack.
#
# weir_fuzz_test(NAME ROOM ... [BELOW ...] SOURCES x_fuzz.c CORPUS folder)
#     A libFuzzer harness (LLVMFuzzerTestOneInput). With WEIR_FUZZ it is built into build/fuzz/fuzz;
#     else as a test that runs it once over each file of the corpus.
#
# Includes: "support/x.h" is tests/support/x.h, "ROOM/x.h" as that room itself has it.

# Criterion runs each test in a child and looks at no exit status after the test's body, which is
# when a leak is found. So the report itself fails the test; none must be redirected away.
set(WEIR_SANITIZER_REPORT 
    "ERROR: (Address|Leak)Sanitizer|(WARNING|FATAL): ThreadSanitizer|runtime error: ")
# A size that overflows gives NULL with every allocator; tests ask for that.
set(WEIR_TEST_ENVIRONMENT
    "ASAN_OPTIONS=allocator_may_return_null=1" "UBSAN_OPTIONS=print_stacktrace=1")

if(BUILD_TESTING AND NOT WEIR_FUZZ AND NOT WEIR_SANITIZE MATCHES "thread")
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(CRITERION IMPORTED_TARGET criterion)
    if(NOT CRITERION_FOUND)
        message(FATAL_ERROR "The tests need Criterion, Debian's libcriterion-dev, and more that "
            "`./run deps test` installs. -DBUILD_TESTING=OFF builds without them.")
    endif()
endif()

function(weir_test_program name)
    cmake_parse_arguments(test "" "ROOM" "BELOW;SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${test_SOURCES})
    target_link_libraries(${name} PRIVATE weir_compiler test_support ${test_LIBRARIES})
    if(test_ROOM)
        weir_include_edges(${name} ${test_ROOM} ${test_BELOW})
        set_property(TARGET ${name} PROPERTY WEIR_TEST_ROOMS ${test_ROOM} ${test_BELOW})
        cmake_language(EVAL CODE "cmake_language(DEFER CALL weir_link_rooms ${name})")
    else()
        target_link_libraries(${name} PRIVATE weir_rooms)
    endif()
endfunction()

# When it is known how a program is linked. Where it wraps functions, or has another kernel or a
# function of the C library of its own (WEIR_OWN_ROOMS), a shared library would not heed that; nor
# is what is hidden found there.
function(weir_link_rooms name)
    get_property(rooms TARGET ${name} PROPERTY WEIR_TEST_ROOMS)
    get_property(options TARGET ${name} PROPERTY LINK_OPTIONS)
    get_property(own TARGET ${name} PROPERTY WEIR_OWN_ROOMS)
    if(options MATCHES "--wrap" OR NOT runtime_ring IN_LIST rooms)
        set(own TRUE)
    endif()
    if(WEIR_SHARED_ROOMS AND NOT own)
        target_link_libraries(${name} PRIVATE weir_rooms)
    else()
        weir_room_objects(objects ${rooms})
        target_sources(${name} PRIVATE ${objects})
    endif()
endfunction()

# weir_register_test(NAME TIMEOUT LABELS COMMAND ...)
# A time-out is there for what hangs. It is given in seconds of a calm machine; a busy one may be
# slower by far.
function(weir_register_test name timeout labels)
    math(EXPR timeout "4 * ${timeout}")
    add_test(NAME ${name} ${ARGN})
    set_tests_properties(${name} PROPERTIES
        LABELS "${labels}"
        TIMEOUT ${timeout}
        SKIP_RETURN_CODE 77
        ENVIRONMENT "${WEIR_TEST_ENVIRONMENT}"
        FAIL_REGULAR_EXPRESSION "${WEIR_SANITIZER_REPORT}")
endfunction()

function(weir_unit_test name)
    cmake_parse_arguments(test "" "ROOM;TIMEOUT" "BELOW;SOURCES;LIBRARIES;LABELS" ${ARGN})
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 30)
    endif()
    weir_test_program(${name} ROOM ${test_ROOM} BELOW ${test_BELOW} SOURCES ${test_SOURCES}
                      LIBRARIES ${test_LIBRARIES})
    if(NOT TARGET PkgConfig::CRITERION)
        set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)
        return()
    endif()
    target_link_libraries(${name} PRIVATE PkgConfig::CRITERION)
    weir_register_test(${name} ${test_TIMEOUT} "unit;${test_ROOM};${test_LABELS}" COMMAND ${name})
endfunction()

function(weir_main_test name)
    cmake_parse_arguments(test "" "ROOM;TIMEOUT" "BELOW;SOURCES;LIBRARIES;LABELS;ARGUMENTS" ${ARGN})
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 60)
    endif()
    set(room "")
    if(test_ROOM)
        set(room ROOM ${test_ROOM})
    endif()
    weir_test_program(${name} ${room} BELOW ${test_BELOW} SOURCES ${test_SOURCES}
                      LIBRARIES ${test_LIBRARIES})
    weir_register_test(${name} ${test_TIMEOUT} "${test_ROOM};${test_LABELS}"
                       COMMAND ${name} ${test_ARGUMENTS})
endfunction()

set(WEIR_RING_PROFILES newest no_multishot no_defer_taskrun no_buffer_ring as_on_6.1)
function(weir_loopback_test name)
    cmake_parse_arguments(test "" "TIMEOUT" "SOURCES;LABELS" ${ARGN})
    if(NOT TARGET PkgConfig::CRITERION)
        return()
    endif()
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 60)
    endif()
    weir_test_program(${name}
        ROOM runtime BELOW runtime_ring base base_kernel framing term options address lookup
        LIBRARIES PkgConfig::liburing PkgConfig::libcares Threads::Threads
        SOURCES ${test_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/loopback.c)
    target_link_libraries(${name} PRIVATE PkgConfig::CRITERION)
    set(newest "")
    set(no_multishot "multishot_accept,multishot_receive")
    set(no_defer_taskrun "defer_taskrun")
    set(no_buffer_ring "buffer_ring")
    set(as_on_6.1 "kernel=6.1")
    foreach(profile IN LISTS WEIR_RING_PROFILES)
        weir_register_test(${name}_${profile} ${test_TIMEOUT}
                           "${test_LABELS};ring_${profile}" COMMAND ${name})
        set_property(TEST ${name}_${profile} APPEND PROPERTY
            ENVIRONMENT "WEIR_FEATURES_OFF=${${profile}}")
    endforeach()
endfunction()

add_custom_target(fuzzers)
function(weir_fuzz_test name)
    cmake_parse_arguments(test "" "ROOM;CORPUS" "BELOW;SOURCES;LIBRARIES" ${ARGN})
    set(room ROOM ${test_ROOM} BELOW ${test_BELOW} LIBRARIES ${test_LIBRARIES})
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${test_CORPUS})
    if(WEIR_FUZZ)
        weir_test_program(${name} ${room} SOURCES ${test_SOURCES})
        target_link_libraries(${name} PRIVATE ${WEIR_FUZZING_ENGINE})
        set_target_properties(${name} PROPERTIES
            LINKER_LANGUAGE CXX RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
        add_dependencies(fuzzers ${name})
        file(WRITE ${PROJECT_BINARY_DIR}/corpus/${name}.seeds ${corpus})
    else()
        weir_main_test(${name} ${room} LABELS fuzz ARGUMENTS ${corpus}
                       SOURCES ${test_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/replay.c)
    endif()
endfunction()
