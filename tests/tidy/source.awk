# SPDX-License-Identifier: MIT
# Reads sources; prints every place that breaks a rule of docs/STYLE.md, and how long the functions
# are. Exit status 1 when there was one. Paths are relative to the top of the tree.

BEGIN {
    FUNCTION_LINES_MAX = 70; FILE_LINES_MAX = 600; LINE_COLUMNS_MAX = 100; MEDIAN_LINES_MAX = 12

    banned["strcpy"] = banned["strcat"] = banned["sprintf"] = "snprintf or memcpy"
    banned["vsprintf"] = "vsnprintf"
    banned["atoi"] = banned["atol"] = banned["atoll"] = banned["atof"] = "strtol, with its errors"
    banned["gets"] = banned["strtok"] = "fgets, strsep"
    banned["alloca"] = "an array of a fixed size"
    allocators["malloc"] = allocators["calloc"] = allocators["realloc"] = 1
    allocators["strdup"] = allocators["strndup"] = allocators["aligned_alloc"] = 1

    below["base"] = " "
    below["framing"] = " base "
    below["address"] = " base term "
    below["term"] = " base "
    below["options"] = " base framing term "
    below["lookup"] = " base address "
    below["runtime"] = " base framing term options address lookup "

    left_for_later = "(^|[^A-Za-z])(TO" "DO|FIX" "ME|XX" "X)([^A-Za-z]|$)"
}

function wrong(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    mistakes++
}

# The line without comments and without what stands in quotes.
function code_of(line,    out, start) {
    gsub(/\\["'\\]|'"'/, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    out = ""
    while (line != "") {
        start = index(line, in_comment ? "*/" : "/*")
        if (start == 0)
            return in_comment ? out : out line
        if (!in_comment)
            out = out substr(line, 1, start - 1)
        line = substr(line, start + 2)
        in_comment = !in_comment
    }
    return out
}

function calls(code, name) {
    return code ~ ("(^|[^A-Za-z0-9_.>])" name "[ ]*\\(")
}

function check_calls(code,    name) {
    for (name in banned)
        if (calls(code, name))
            wrong(name " is banned: " banned[name])
    # Tests, benchmarks and examples use the library from outside.
    if ((room in below || room == "tools") && FILENAME != "base/memory.c")
        for (name in allocators)
            if (calls(code, name))
                wrong(name ": memory comes from base/memory.h")
    # In tools it may be the C library's, as getline's is.
    if (room in below && FILENAME != "base/memory.c" && calls(code, "free"))
        wrong("free: memory goes back through base/memory.h")
    if (room in below && FILENAME != "base/thread.c" && calls(code, "pthread_create"))
        wrong("pthread_create: threads are started by base/thread.h")
    if (code ~ /\*\((const )?u?int(16|32|64)_t (const )?\*\)/)
        wrong("a cast is no way to read bytes: base/bytes.h")
}

function check_include(line,    path, parts) {
    if (line ~ /^#include <liburing/ && FILENAME !~ /^bench\// &&
        FILENAME != "runtime/ring/ring.c" && FILENAME != "tests/unit/runtime/ring_entry_test.c")
        wrong("only runtime/ring/ring.c includes liburing, and the test of what it asks for")
    if (line !~ /^#include "/ || !(room in below))
        return
    path = line
    gsub(/^#include "|".*$/, "", path)
    split(path, parts, "/")
    if (parts[1] != room && index(below[room], " " parts[1] " ") == 0)
        wrong("room " room " may not include \"" path "\"")
}

function add_function(lines) {
    functions_of[lines]++
    function_count++
    if (lines > longest)
        longest = lines
}

# So many lines the shortest `share` of the functions have at most.
function lines_at(share,    lines, seen) {
    for (lines = 0; lines <= longest && seen < function_count * share; lines++)
        seen += functions_of[lines]
    return lines - 1
}

# Layout puts a function's braces, and only those, at the very left.
function check_function(    lines) {
    if ($0 == "{")
        opened = FNR
    if ($0 != "}" || !opened)
        return
    lines = FNR - opened + 1
    if (lines > FUNCTION_LINES_MAX)
        wrong("a function of " lines " lines; " FUNCTION_LINES_MAX " is the most")
    if (FILENAME !~ /^(tests|bench)\//)
        add_function(lines)
    opened = 0
}

function end_file() {
    if (file != "" && file_lines > FILE_LINES_MAX) {
        printf "%s: %d lines; %d is the most\n", file, file_lines, FILE_LINES_MAX
        mistakes++
    }
}

FNR == 1 {
    end_file()
    file = FILENAME
    room = FILENAME
    sub(/\/.*/, "", room)
    in_comment = opened = 0
    is_c = FILENAME ~ /\.(c|h|cc)$/
    if (is_c && $0 != "/* SPDX-License-Identifier: MIT */")
        wrong("the first line names the licence")
}

{
    file_lines = FNR
    if (length($0) > LINE_COLUMNS_MAX)
        wrong("a line of " length($0) " columns; " LINE_COLUMNS_MAX " is the most")
    if ($0 ~ left_for_later)
        wrong("nothing is left for later")
    if (/exit 7[7]/ && (line_before $0) ~ /command -v/)
        wrong("a package that is missing is a failure, not a skip: ./run deps test has it")
    line_before = $0
}

is_c {
    code = code_of($0)
    check_calls(code)
    check_include($0)
    check_function()
}

END {
    end_file()
    median = lines_at(0.5)
    printf "%d functions: median %d lines, 90%% within %d, longest %d\n", function_count, median,
        lines_at(0.9), longest
    if (median > MEDIAN_LINES_MAX) {
        printf "the median function has %d lines; %d is the most\n", median, MEDIAN_LINES_MAX
        mistakes++
    }
    exit (mistakes > 0)
}
