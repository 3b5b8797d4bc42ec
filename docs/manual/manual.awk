# SPDX-License-Identifier: MIT
# Reads the public headers, in which every comment at the left edge explains what follows it up to
# the next one; writes a page of section 3 for each such group, by the name of its first function or
# type, and what links each other name in it there; and the list of all functions.
#   -v out=FOLDER -v date=YYYY-MM-DD -v version=0.1.0
# FOLDER/man3/NAME.3, FOLDER/heads/HEADER (the comment at the head of each header, as roff) and
# FOLDER/links.sh, FOLDER/functions.tsv: page, function, header, one line.

function new_group(text) {
    group++
    header_of[group] = header
    comment[group] = text
    synopsis[group] = names[group] = kinds[group] = ""
}

function add_name(name, is_function) {
    if (name in group_of)
        return
    group_of[name] = group
    is_callable[name] = is_function
    names[group] = names[group] (names[group] == "" ? "" : " ") name
    order[++name_count] = name
}

function roff(line) {
    gsub(/\\/, "\\e", line)
    gsub(/-/, "\\-", line)
    if (line ~ /^[.']/)
        line = "\\\\\\&" line
    return line
}

# Names of pages and what stands in backquotes are bold.
function prose(line,    out, name) {
    line = roff(line)
    out = ""
    while (match(line, /`[^`]+`|weir_[a-z0-9_]+/)) {
        name = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (name ~ /^`/)
            out = out "\\fB" substr(name, 2, length(name) - 2) "\\fR"
        else if (name in group_of)
            out = out "\\fB" name "\\fR(3)"
        else
            out = out name
    }
    return out line
}

# Text in lines that are short enough for its linter.
function print_wrapped(text, file,    words, count, i, line) {
    count = split(text, words, / +/)
    line = ""
    for (i = 1; i <= count; i++) {
        if (line != "" && length(line) + length(words[i]) > 76) {
            print line > file
            line = ""
        }
        line = line (line == "" ? (words[i] ~ /^[.']/ ? "\\&" : "") : " ") words[i]
    }
    if (line != "")
        print line > file
}

function end_paragraph(file) {
    if (paragraph == "")
        return
    if (separator != "")
        print separator > file
    print_wrapped(prose(paragraph), file)
    paragraph = ""
    separator = ".PP"
}

# A comment as roff: paragraphs, numbered lists, and indented lines as they are. The first one has
# nothing before it.
function body(text, file,    lines, count, i, line, verbatim) {
    count = split(text, lines, "\n")
    paragraph = separator = ""
    for (i = 1; i <= count; i++) {
        line = lines[i]
        if (verbatim && line !~ /^    /) {
            print ".fi\n.RE" > file
            verbatim = 0
            separator = ".PP"
        }
        if (line ~ /^    / && (verbatim || paragraph == "")) {
            if (!verbatim)
                print ".RS 4\n.nf" > file
            verbatim = 1
            print roff(substr(line, 5)) > file
        } else if (line == "") {
            end_paragraph(file)
        } else if (match(line, /^([0-9]+\.|-) /)) {
            end_paragraph(file)
            separator = ".IP \"" roff(substr(line, 1, RLENGTH - 1)) "\" 4"
            paragraph = substr(line, RLENGTH + 1)
        } else {
            sub(/^ +/, "", line)
            paragraph = paragraph (paragraph == "" ? "" : " ") line
        }
    }
    end_paragraph(file)
    if (verbatim)
        print ".fi\n.RE" > file
}

function first_sentence(text) {
    gsub(/`/, "", text)
    gsub(/\n/, " ", text)
    gsub(/ +/, " ", text)
    sub(/^ /, "", text)
    if (match(text, /[.:;]( |$)/))
        text = substr(text, 1, RSTART - 1)
    return text
}

function verbatim_lines(text, file,    lines, count, i) {
    count = split(text, lines, "\n")
    for (i = 1; i <= count; i++)
        print roff(lines[i]) > file
}

# The types of the headers that a group's declarations name.
function types_of(g,    rest, name, list) {
    rest = synopsis[g]
    list = " "
    while (match(rest, /weir_[a-z0-9_]+/)) {
        name = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if ((name in group_of) && group_of[name] != g && !is_callable[name] &&
            index(list, " " name " ") == 0)
            list = list name " "
    }
    return substr(list, 2)
}

function write_page(g,    file, all, count, i, list, line) {
    count = split(names[g], all, " ")
    if (count == 0)
        return
    file = out "/man3/" all[1] ".3"
    printf ".TH %s 3 %s \"weir %s\" \"weir\"\n.SH NAME\n", toupper(all[1]), date, version > file
    line = all[1]
    for (i = 2; i <= count; i++)
        line = line ", " all[i]
    print_wrapped(line " \\- " roff(summary[g]), file)
    printf ".SH SYNOPSIS\n.nf\n#include <weir/%s>\n\n", header_of[g] > file
    verbatim_lines(synopsis[g], file)
    print ".fi" > file
    if (comment[g] != "") {
        print ".SH DESCRIPTION" > file
        body(comment[g], file)
    }
    print ".SH SEE ALSO" > file
    list = types_of(g)
    count = split(list, all, " ")
    for (i = 1; i <= count; i++)
        print ".BR " all[i] " (3)," > file
    print ".BR weir (7)" > file
    close(file)
    count = split(names[g], all, " ")
    for (i = 2; i <= count; i++)
        printf "ln -sf %s.3 \"%s/man3/%s.3\"\n", all[1], out, all[i] > (out "/links.sh")
}

function trim(text) {
    gsub(/WEIR_API |WEIR_CHECK_RESULT/, "", text)
    gsub(/ +;/, ";", text)
    gsub(/\n +;/, ";", text)
    return text
}

# A function's declaration, whose arguments stand below each other where one line has no room.
function laid_out(text,    edge, out, piece) {
    gsub(/[ \n]+/, " ", text)
    edge = index(text, "(")
    while (length(text) > 72 && match(substr(text, 1, 72), /,[^,]*$/) && RSTART > edge) {
        piece = substr(text, 1, RSTART)
        text = sprintf("%*s%s", edge, "", substr(text, RSTART + 2))
        out = out piece "\n"
    }
    return out text
}

# What a declaration is called.
function name_of(text,    flat) {
    flat = text
    gsub(/\n/, " ", flat)
    if (flat ~ /^enum weir_/ || flat ~ /^typedef struct weir_/) {
        match(flat, /weir_[a-z0-9_]+/)
        return substr(flat, RSTART, RLENGTH)
    }
    if (!match(flat, /weir_[a-z0-9_]+\(/))
        return ""
    return substr(flat, RSTART, RLENGTH - 1)
}

function declared(text,    name, is_function, is_opaque) {
    if (text ~ /^(typedef )?struct weir_[a-z_]+( weir_[a-z_]+)?;$/)
        return
    name = name_of(text)
    is_function = text ~ /^(WEIR_API|static inline)/
    if (name == "" && text !~ /^enum/)
        return
    # A function without a comment of its own belongs to those before it, a type begins anew.
    if (pending != "" || !group || header_of[group] != header || (!is_function && name != ""))
        new_group(pending)
    pending = ""
    if (is_function)
        sub(/^static inline /, "", text)
    text = trim(text)
    if (is_function || text ~ /^typedef [a-z]+ weir_[a-z_]+\(/)
        text = laid_out(text)
    synopsis[group] = synopsis[group] (synopsis[group] == "" ? "" : "\n") text
    if (name != "")
        add_name(name, is_function)
}

FNR == 1 {
    header = FILENAME
    sub(/.*\//, "", header)
    headers[++header_count] = header
    state = pending = ""
    seen_head = 0
}

# Comments at the left edge.
state == "" && /^\/\*/ {
    text = $0
    sub(/^\/\* ?/, "", text)
    state = "comment"
    remark = ""
    if (text ~ /SPDX/) {
        state = ""
        next
    }
    if (sub(/ *\*\/ *$/, "", text))
        state = "told"
    remark = text
    if (state == "comment")
        next
}
state == "comment" {
    text = $0
    if (sub(/ ?\*\/ *$/, "", text))
        state = "told"
    sub(/^ \* ?/, "", text)
    if (!(state == "told" && text ~ /^ *$/))
        remark = remark (remark == "" ? "" : "\n") text
}
state == "told" {
    state = ""
    if (!seen_head) {
        head[header] = remark
        seen_head = 1
    } else {
        pending = remark
    }
    next
}
# A comment with nothing right behind it says more of what stands before it.
state == "" && /^$/ {
    if (pending != "" && group && header_of[group] == header)
        comment[group] = comment[group] "\n\n" pending
    pending = ""
    next
}
state == "" && /^(WEIR_API|typedef|enum|static inline)/ {
    state = /^static inline/ ? "inline" : "declaration"
    declaration = ""
}
state == "inline" {
    if ($0 == "{") {
        declared(declaration ";")
        state = "body"
        next
    }
    declaration = declaration (declaration == "" ? "" : "\n") $0
    next
}
state == "body" {
    if ($0 == "}")
        state = ""
    next
}
state == "declaration" {
    if ($0 !~ /^#/)
        declaration = declaration (declaration == "" ? "" : "\n") $0
    if ($0 ~ /;( *\/\*.*)?$/ && (declaration !~ /\{/ || $0 ~ /^\}|\};/)) {
        sub(/ *\/\*[^*]*\*\/$/, "", declaration)
        declared(declaration)
        state = ""
    }
}

END {
    for (g = 1; g <= group; g++) {
        summary[g] = "a type of <weir/" header_of[g] ">"
        if (comment[g] != "")
            summary[g] = first_sentence(comment[g])
    }
    for (g = 1; g <= group; g++)
        write_page(g)
    for (i = 1; i <= header_count; i++) {
        file = out "/heads/" headers[i]
        body(head[headers[i]], file)
        close(file)
    }
    for (i = 1; i <= name_count; i++)
        if (is_callable[order[i]]) {
            split(names[group_of[order[i]]], all, " ")
            printf "%s\t%s\t%s\t%s\n", all[1], order[i], header_of[group_of[order[i]]],
                summary[group_of[order[i]]] > (out "/functions.tsv")
        }
}
