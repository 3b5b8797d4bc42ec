# SPDX-License-Identifier: MIT
# Every place of a C file that can be changed, one a line:
#   path TAB first line TAB last line TAB kind TAB what was there TAB what is there instead
#   TAB the line before
# Kinds: operator, turned (a condition), left_out (a statement), success (an error returned as 0).
# The layout is clang-format's, so operators of two sides stand between blanks. Checks are no
# behaviour, and are left alone.

BEGIN {
    swap["=="] = "!="; swap["!="] = "=="; swap["<"] = "<="; swap["<="] = "<"
    swap[">"] = ">="; swap[">="] = ">"; swap["&&"] = "||"; swap["||"] = "&&"
    swap["+"] = "-"; swap["-"] = "+"; swap["*"] = "/"; swap["/"] = "*"; swap["%"] = "/"
    swap["&"] = "|"; swap["|"] = "&"; swap["<<"] = ">>"; swap[">>"] = "<<"
    swap["+="] = "-="; swap["-="] = "+="; swap["&="] = "|="; swap["|="] = "&="
}

{ line[NR] = $0 }

# The same text with what is no code made blank.
function bare(text,    out, i, c, quote) {
    out = ""
    quote = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (in_comment) {
            if (substr(text, i, 2) == "*/") {
                in_comment = 0
                out = out "  "
                i++
                continue
            }
            c = " "
        } else if (quote) {
            if (c == "\\") {
                out = out "__"
                i++
                continue
            }
            if (c == quote)
                quote = ""
            else
                c = "_"
        } else if (c == "\"" || c == "'") {
            quote = c
        } else if (substr(text, i, 2) == "/*") {
            in_comment = 1
            c = " "
        }
        out = out c
    }
    return out
}

function depth(text,    opened, closed) {
    opened = gsub(/\(/, "(", text)
    closed = gsub(/\)/, ")", text)
    return opened - closed
}

function trimmed(text) {
    sub(/^ +/, "", text)
    return text
}

function emit(kind, instead) {
    printf "%s\t%d\t%d\t%s\t%s\t%s\t%s\n", FILENAME, first, last, kind, trimmed(whole),
        instead, trimmed(line[first - 1])
}

function put(at, size, new) {
    return substr(whole, 1, at - 1) new substr(whole, at + size)
}

# The smaller or larger of two is the same one where both are equal.
function chooses_of_two(at, size,    before, behind, one, two) {
    before = substr(code, 1, at - 2)
    behind = substr(code, at + size + 1)
    if (substr(code, at, size) !~ /^[<>]=?$/ || !match(before, /[a-z_A-Z0-9.>-]+$/) ||
        substr(before, 1, RSTART - 1) ~ /[-+*\/%] $/)
        return 0
    one = substr(before, RSTART)
    two = substr(behind, 1, index(behind, " ? ") - 1)
    behind = substr(behind, length(two) + 4)
    return match(behind, /^[^ ]+ : [a-z_A-Z0-9.>-]+[,;)]/) &&
           (index(behind, one " : " two) == 1 || index(behind, two " : " one) == 1)
}

# What is compared beside a planted bug is so in a build with planted bugs alone.
function without_canary(    from, size, dead) {
    if (!match(code, /CANARY\([A-Z_]+\) && [^?;|]+/))
        return code
    from = RSTART
    size = RLENGTH
    dead = substr(code, from, size)
    gsub(/[-+*\/%<>=!]/, "_", dead)
    return substr(code, 1, from - 1) dead substr(code, from + size)
}

function operators(    i, token, live) {
    live = without_canary()
    for (i = 1; i < length(code); i++) {
        if (substr(live, i, 1) == " " && match(substr(live, i + 1), /^[-+*\/%&|<>=!]+ /)) {
            token = substr(live, i + 1, RLENGTH - 1)
            if (token in swap && !chooses_of_two(i + 1, length(token)))
                emit("operator", put(i + 1, length(token), swap[token]))
        } else if (substr(code, i, 2) == "++") {
            emit("operator", put(i, 2, "--"))
        } else if (substr(code, i, 2) == "--") {
            emit("operator", put(i, 2, "++"))
        }
    }
}

# The parenthesis that closes the one at `at`.
function closing(at,    i, level) {
    for (i = at; i <= length(code); i++) {
        level += substr(code, i, 1) == "(" ? 1 : substr(code, i, 1) == ")" ? -1 : 0
        if (level == 0)
            return i
    }
    return 0
}

function turned(    open, close_) {
    if (!match(code, /^ +(\} )?(else )?(if|while) \(/))
        return
    open = RSTART + RLENGTH - 1
    close_ = closing(open)
    if (close_)
        emit("turned", substr(whole, 1, open) "!(" substr(whole, open + 1, close_ - open - 1) ")" \
                       substr(whole, close_))
}

function results() {
    if (code ~ /^ +return true;/)
        emit("operator", put(index(code, "true"), 4, "false"))
    else if (code ~ /^ +return false;/)
        emit("operator", put(index(code, "false"), 5, "true"))
    else if (code ~ /^ +return (-E|WEIR_[A-Z]+;|result;|error_say)/)
        emit("success", substr(whole, 1, match(whole, /[^ ]/) - 1) "return 0;")
}

# What comes next is the end of a switch, which a break there only says.
function ends_switch(    indent, i) {
    if (!match(line[last + 1], /^ *}/))
        return 0
    indent = substr(line[last + 1], 1, RLENGTH - 1)
    for (i = first; i > 0; i--)
        if (line[i] ~ "^" indent "[^ }]" && line[i] !~ /^ *(case|default)/)
            return line[i] ~ /^ *switch/
    return 0
}

function statement(    text) {
    text = trimmed(code)
    if (text ~ /^(CHECK|return|goto|case|default|else|if|while|for|do|switch|continue)/)
        return 0
    if (text ~ /^\(void\)[a-z_]+;$/ || (text == "break;" && ends_switch()))
        return 0
    return text ~ /^(\(void\)!?)?[a-z_][][a-z_0-9.>-]*\(.*\);$/ ||
           text ~ /^\*?[a-z_][][a-z_0-9.>()-]* [-+|&<>*]*= .*;$/ ||
           text ~ /^[^ ]+(\+\+|--);$/ || text == "break;"
}

# Lines that belong together, as one: up to where the parentheses are closed and a statement or
# a block's head ends.
function join(at,    text) {
    first = at
    whole = line[at]
    code = bare(whole)
    while (at < NR && (depth(code) > 0 || code !~ /[;{}:]$|\)$|^ *(else|do)$/)) {
        text = line[++at]
        sub(/^ +/, " ", text)
        whole = whole text
        code = code bare(text)
    }
    last = at
}

END {
    for (at = 1; at <= NR; at = last + 1) {
        first = last = at
        if (line[at] ~ /^[^ ]/ || line[at] ~ /^ *$/ || line[at] ~ /^ *\/?\*/) {
            bare(line[at])
            continue
        }
        join(at)
        if (code !~ /^    / || code ~ /CHECK/ || whole ~ /\\$/)
            continue
        if (code ~ /^ *if \(CANARY\(.*\{$/ && code !~ /\|\|/) { # what only a planted bug does
            match(code, /^ */)
            while (line[last] !~ "^" substr(code, 1, RLENGTH) "}")
                last++
            continue
        }
        operators()
        turned()
        results()
        if (statement())
            emit("left_out", substr(whole, 1, match(whole, /[^ ]/) - 1) ";")
    }
}
