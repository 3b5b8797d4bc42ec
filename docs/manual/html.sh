#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes HTML of the manual pages, each name of a page a link, and an index of them.
# Arguments: the folder of the pages, the folder to write to.
set -euo pipefail
pages=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
cp "$here/manual.css" "$out/"

link_names() {
    sed -E 's|<b>([A-Za-z_-]+)</b>\(([137])\)|<a href="\1.\2.html">\1(\2)</a>|g'
}

# What stands as it is has its lines already: mandoc breaks those that are indented once more.
whole_lines() {
    awk '/<pre/ { pre = 1 } !(pre && $0 == "<br/>") { print } /<\/pre>/ { pre = 0 }'
}

cell() { # page.section, text
    printf '<tr><td><a href="%s.html">%s</a></td><td>%s</td></tr>\n' "$1" "$2" \
        "$(sed 's/&/\&amp;/g; s/</\&lt;/g' <<<"$3")"
}

for page in "$pages"/man[137]/*; do
    mandoc -Thtml -O style=manual.css "$page" |
        sed 's|<head>|<head><meta name="viewport" content="width=device-width"/>|' |
        whole_lines | link_names >"$out/$(basename "$page").html"
done
{
    cat <<'END'
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>weir</title>
<meta name="viewport" content="width=device-width"/>
<link rel="stylesheet" href="manual.css"/></head><body>
<h1>weir</h1>
<p>Begin with <a href="weir.7.html">the overview</a>; the command is
<a href="weir.1.html">weir</a>.</p>
<table class="index">
END
    while IFS=$'\t' read -r _ function _ summary; do
        cell "$function.3" "$function" "$summary"
    done <"$pages/functions.tsv"
    printf '</table>\n</body></html>\n'
} >"$out/index.html"
