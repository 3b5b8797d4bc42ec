%% SPDX-License-Identifier: MIT
%% An echo server on gen_tcp: a process per connection, which asks for packets 100 at a time.
%% Arguments: {packet,_}, bytes of {buffer,_}.
-module(gen_tcp_echo).
-export([main/1]).

main([Packet, Buffer]) ->
    Options = [binary, {ip, {127,0,0,1}}, {packet, packet(Packet)}, {active, false},
               {nodelay, true}, {backlog, 4096}, {buffer, list_to_integer(Buffer)}],
    {ok, Listener} = gen_tcp:listen(0, Options),
    {ok, Port} = inet:port(Listener),
    io:format("listening on 127.0.0.1:~b~n", [Port]),
    accept(Listener).

packet("raw") -> raw;
packet("line") -> line;
packet(Bytes) -> list_to_integer(Bytes).

accept(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Connection = spawn(fun() -> begin_serving(Socket) end),
    ok = gen_tcp:controlling_process(Socket, Connection),
    Connection ! go,
    accept(Listener).

begin_serving(Socket) ->
    receive go -> ok end,
    ok = inet:setopts(Socket, [{active, 100}]),
    serve(Socket).

serve(Socket) ->
    receive
        {tcp, Socket, Data} ->
            _ = gen_tcp:send(Socket, Data),
            serve(Socket);
        {tcp_passive, Socket} ->
            _ = inet:setopts(Socket, [{active, 100}]),
            serve(Socket);
        _Ended ->
            gen_tcp:close(Socket)
    end.
