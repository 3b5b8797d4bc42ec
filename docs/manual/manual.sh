#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes the manual pages: of the library from the public headers (manual.awk), of the command from
# what its help says. Arguments: the top of the tree, the command weir, the folder to write to, and
# where the project lives.
set -euo pipefail
top=$1 weir=$2 out=$3 homepage=$4
here=$top/docs/manual
version=$("$weir" version | cut -d' ' -f2)
headers=$(ls "$top"/include/weir/*.h)
# shellcheck disable=SC2086
newest=$(stat -c %Y $headers | sort -n | tail -1)
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$newest}" +%Y-%m-%d)

# What a command says of itself, which is laid out by its indentation: paragraphs at the left edge;
# two blanks before a word or an option, and then, or below, what it is; four before what stays.
page_of() {
    sed 's/\\/\\e/g; s/-/\\-/g; s/\t/        /g' | awk '
        function become(next_one) {
            if (verbatim)
                print ".fi\n.RE"
            verbatim = 0
            within = next_one
        }
        function say(line) { # which "\-" has made longer
            if (length(line) > 76 && !verbatim && match(substr(line, 1, 76), / [^ ]*$/)) {
                say(substr(line, 1, RSTART - 1))
                return say(substr(line, RSTART + 1))
            }
            print (line ~ /^[.\x27]/ ? "\\&" : "") line
        }
        /^$/ {
            become("")
            next
        }
        /^  [^ ]/ {
            become("item")
            term = substr($0, 3)
            rest = match(term, /  +/) ? substr(term, RSTART + RLENGTH) : ""
            print ".TP\n.B " (rest == "" ? term : substr(term, 1, RSTART - 1))
            if (rest != "")
                say(rest)
            next
        }
        /^    / && within == "item" {
            sub(/^ +/, "")
            say($0)
            next
        }
        /^    / {
            if (!verbatim)
                print ".RS 4\n.nf"
            verbatim = 1
            within = "verbatim"
            say(substr($0, 5))
            next
        }
        {
            if (within != "text") {
                become("text")
                if (NR > 1)
                    print ".PP"
            }
            say($0)
        }
        END { become("") }'
}

title() { # name, section
    printf '.TH %s %s %s "weir %s" "weir"\n.SH NAME\n' "${1^^}" "$2" "$date" "$version"
}

command_page() { # command, one line
    local help
    help=$("$weir" help "$1")
    title "weir-$1" 1
    printf 'weir-%s \\- %s\n.SH SYNOPSIS\n.nf\n' "${1//-/\\-}" "${2//-/\\-}"
    sed -n '1s/^usage: //; 1s/-/\\-/g; 1p' <<<"$help"
    printf '.fi\n'
    if [ "$(wc -l <<<"$help")" -gt 4 ]; then
        printf '.SH DESCRIPTION\n'
        tail -n +5 <<<"$help" | page_of
    fi
    printf '.SH SEE ALSO\n.BR weir (1)\n'
}

weir_page() {
    title weir 1
    cat <<'END'
weir \- serve, make load, decode, look up, and say what this machine can do
.SH SYNOPSIS
.nf
weir COMMAND ...
.fi
.SH DESCRIPTION
The command that comes with the library of this name, of which
.BR weir (7)
is the overview.
.SH COMMANDS
END
    while read -r name help; do
        printf '.TP\n.BR weir\\-%s (1)\n%s\n' "$name" "${help//-/\\-}"
    done <<<"$commands"
    printf '.SH SEE ALSO\n.BR weir (7)\n'
}

overview_page() {
    local header seen='weir version option_list'
    title weir 7
    cat <<'END'
weir \- a per\-core io_uring socket runtime with the semantics of Erlang's inet
.SH SYNOPSIS
.nf
#include <weir/weir.h>

cc server.c $(pkg\-config \-\-cflags \-\-libs weir)
.fi
.SH DESCRIPTION
END
    cat "$out/heads/weir.h"
    # In the order in which one reads them; then whatever else there is.
    for header in runtime socket packet options $(ls "$out/heads"); do
        header=${header%.h}
        case " $seen " in *" $header "*) continue ;; esac
        seen="$seen $header"
        printf '.SH %s\n' "${header^^}"
        cat "$out/heads/$header.h"
    done
    printf '.SH FUNCTIONS\n'
    while IFS=$'\t' read -r _ function _ summary; do
        printf '.TP\n.BR %s (3)\n' "$function"
        fold -s -w 76 <<<"${summary//-/\\-}" | sed -e 's/ *$//' -e "s/^[.']/\\\\\\&&/"
    done <"$out/functions.tsv"
    printf '.SH SEE ALSO\n.BR weir (1),\n%s\n' "${homepage//-/\\-}"
}

rm -rf "$out"
mkdir -p "$out/man1" "$out/man3" "$out/man7" "$out/heads"
# shellcheck disable=SC2086
awk -v out="$out" -v date="$date" -v version="$version" -f "$here/manual.awk" $headers
sh "$out/links.sh"
commands=$("$weir" help | sed -n 's/^  \([a-z]*\)  *\(.*\)/\1 \2/p')
while read -r name help; do
    command_page "$name" "$help" >"$out/man1/weir-$name.1"
done <<<"$commands"
weir_page >"$out/man1/weir.1"
overview_page >"$out/man7/weir.7"
