# Flags that every target of this project is built with, as one interface library.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

option(WEIR_WERROR "Treat warnings as errors" OFF)
set(WEIR_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")
option(WEIR_COVERAGE "Instrument for coverage" OFF)
option(WEIR_LTO "Optimise across files: 3% of a pipelined request (gcc)" OFF)
option(WEIR_FUZZ "Build the libFuzzer harnesses (clang)" OFF)
set(WEIR_FUZZING_ENGINE -fsanitize=fuzzer CACHE STRING "What links a harness to its engine")
option(WEIR_BENCH "Build the benchmarks" ON)
option(WEIR_SHARED_ROOMS "Have tests take the rooms from one shared library" OFF)

# Where weir is a part of something else, that decides.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_library(weir_compiler INTERFACE)
target_compile_definitions(weir_compiler INTERFACE _GNU_SOURCE)
target_compile_options(weir_compiler INTERFACE
    -Wall -Wextra -Wshadow -Wvla -Wundef -Wpointer-arith -Wwrite-strings
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>
    -fno-common -fno-omit-frame-pointer
    $<$<BOOL:${WEIR_WERROR}>:-Werror>)

if(WEIR_SANITIZE)
    target_compile_options(weir_compiler INTERFACE
        -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(weir_compiler INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()
if(WEIR_FUZZ)
    target_compile_options(weir_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Fat objects have plain code, too: that is what libweir.a gets.
set(WEIR_WHOLE_FLAGS "")
if(WEIR_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(WEIR_WHOLE_FLAGS -fno-lto)
    target_compile_options(weir_compiler INTERFACE -flto=auto -ffat-lto-objects)
    target_link_options(weir_compiler INTERFACE -flto=auto)
endif()
if(WEIR_COVERAGE)
    target_compile_options(weir_compiler INTERFACE --coverage)
    target_link_options(weir_compiler INTERFACE --coverage)
endif()
