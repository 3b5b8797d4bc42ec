%% SPDX-License-Identifier: MIT
%% The remote end of a program, on plain sockets of the kernel. remote.c has the same in C.
-module(remote).
-export([new/1, act/2, act/3, port/1, met_port/1]).

new(Address) -> #{address => Address, port => none, met => none}.

%% Its own port, and the port of the socket that it met.
port(#{port := Port}) -> Port.
met_port(#{met := Met}) -> Met.

act(Act, Remote) -> act(Act, none, Remote).

act(connect, Port, Remote = #{address := Address}) ->
    S = open(),
    ok = socket:connect(S, #{family => inet, addr => Address, port => Port}),
    met(S, Remote#{s => S});
act(listen, _, Remote = #{address := Address}) ->
    L = open(),
    ok = socket:bind(L, #{family => inet, addr => Address, port => 0}),
    ok = socket:listen(L),
    {ok, #{port := Port}} = socket:sockname(L),
    {"ok", Remote#{l => L, port := Port}};
act(accept, _, Remote = #{l := L}) ->
    {ok, S} = socket:accept(L),
    ok = socket:close(L),
    met(S, maps:remove(l, Remote#{s => S}));
act({send, Bytes}, _, Remote = #{s := S}) ->
    _ = socket:send(S, Bytes),
    {"ok", Remote};
act(finish, _, Remote = #{s := S}) ->
    _ = socket:shutdown(S, write),
    {"ok", Remote};
act(close, _, Remote = #{s := S}) ->
    ok = socket:close(S),
    {"ok", maps:remove(s, Remote)};
act(reset, Port, Remote = #{s := S}) ->
    ok = socket:setopt(S, {socket, linger}, #{onoff => true, linger => 0}),
    act(close, Port, Remote);
act(udp, Port, Remote = #{address := Address}) ->
    {ok, S} = socket:open(inet, dgram, udp),
    ok = socket:bind(S, #{family => inet, addr => Address, port => 0}),
    ok = socket:connect(S, #{family => inet, addr => Address, port => Port}),
    met(S, Remote#{s => S});
act(datagrams, _, Remote = #{s := S}) ->
    {"ok" ++ datagrams(S), Remote};
act(read, _, Remote = #{s := S}) ->
    {"ok " ++ read(S), Remote};
act(drain, _, Remote = #{s := S}) ->
    {drain(S, 0), Remote};
act(_, _, Remote) ->
    {"no socket", Remote}.

%% With a small buffer, behind which a sender has a queue before long.
open() ->
    {ok, S} = socket:open(inet, stream, tcp),
    ok = socket:setopt(S, {socket, rcvbuf}, 4096),
    S.

met(S, Remote) ->
    {ok, #{port := Port}} = socket:sockname(S),
    {ok, #{port := Met}} = socket:peername(S),
    {"ok", Remote#{port := Port, met := Met}}.

%% All there is, and whether it ends: by a reset when the other end closed with bytes that it had
%% not read, which depends on when it reads.
read(S) ->
    case socket:recv(S, 0, 0) of
        {ok, Bytes} -> binary_to_list(string:lowercase(binary:encode_hex(Bytes))) ++ read(S);
        {error, timeout} -> " more";
        {error, _} -> " closed"
    end.

%% Each of those that are there.
datagrams(S) ->
    case socket:recv(S, 0, 0) of
        {ok, Bytes} ->
            " :" ++ binary_to_list(string:lowercase(binary:encode_hex(Bytes))) ++ datagrams(S);
        {error, _} -> ""
    end.

%% Until nothing comes any more. How many millions of bytes it was, and whether it ends.
drain(S, Got) ->
    case socket:recv(S, 0, 100) of
        {ok, Bytes} -> drain(S, Got + byte_size(Bytes));
        {error, timeout} -> io_lib:format("ok ~w more", [Got div 1000000]);
        {error, {timeout, Bytes}} -> drain(S, Got + byte_size(Bytes));
        {error, _} -> io_lib:format("ok ~w closed", [Got div 1000000])
    end.
