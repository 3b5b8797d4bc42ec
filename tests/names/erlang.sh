#!/bin/bash
# SPDX-License-Identifier: MIT
# The same inet configuration and the same name server: `weir resolve` and a real Erlang's
# gethostbyname and gethostbyaddr give the same hostent. Arguments: weir, the name server of the
# tests. Left out: answers with another id or question, which
# this Erlang believes; and a CNAME that was in the answer for another name, which it remembers.
set -euo pipefail
weir=$1 server=$2
command -v erl >/dev/null || { echo "erl is missing: ./run deps test"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
coproc SERVER { exec "$server"; }
read -r port <&"${SERVER[0]}"

printf '10.1.1.1 host.file alias.file\n10.1.1.2 alias.file\n::1 six.file\n' >"$work/hosts"
cat >"$work/rc" <<END
{resolv_conf,""}. {hosts_file,"$work/hosts"}. clear_search. {domain,"nowhere.test"}.
{host,{10,2,2,2},["Host.Rc","alias.rc"]}.
{search,["nx.test","known.test"]}. {nameserver,{127,0,0,1},$port}.
{lookup,[file,dns]}. {timeout,300}. {servfail_retry_timeout,20}. {retry,2}. {edns,0}.
END
names="host.file alias.file HOST.rc alias.rc six.file known.test Known.TEST. known several.test
    chain.test loop.test nothing.test nx.test servfail.test refused.test formerr.test notimp.test
    silent.test. another2.test wrongport.test truncated.test huge.test
    noedns.test nowhere.test. late.test second9.test 127.1 0x7f.1 ::1 nx.nx $(hostname)"
addresses="10.1.1.1 10.2.2.2 192.0.2.7 127.0.0.1 2001:db8::1 ::ffff:192.0.2.1"

export WEIR_INETRC=$work/rc ERL_INETRC=$work/rc
for name in $names; do
    for family in inet inet6; do
        echo "$name $family $("$weir" resolve "$name" --family $family 2>/dev/null || true)"
    done
done >"$work/weir"
for address in $addresses; do
    echo "$address - $("$weir" resolve "$address" 2>/dev/null || true)"
done >>"$work/weir"
WORK=$work erl -noshell -eval '
    {ok, Text} = file:read_file(filename:join(os:getenv("WORK"), "weir")),
    Term = fun(T) ->
        {ok, Tokens, _} = erl_scan:string(T ++ "."),
        {ok, Parsed} = erl_parse:parse_term(Tokens),
        Parsed
    end,
    Ask = fun(Name, "-") -> inet:gethostbyaddr(Name);
             (Name, Family) -> inet:gethostbyname(Name, list_to_atom(Family)) end,
    Sorted = fun({ok, H}) -> setelement(6, H, lists:sort(element(6, H))); (E) -> E end,
    Weir = fun({error, _} = E) -> E; (H) -> {ok, H} end,
    Differ = [{Name, Family, Erlang, Theirs}
        || Line <- string:lexemes(binary_to_list(Text), "\n"),
           [Name, Family, Answer] <- [string:split(Line, " ", all)],
           Erlang <- [Sorted(Ask(Name, Family))], Theirs <- [Sorted(Weir(Term(Answer)))],
           Erlang =/= Theirs],
    [io:format("~s ~s~n  erlang ~W~n  weir   ~W~n", [N, F, E, 20, W, 20])
     || {N, F, E, W} <- Differ],
    halt(length(Differ)).' || { echo "$? differences"; exit 1; }
wc -l <"$work/weir"
