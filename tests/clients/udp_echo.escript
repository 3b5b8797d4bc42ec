%% SPDX-License-Identifier: MIT
%% A real Erlang talks gen_udp to `weir serve udp-echo`. Argument: port.
%%! -kernel inet_dist_use_interface {127,0,0,1}

main([Text]) ->
    Port = list_to_integer(Text),
    {ok, S} = gen_udp:open(0, [binary, {active, once}, {recbuf, 300000}, {buffer, 65536}]),
    lists:foreach(fun(N) -> active(S, Port, N) end, [0, 1, 64, 1400, 8192]),
    ok = inet:setopts(S, [{active, false}]),
    lists:foreach(fun(N) -> runs(S, Port, N) end, [1, 64, 1400]),
    truncated(S, Port),
    connected(Port),
    io:format("ok~n").

data(N) -> binary:copy(<<N>>, N).

active(S, Port, N) ->
    Data = data(N),
    ok = gen_udp:send(S, {127,0,0,1}, Port, Data),
    receive {udp, S, {127,0,0,1}, Port, Data} -> ok after 60000 -> error({no_echo, N}) end,
    ok = inet:setopts(S, [{active, once}]).

%% Behind each other: they leave as one send, and arrive as they were.
runs(S, Port, N) ->
    All = [<<I, (data(N))/binary>> || I <- lists:seq(1, 40)],
    [ok = gen_udp:send(S, {127,0,0,1}, Port, Data) || Data <- All],
    [{ok, {{127,0,0,1}, Port, Data}} = gen_udp:recv(S, 0, 60000) || Data <- All].

%% The service's {buffer,_} is 8192.
truncated(S, Port) ->
    ok = gen_udp:send(S, {127,0,0,1}, Port, data(9000)),
    {ok, {{127,0,0,1}, Port, Data}} = gen_udp:recv(S, 0, 60000),
    8192 = byte_size(Data).

connected(Port) ->
    {ok, S} = gen_udp:open(0, [binary, {active, false}]),
    ok = gen_udp:connect(S, {127,0,0,1}, Port),
    ok = gen_udp:send(S, <<"hello">>),
    {ok, {_, Port, <<"hello">>}} = gen_udp:recv(S, 0, 60000).
