%% SPDX-License-Identifier: MIT
%% A UDP echo server on gen_udp: one process, which asks for datagrams 100 at a time.
-module(gen_udp_echo).
-export([main/0]).

main() ->
    {ok, Socket} = gen_udp:open(0, [binary, {ip, {127,0,0,1}}, {active, 100},
                                    {read_packets, 64}, {recbuf, 4194304}, {buffer, 8192}]),
    {ok, Port} = inet:port(Socket),
    io:format("listening on 127.0.0.1:~b~n", [Port]),
    serve(Socket).

serve(Socket) ->
    receive
        {udp, Socket, Address, Port, Data} ->
            _ = gen_udp:send(Socket, Address, Port, Data);
        {udp_passive, Socket} ->
            ok = inet:setopts(Socket, [{active, 100}])
    end,
    serve(Socket).
