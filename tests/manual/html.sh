#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Looks at the pages as a browser shows them: each link goes somewhere, nothing is wider than a
# small screen but what can be scrolled by itself, the text is there, what is code has its lines and
# no more, and on a large screen no name in the index is broken.
# Arguments: the top of the tree, the folder of the pages.
set -euo pipefail
top=$1 pages=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "there is no chromium: ./run deps test"; exit 1; }
command -v mandoc >/dev/null || { echo "mandoc is missing: ./run deps test"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$top/docs/manual/html.sh" "$pages" "$work"

for target in $(cat "$work"/*.html | grep -oE 'href="[^"#]*' | sed 's/href="//' | sort -u); do
    [ -e "$work/$target" ] || { echo "a link to $target, which is not there"; exit 1; }
done

# The browser measures each page in a frame of a phone's width.
{
    echo '<!DOCTYPE html><body>'
    for page in index weir.7 weir.1 weir-serve.1 weir_send.3 weir_config.3; do
        echo "<iframe width=400 height=800 src=$page.html></iframe>"
    done
    echo "<iframe width=1000 height=800 src=index.html?large></iframe>"
    cat <<'END'
<script>
onload = () => {
    const said = [];
    for (const frame of document.querySelectorAll("iframe")) {
        const page = frame.contentDocument.documentElement;
        const size = frame.contentDocument.body.innerText.length;
        const inside = selector => [...frame.contentDocument.querySelectorAll(selector)];
        const names = inside("td a").every(a => a.getClientRects().length === 1);
        const lines = inside("pre").every(pre =>
            pre.clientHeight < 22 * (pre.textContent.split("\n").length + 1));
        const font = getComputedStyle(frame.contentDocument.body).fontFamily;
        said.push([frame.getAttribute("src"), page.scrollWidth <= 400 ? "fits" : "wide",
                   size > 300 && lines ? "text" : "empty", names ? "whole" : "broken",
                   font].join(" "));
    }
    document.title = "measured";
    document.body.innerText = said.join("\n");
};
</script>
END
} >"$work/measure.html"
timeout 60 "$browser" --headless --no-sandbox --disable-gpu --allow-file-access-from-files \
    --user-data-dir="$work/profile" --virtual-time-budget=10000 --dump-dom \
    "file://$work/measure.html" >"$work/dom" 2>"$work/log" || { cat "$work/log"; exit 1; }
said=$(grep -oE '[A-Za-z_.0-9-]+\.html(\?large)? (fits|wide) (text|empty) [a-z -]+' "$work/dom")
echo "$said"
[ "$(grep -cE ' text (whole|broken) sans-serif$' <<<"$said")" -eq 7 ]
[ "$(grep -c '\.html fits ' <<<"$said")" -eq 6 ]
grep -q 'large .* whole' <<<"$said"
