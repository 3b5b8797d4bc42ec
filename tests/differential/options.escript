#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% Cases of setopts and getopts, and what a real Erlang answers to them.
%%   options.escript generate SEED COUNT        prints kind, options to set, names to read
%%   options.escript compare CASES ANSWERS      does each case and compares with weir's answer
%% Left out, because weir follows the document or does more (by option or value):
%%   active            the runtime keeps it; only values that are refused are here
%%   bit8, reuseport   this Erlang does not have them, nor weir's own extensions
%%   buffer            where sndbuf is set, which raises it in the document only
%%   packet, packet_size, exit_on_close, keepalive on udp, multicast_* on tcp: kept there without
%%                     any effect; weir reads them as the other protocol's
%%   multicast_if      set without effect here
%%   numbers that do not fit: this Erlang takes them modulo 2^32, weir refuses them, and negative
%%                     seconds of linger
%% Lists are applied back to front here, so they are given reversed.

main(["generate", Seed, Count]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    [print(Kind, [Option], request(Kind, [Option]))
     || Kind <- kinds(), Option <- options(Kind)],
    [begin
         Kind = pick(kinds()),
         List = [pick(options(Kind)) || _ <- lists:seq(1, rand:uniform(5))],
         print(Kind, List, request(Kind, List))
     end || _ <- lists:seq(1, list_to_integer(Count))];
main(["compare", Cases, Answers]) ->
    {ok, Listeners} = listeners(),
    Pairs = lists:zip(lines(Cases), lines(Answers)),
    Differences = [D || {C, A} <- Pairs, D <- differs(Listeners, C, A)],
    [io:format("~w ~w~n  erlang ~w~n  weir   ~w~n", [Kind, List, Erlang, Weir])
     || {Kind, List, Erlang, Weir} <- lists:sublist(Differences, 10)],
    io:format("~w cases, ~w differences~n", [length(Pairs), length(Differences)]),
    halt(case Differences of [] -> 0; _ -> 1 end).

kinds() -> [tcp, udp, tcp6, udp6].

pick(List) -> lists:nth(rand:uniform(length(List)), List).

print(Kind, List, Request) -> io:format("~w\t~w\t~w~n", [Kind, List, Request]).

is_udp(Kind) -> Kind =:= udp orelse Kind =:= udp6.
is_inet6(Kind) -> Kind =:= tcp6 orelse Kind =:= udp6.

flags(Name) -> [{Name, V} || V <- [true, false, 1, maybe, "true"]].
numbers(Name, Vs) -> [{Name, V} || V <- Vs ++ [infinity, "1", {1}, []]].

options(Kind) ->
    common() ++ case is_udp(Kind) of true -> udp_options(); false -> tcp_options() end
        ++ case is_inet6(Kind) of true -> inet6_options(); false -> inet_options() end.

common() ->
    lists:append([flags(N) || N <- [broadcast, dontroute, reuseaddr, recvtos, recvttl]])
        ++ numbers(buffer, [-5, 0, 1, 1000, 5000, 100000, 2147483647])
        ++ numbers(header, [0, 1, 77, -1, 2147483647])
        ++ numbers(recbuf, [-5, 0, 1, 3000, 9000, 50000])
        ++ numbers(sndbuf, [0, 1, 3000, 9000, 50000])
        ++ numbers(priority, [0, 3, 6])
        ++ numbers(tos, [0, 16, 255, 256, -1])
        ++ numbers(ttl, [1, 33, 255, 0, 256, -2])
        ++ numbers(high_msgq_watermark, [1, 100, 100000, 0, -1])
        ++ numbers(low_msgq_watermark, [1, 100, 100000, 0, -1])
        ++ numbers(read_packets, [1, 7, 0, -1])
        ++ numbers(high_watermark, [-1, 0, 5, 100, 10000])
        ++ numbers(low_watermark, [-1, 0, 5, 100, 10000])
        ++ numbers(send_timeout, [0, 5, 100000, -1, 4294967295])
        ++ [{send_timeout, infinity}]
        ++ [{linger, V} || V <- [{true, 0}, {true, 5}, {false, 0}, {true}, true, {5, true}, 5]]
        ++ [{mode, V} || V <- [binary, list, atom, 1]] ++ [binary, list, other]
        ++ [{deliver, V} || V <- [term, port, other, 0]]
        ++ [{active, V} || V <- [twice, 32768, -32769, "once", {once}]]
        ++ [{bind_to_device, V} || V <- [<<>>, <<"lo">>, <<"nosuch">>, "lo", lo]]
        ++ [{raw, 1, 2, <<1:32/native>>}, {raw, 6, 9999, <<1:32>>}, {raw, 6, 8, 5},
            {raw, 6, 8, "1234"}, {raw, -1, 8, <<>>}, {raw, x, 8, <<>>}, {raw, 6, 8}]
        ++ [{unknown, 1}, {1, 2}, {port, 1}, {ip, any}, {backlog, 5}, {fd, 3}, inet, inet6].

tcp_options() ->
    lists:append([flags(N) || N <- [nodelay, keepalive, delay_send, exit_on_close,
                                    send_timeout_close, show_econnreset, nopush]])
        ++ [{packet, V} || V <- [raw, 0, 1, 2, 4, asn1, cdr, sunrm, fcgi, tpkt, line, http, httph,
                                 http_bin, httph_bin, 3, 5, lines, "4"]]
        ++ numbers(packet_size, [0, 1, 100000, 4294967295, -1])
        ++ numbers(line_delimiter, [0, 10, 255])
        ++ [{raw, 6, 8, <<30:32/native>>}].

udp_options() ->
    flags(multicast_loop) ++ numbers(multicast_ttl, [1, 4, 255])
        ++ flags(nodelay) ++ flags(delay_send).

inet_options() ->
    flags(recvtclass) ++ flags(ipv6_v6only) ++ numbers(tclass, [0, 184])
        ++ [{add_membership, V} || V <- [{{224, 0, 0, 251}, {127, 0, 0, 1}}, {224, 0, 0, 251}]]
        ++ [{drop_membership, {{224, 0, 0, 251}, {127, 0, 0, 1}}}].

inet6_options() ->
    flags(recvtclass) ++ flags(ipv6_v6only) ++ numbers(tclass, [0, 184]).

request(Kind, List) ->
    [broadcast, dontroute, header, high_msgq_watermark, linger, low_msgq_watermark, mode, deliver,
     priority, read_packets, recvtclass, recvtos, recvttl, reuseaddr, tclass, tos, ttl,
     ipv6_v6only, bind_to_device, high_watermark, low_watermark, send_timeout, nodelay,
     delay_send, nopush, show_econnreset, send_timeout_close, {raw, 6, 8, 4}, {raw, 6, 9999, 4}]
        ++ case is_udp(Kind) of
               true -> [multicast_loop, multicast_ttl];
               false -> [packet, packet_size, exit_on_close, keepalive]
           end
        ++ [sndbuf || lists:keymember(sndbuf, 1, List)]
        ++ [recbuf || lists:keymember(recbuf, 1, List)]
        ++ [buffer || not lists:keymember(sndbuf, 1, List)].

%% Every socket is new. The watermarks begin alike: their defaults are the document's in weir. So do
%% the buffers of udp6, which this Erlang forgets to make as small as those of udp.
listeners() ->
    {ok, L} = gen_tcp:listen(0, [{ip, loopback}]),
    {ok, L6} = gen_tcp:listen(0, [inet6, {ip, loopback}]),
    {ok, #{tcp => L, tcp6 => L6}}.

open(udp, _) ->
    {ok, Socket} = gen_udp:open(0, []),
    {Socket, []};
open(udp6, _) ->
    {ok, Socket} = gen_udp:open(0, [inet6, {recbuf, 8192}]),
    {Socket, []};
open(Kind, Listeners) ->
    {ok, {Ip, Port}} = inet:sockname(maps:get(Kind, Listeners)),
    Family = case Kind of tcp -> inet; tcp6 -> inet6 end,
    {ok, Socket} = gen_tcp:connect(Ip, Port, [Family]),
    {ok, Accepted} = gen_tcp:accept(maps:get(Kind, Listeners)),
    {Socket, [Accepted]}.

differs(Listeners, Case, Answer) ->
    [Kind, List, Request] = [term(T) || T <- string:split(Case, "\t", all)],
    {Socket, Peers} = open(Kind, Listeners),
    ok = inet:setopts(Socket, [{high_watermark, 8192}]),
    ok = inet:setopts(Socket, [{low_watermark, 4096}]),
    Set = inet:setopts(Socket, lists:reverse(List)),
    {ok, Read} = inet:getopts(Socket, Request),
    [ok = inet:close(S) || S <- [Socket | Peers]],
    case term(Answer) of
        {Set, Read} -> [];
        {WeirSet, WeirRead} -> [{Kind, List, {Set, Read -- WeirRead}, {WeirSet, WeirRead -- Read}}]
    end.

term(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    Term.

lines(File) ->
    {ok, Bytes} = file:read_file(File),
    string:split(string:trim(binary_to_list(Bytes), trailing, "\n"), "\n", all).
