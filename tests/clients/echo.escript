%% SPDX-License-Identifier: MIT
%% A real Erlang talks gen_tcp to `weir serve echo`. Arguments: packet type, port.
%%! -kernel inet_dist_use_interface {127,0,0,1}

main([Type, Port]) ->
    Packet = list_to_type(Type),
    Options = [binary, {packet, Packet}, {active, once}, {nodelay, true}, {buffer, 200000}],
    {ok, S} = gen_tcp:connect({127,0,0,1}, list_to_integer(Port), Options),
    lists:foreach(fun(N) -> one(S, Packet, N) end, lists:seq(1, 200)),
    pipelined(S, Packet, 500),
    passive(S, Packet),
    ok = gen_tcp:shutdown(S, write),
    {error, closed} = gen_tcp:recv(S, 0, 60000),
    io:format("ok~n").

list_to_type("4") -> 4;
list_to_type("2") -> 2;
list_to_type("1") -> 1;
list_to_type(Type) -> list_to_atom(Type).

data(line, N) -> iolist_to_binary([lists:duplicate(N, $a + N rem 26), $\n]);
data(1, N) -> binary:copy(<<N>>, N rem 256);
data(2, N) -> binary:copy(<<N>>, N * 300 rem 65536);
data(4, N) -> binary:copy(<<N>>, N * 997).

%% {active, once}: exactly one message, each time it is asked for.
one(S, Packet, N) ->
    Data = data(Packet, N),
    ok = gen_tcp:send(S, Data),
    receive {tcp, S, Data} -> ok after 60000 -> error({no_echo, N}) end,
    ok = inet:setopts(S, [{active, once}]).

pipelined(S, Packet, Count) ->
    spawn_link(fun() -> [ok = gen_tcp:send(S, data(Packet, N rem 50 + 1)) || N <- lists:seq(1, Count)] end),
    lists:foreach(fun(N) ->
        Data = data(Packet, N rem 50 + 1),
        receive {tcp, S, Data} -> ok after 60000 -> error({not_in_order, N}) end,
        ok = inet:setopts(S, [{active, once}])
    end, lists:seq(1, Count)).

passive(S, Packet) ->
    ok = inet:setopts(S, [{active, false}]),
    Data = data(Packet, 7),
    ok = gen_tcp:send(S, [Data]),
    {ok, Data} = gen_tcp:recv(S, 0, 60000).
