#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The verbs of ./run, as a user calls them: help, mistakes, that building shows that it goes on, and
# that what tests need is installed first. Argument: the top of the tree.
set -uo pipefail
top=$1
. "$(dirname "$0")/played.sh"

# The command that it builds says how it was called.
stand_in cmake <<END
[ "\$1" = --build ] || exit 0
echo "[1/2] Building C object"
mkdir -p "\$2"
printf '#!/bin/sh\necho "weir \$*"\n' >"\$2/weir"
chmod +x "\$2/weir"
echo "[2/2] Linking C executable weir"
END

for how in "" help -h --help; do
    # shellcheck disable=SC2086  # none, or one
    expect 0 "usage: ./run VERB" ./run $how
done
for verb in deps build serve test bench lint install package docs abi home fuzz sim mutate clean \
    help; do
    grep -q "^$verb " <(cd "$tree" && ./run help) || wrong "help says nothing of $verb"
    expect 0 "$verb " ./run help "$verb"
    expect 0 "$verb " ./run "$verb" --help
done
[ "$(cd "$tree" && ./run help | grep -c '^[a-z]')" = 17 ] || wrong "a verb is not in this test"
expect 2 "there is no verb 'nosuch'; ./run help lists them" ./run nosuch
expect 2 "there is no verb 'nosuch'" ./run help nosuch
expect 2 "'more' is one argument too many" ./run build more
expect 2 "there is no preset 'nosuch'" ./run test nosuch
expect 2 "there is no set of packages 'nosuch'" ./run deps nosuch
expect 2 "a number of seconds, not 'long'" ./run fuzz long
grep -v '^dpkg-query' "$calls" && wrong "a mistake or a question did something"

expect 0 "" ./run build
grep -qF "run: build/release/weir is built; './run install' puts it" "$work/err" ||
    wrong "build: what there is now is not said"
rm -rf "$tree/build"

# Where it lives is set in one place, and what it was nowhere else.
was=$(sed -nE 's|^set\(weir_homepage "https?://([^/"]*).*|\1|p' "$tree/CMakeLists.txt")
expect 0 "https://$was" ./run home
for file in debian/control debian/changelog debian/copyright tests/fuzz/oss-fuzz/Dockerfile \
    tests/fuzz/oss-fuzz/project.yaml; do
    cmp "$top/$file" "$tree/$file" || wrong "$file is another's: './run home'"
done
sed -i "/^set(weir_/s/$was/elsewhere.example/" "$tree/CMakeLists.txt"
expect 0 "https://elsewhere.example" ./run home
grep -rF "$was" "$tree" && wrong "that has to be said by ./run home too"
[ "$(cd "$tree" && grep -rlF elsewhere.example CMakeLists.txt debian tests/fuzz | wc -l)" = 6 ] ||
    wrong "home: not everywhere"

# Standard output is the server's own.
expect 0 "weir serve echo --listen 127.0.0.1:7000" ./run serve
grep -q "building build/release/weir, which takes a minute" "$work/err" || wrong "serve: silent"
grep -qF "[1/2] Building" "$work/err" || wrong "serve: no progress is to be seen"
grep -q "run: build/release/weir serve 'echo'" "$work/err" || wrong "serve: what runs is not said"
grep -v '^weir serve' "$work/out" && wrong "serve: more than the server's own words"
expect 0 "weir serve http --listen 127.0.0.1:0" ./run serve http --listen 127.0.0.1:0
grep -q "takes a minute" "$work/err" && wrong "serve: it is built already"

# A test that would lack a package gets it.
echo wrk >"$work/missing"
expect 0 "" ./run test
called '^apt-get install .* wrk$'
called '^cmake --preset dev -DBUILD_TESTING=ON$'
called '^ctest --preset dev .*--no-tests=error'
expect 0 "" ./run test asan-ubsan
called '^ctest --preset asan-ubsan '
expect 0 "" ./run clean
[ ! -e "$tree/build" ] || wrong "clean: something is left"

# Whatever a test calls for is a package of the list.
for tool in curl:curl wrk:wrk h2load:nghttp2-client nc:netcat-openbsd escript:erlang-base \
    erl:erlang-base unbound:unbound mandoc:mandoc chromium:chromium abidiff:abigail-tools zip:zip \
    unzip:unzip dh:debhelper lintian:lintian clang++:clang ip:iproute2; do
    sed -n '/^test_packages=/,/"$/p' "$tree/run" | grep -qw -e "${tool#*:}" ||
        wrong "./run deps test does not install ${tool#*:} for ${tool%%:*}"
done
exit $failed
