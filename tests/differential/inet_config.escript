#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% Inet configurations, good and bad, and what a real Erlang's get_rc says of them.
%%   inet_config.escript generate SEED COUNT FOLDER    writes the files, prints a path a line
%%   inet_config.escript compare PATHS ANSWERS         compares with what `weir rc --batch` says
%% Left out or made alike, as weir differs on purpose:
%%   lookup, resolv_conf, hosts_file   weir leaves out what every start has, and shows [native,file]
%%   nsswitch_conf                     only methods that weir has: others mean native
%%   socks5_*                          not in weir
%%   hosts                             not in any order
%%   integers of 64 bits and more, characters above 255, functions, integers for files

-mode(compile).

main(["generate", Seed, Count, Folder]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    Files = system_files(Folder),
    [begin
         Path = filename:join(Folder, integer_to_list(N)),
         ok = file:write_file(Path, config(Files)),
         io:format("~s~n", [Path])
     end || N <- lists:seq(1, list_to_integer(Count))];
main(["compare", Paths, Answers]) ->
    logger:set_primary_config(level, none),
    Pairs = lists:zip(lines(Paths), lines(Answers)),
    Differences = [{P, W, E} || {P, A} <- Pairs, W <- [sorted(term(A))], E <- [erlang(P)], W =/= E],
    [begin
         {ok, Text} = file:read_file(P),
         io:format("~s~n~s~n  erlang ~p~n  weir   ~p~n", [P, Text, E -- W, W -- E])
     end || {P, W, E} <- lists:sublist(Differences, 5)],
    Empty = length([none || {_, "[]"} <- Pairs]),
    io:format("~w files, ~w of them without any effect, ~w differences~n",
              [length(Pairs), Empty, length(Differences)]),
    halt(case Differences =:= [] andalso Empty * 2 < length(Pairs) of true -> 0; false -> 1 end).

erlang(Path) ->
    inet_db:clear_hosts(),
    inet_db:reset(),
    [ets:delete(inet_db, K) || K <- [res_resolv_conf, res_resolv_conf_tm, res_resolv_conf_info,
                                     res_hosts_file, res_hosts_file_tm, res_hosts_file_info]],
    os:putenv("ERL_INETRC", Path),
    ok = case catch inet_config:init() of {'EXIT', Why} -> {Path, Why}; _ -> ok end,
    Rc = inet:get_rc() -- [{lookup, [native]}, {resolv_conf, "/etc/resolv.conf"},
                           {hosts_file, "/etc/hosts"}],
    sorted(case lists:keymember(lookup, 1, inet:get_rc()) of
               true -> Rc;
               false -> Rc ++ [{lookup, [native, file]}]
           end).

sorted(Rc) ->
    {Hosts, Others} = lists:partition(fun(T) -> element(1, T) =:= host end, Rc),
    lists:sort(Hosts) ++ Others.

term(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    Term.

lines(File) ->
    {ok, Bytes} = file:read_file(File),
    string:split(string:trim(binary_to_list(Bytes), trailing, "\n"), "\n", all).

pick(List) -> lists:nth(rand:uniform(length(List)), List).
below(N) -> rand:uniform(N) - 1.
some(Least, Most, Make) -> [Make() || _ <- lists:seq(1, Least + below(Most - Least + 1))].

%% Texts of numbers are not damaged: none may become a character above 255.
config(Files) ->
    case below(12) of
        0 -> damaged(lists:flatten(terms(Files, ["~p"])));
        _ -> terms(Files, ["~p", "~w", "~p"])
    end.

terms(Files, Layouts) ->
    some(1, 9, fun() -> [term_text(Files, pick(Layouts)), end_of_term()] end).

end_of_term() -> pick([".\n", ".\n", ".", ". ", ".% a comment.\n", " .\n\n"]) ++ pick(["\n", " "]).

term_text(Files, Layout) ->
    case below(200) of
        0 -> "";
        1 -> pick(["% nothing.\n clear_hosts", "'clear_ns'", "$a", "1.5", "#{a=>1}", "<<\"x\">>"]);
        _ -> io_lib:format(Layout, [term_of(Files)])
    end.

term_of(Files) ->
    case below(24) of
        0 -> {host, ip(), some(1, 3, fun name/0)};
        1 -> {host, ip(), some(1, 3, fun name/0)};
        2 -> mostly([{host, ip(), [name()]}],
                    [{host, bad_ip(), ["a"]}, {host, ip(), []}, {host, ip(), "name"},
                     {host, ip(), [a]}, {host, ip(), [name() | b]}]);
        3 -> {domain, mostly([name(), ""], ["a b", 5, dom, [300]])};
        4 -> {search, some(0, 3, fun name/0)};
        5 -> {search, mostly([[""], [name()]], ["ab", name(), [5], none, ["a b"], ["ok", bad]])};
        6 -> {nameserver, ip()};
        7 -> {nameserver, ip(), mostly([53, 5353, 0, 65535], [65536, -1, x])};
        8 -> {alt_nameserver, ip()};
        9 -> {alt_nameserver, mostly([ip()], [bad_ip()]), pick([53, 99])};
        10 -> {lookup, some(0, 3, fun method/0)};
        11 -> {lookup, mostly(["ab", [[1, 2]], [{a}], [], [1.5, dns]], [native, [native | file]])};
        12 -> {cache_size, number(0)};
        13 -> {cache_refresh, number(1)};
        14 -> {timeout, number(1)};
        15 -> {retry, number(1)};
        16 -> {pick([inet6, usevc]), mostly([true, false], [1, "true"])};
        17 -> {edns, mostly([0, false], [1, true])};
        18 -> {udp_payload_size, mostly([512, 1280, 4096], [511, big])};
        19 -> {servfail_retry_timeout, number(0)};
        20 -> {pick([udp, tcp, sctp]), mostly([inet_udp, inet_tcp, my_module], ["x", 5])};
        21 -> mostly([clear_hosts, clear_ns, clear_search, clear_cache, reset],
                     [unknown, {unknown, 1}, {}, {host}, {nameserver}, [], "x", {search, [], 1}]);
        22 -> {file, pick([hosts, resolv, host_conf_linux, host_conf_freebsd, host_conf_bsdos,
                           nsswitch_conf, hosts, resolv]), pick(Files)};
        23 -> mostly([{resolv_conf, pick(["" | Files])}, {hosts_file, pick(["", "/etc/x"])}],
                     [{file, nosuch, "/etc/hosts"}, {resolv_conf, relative}, {hosts_file, "etc"}])
    end.

number(Least) -> mostly([Least, 1000, 1001, 1999, 12345678901], [Least - 1, 1.0, x, "1"]).
mostly(Good, Bad) -> case below(10) of 0 -> pick(Bad); _ -> pick(Good) end.
method() -> pick([native, file, files, hosts, dns, bind, yp, nis, nisplus, nostring, other,
                  "dns", "file", "x"]).
name() -> pick(["a", "host", "Host", "www.example.com", "example.com", "x-y_z", "b\\c", "quo\"te",
                "tab\there", "h'q"]).
ip() ->
    case below(3) of
        0 -> {127, 0, 0, below(4)};
        1 -> {below(256), below(256), 0, 1};
        2 -> {pick([0, 16#fe80, 16#ff02, 16#2001]), below(3), 0, 0, 0, 0, 0, below(3)}
    end.
bad_ip() -> pick([{256, 0, 0, 1}, {1, 2, 3}, {-1, 0, 0, 0}, "127.0.0.1", any,
                  {65536, 0, 0, 0, 0, 0, 0, 0}]).

%% A file of any kind may be given for any other.
system_files(Folder) ->
    [begin
         Path = filename:join(Folder, "system" ++ integer_to_list(N)),
         ok = file:write_file(Path, some(0, 8, fun line/0)),
         Path
     end || N <- lists:seq(1, 40)] ++ ["/nosuch/file"].

line() -> [pick(["", "", " ", "\t"]), lists:join(pick([" ", "\t", "  "]), words()),
           pick(["", "", " # comment", "#x"]), pick(["\n", "\n", "\r\n"])].

words() ->
    Host = fun() -> pick(["a", "b.example.com", "Host", "c"]) end,
    case below(16) of
        0 -> [];
        1 -> ["#", "comment"];
        2 -> ["domain", Host()];
        3 -> ["domain"];
        4 -> ["nameserver", pick(["10.0.0.1", "10.2", "::1", "fe80::1%eth0", "x", "1.2.3.4%e"])];
        5 -> ["search" | unique(some(0, 3, Host))];
        6 -> ["lookup" | some(0, 3, fun() -> pick(["bind", "file", "x"]) end)];
        7 -> ["order", pick(["hosts,bind", "bind", "hosts,,nis", "x,y"])];
        8 -> ["order" | some(0, 3, fun() -> pick(["hosts,", "bind", ",yp"]) end)];
        9 -> ["hosts:" | some(1, 4, fun() -> pick(["files", "dns", "resolve", "myhostname",
                                                    "[NOTFOUND=return]"]) end)];
        10 -> ["hosts", pick(["local,bind", "continue", "dns,merge"])];
        11 -> [pick(["hosts", "bind", "nis"])];
        12 -> ["options", "ndots:2"];
        13 -> [pick(["fe80::1%eth0", "1.2.3.4%x", "::1%", "x%y", "%"]), Host()];
        _ -> [pick(["127.0.0.1", "10.1", "::1", "fe80::7", "1.2.3.x", "fe80::1%03"])
              | some(0, 3, Host)]
    end.

unique(List) -> lists:usort(List).

damaged(Text) ->
    {Before, After} = lists:split(below(length(Text) + 1), Text),
    case below(3) of
        0 -> Before;
        1 -> [Before, pick(["{", "}", "[", "\"", "'", "Var", ",", ". ", "end", " ", "|"]), After];
        2 -> [Before, case After of [] -> []; _ -> tl(After) end]
    end.
