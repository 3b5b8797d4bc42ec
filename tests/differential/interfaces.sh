#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir interfaces` with a real Erlang's getifaddrs, on this machine's interfaces and, as
# root, on some of every kind in a network namespace. Argument: weir. It needs an
# Erlang.
set -eu
weir=$1
command -v erl >/dev/null || { echo "erl is missing: ./run deps test"; exit 1; }

if [ "${2:-}" = inside ]; then
    ip link set lo up
    ip link add v0 type veth peer name v1
    ip link set v0 up
    ip link set v1 up
    ip address add 10.9.0.1/24 broadcast + dev v0
    ip address add 10.9.1.1/24 dev v0
    ip address add 10.9.9.9/16 label v0:1 dev v0
    ip address add fd00::1/64 dev v0 nodad
    ip address add 10.8.0.1 peer 10.8.0.2/32 dev v1
    ip tuntap add t0 mode tun && ip address add 10.7.0.1 peer 10.7.0.2 dev t0 && ip link set t0 up
    ip tuntap add t1 mode tap
fi

# An interface may be coming up meanwhile: only what weir saw before and after counts. `running` is
# left out: this Erlang says it of every interface that is up, weir of those that have a carrier.
WEIR="$weir" erl -noshell -eval '
    Weir = fun() ->
        Lines = string:lexemes(os:cmd(os:getenv("WEIR") ++ " interfaces"), "\n"),
        Terms = lists:join($,, [string:trim(Line, trailing, ".") || Line <- Lines]),
        {ok, Tokens, _} = erl_scan:string(lists:flatten(["[", Terms, "]."])),
        {ok, Term} = erl_parse:parse_term(Tokens),
        Term
    end,
    Compare = fun Compare() ->
        Before = Weir(),
        {ok, Erlang} = inet:getifaddrs(),
        case Weir() of Before -> {Before, Erlang}; _ -> Compare() end
    end,
    Alike = fun(List) -> [{Name, [{flags, Flags -- [running]} | Rest]}
                          || {Name, [{flags, Flags} | Rest]} <- List] end,
    {Ours, Theirs} = Compare(),
    case {Alike(Ours), Alike(Theirs)} of
        {[_ | _] = Same, Same} -> io:format("~w interfaces~n", [length(Same)]), halt(0);
        {W, E} -> io:format("erlang ~p~nweir ~p~n", [E -- W, W -- E]), halt(1)
    end.'
[ "${2:-}" = inside ] && exit 0
if [ "$(id -u)" -eq 0 ] && unshare -n ip link add v0 type veth peer name v1 2>/dev/null; then
    exec unshare -n "$0" "$weir" inside
fi
echo "no network namespace to make interfaces in"
