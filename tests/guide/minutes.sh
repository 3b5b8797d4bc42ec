#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what docs/TEN_MINUTES.md says, in its order and in one shell, and compares what is on the
# screen with what it shows, where ... stands for anything. It is built already, so ./run build and
# ./run install become what they come to. Arguments: the top of the tree, the build folder, cmake.
set -euo pipefail
top=$1 build=$2 cmake=$3
page=$top/docs/TEN_MINUTES.md
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export HOME=$work/home WEIR=$top MANPAGER=cat MANWIDTH=80
# Whoever tests may not be whose tree it is.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
mkdir -p "$HOME" "$work/blocks"

wrong() {
    echo "minutes: $*"
    echo "--- on the screen since the last step:"
    tail -n +$((seen + 1)) "$work/screen"
    exit 1
}

# A tree that is no repository has nothing to clone.
[ -e "$top/.git" ] || { git init -q "$work/origin" && export WEIR=$work/origin; }

# Blocks by number, each in a file of its own that ends as its kind: 03.sh, 04.text, 05.c.
awk -v folder="$work/blocks" '
    /^```$/ { to = ""; next }
    to != "" { print > to }
    /^```(sh|text|c)$/ {
        to = sprintf("%s/%02d.%s", folder, ++count, substr($0, 4))
        printf "" > to
    }
    ' "$page"
# shellcheck disable=SC2016  # the quotes of the page
sed -nE 's/^`([a-z]+\.c)`:$/\1/p' "$page" >"$work/names"

# Ports that are free: those of servers that have been given one by the system.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
sed -i "s/\b7000\b/$(free_port)/g; s/\b7001\b/$(free_port)/g" "$work"/blocks/*

built=$(sed -nE 's/^ *say "(build\/release\/weir is built; .*)"$/\1/p' "$top/run")
[ -n "$built" ] || { echo "minutes: ./run says nothing of what it has built"; exit 1; }
played() {
    case $1 in
    build) mkdir -p build && ln -s "$build" build/release && echo "run: $built" ;;
    install) "$cmake" --install "$build" --prefix "$2" >/dev/null && echo "run: installed" ;;
    esac
}

# A line as it is shown, as a pattern.
pattern_of() {
    local line=${1//'...'/$'\1'}
    line=${line//\\/\\\\}
    line=${line//\*/\\*} line=${line//\?/\\?} line=${line//\[/\\[}
    printf '%s' "${line//$'\1'/*}"
}

# Whether the lines of the screen that are new are those of the text; "..." alone is any number.
matches() { # LINE OF THE TEXT, LINE OF THE SCREEN, both from 0
    local t=$1 s=$2
    while [ "$t" -lt ${#shown[@]} ]; do
        if [ "${shown[t]}" = ... ]; then
            for ((; s <= ${#screen[@]}; s++)); do
                matches $((t + 1)) "$s" && return 0
            done
            return 1
        fi
        # shellcheck disable=SC2053  # a pattern it is
        [ "$s" -lt ${#screen[@]} ] && [[ ${screen[s]} == $(pattern_of "${shown[t]}") ]] || return 1
        t=$((t + 1)) s=$((s + 1))
    done
    [ "$s" -eq ${#screen[@]} ]
}

compare() {
    local until=$((SECONDS + 30))
    mapfile -t shown <"$1"
    while mapfile -t screen < <(tail -n +$((seen + 1)) "$work/screen") && ! matches 0 0; do
        [ $SECONDS -lt $until ] || wrong "$(basename "$1") of the page is something else"
        sleep 0.05
    done
    seen=$((seen + ${#screen[@]}))
}

seen=0
: >"$work/screen"
cd "$work"
exec 3>>"$work/screen"
for block in "$work"/blocks/*; do
    case $block in
    *.sh)
        sed -i 's|^\./run |played |' "$block"
        command -v man >/dev/null || sed -i '/^man /d' "$block"
        set +e
        # shellcheck disable=SC1090  # what the page says
        . "$block" >&3 2>&3
        set -e
        ;;
    *.c)
        read -r name <"$work/names"
        sed -i 1d "$work/names"
        cp "$block" "$name"
        ;;
    *.text) compare "$block" ;;
    esac
done
[ ! -s "$work/names" ] || wrong "a program without its text"
