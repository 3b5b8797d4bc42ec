%% SPDX-License-Identifier: MIT
%% Plays a program on gen_tcp and inet: what each step gave, one line of text a step. player.c has
%% the same for weir.
-module(play).
-export([program/4]).

-define(STUCK_MS, 20000).

%% The socket's process is `a`; `b` is another that may come to own it.
program(Steps, Address, Quiet, Modes) ->
    Self = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> Self ! {self(), run(Steps, Address, Quiet, Modes)} end),
    receive
        {Pid, Lines} ->
            demonitor(Monitor, [flush]),
            Lines;
        {'DOWN', Monitor, process, Pid, Reason} ->
            [lists:flatten(io_lib:format("died ~0p", [Reason]))]
    after ?STUCK_MS ->
        exit(Pid, kill),
        ["stuck"]
    end.

run(Steps, Address, Quiet, Modes) ->
    State = #{address => Address, quiet => Quiet, modes => Modes, remote => remote:new(Address),
              b => spawn_link(fun other/0)},
    {Lines, Last} = lists:mapfoldl(fun step/2, State, Steps),
    finish(Last),
    Lines.

%% The remote end resets what is left, so that nothing lingers in the kernel.
finish(State) ->
    remote:act(reset, maps:get(remote, State)),
    [gen_tcp:close(maps:get(Name, State)) || Name <- [s, l], is_map_key(Name, State)].

%% Does what it is asked for and leaves other messages where they are.
other() ->
    receive
        {do, From, Fun} -> From ! {self(), Fun()}
    end,
    other().

by_other(#{b := B}, Fun) ->
    Monitor = monitor(process, B),
    B ! {do, self(), Fun},
    receive
        {B, Result} -> demonitor(Monitor, [flush]), Result;
        {'DOWN', Monitor, process, B, _} -> gone
    end.

step({listen, Options}, State = #{address := Address}) ->
    {Line, Next} = opened(l, gen_tcp:listen(0, [{ip, Address} | Options]), State),
    {ok, Port} = inet:port(maps:get(l, Next)),
    forget_passive(maps:get(l, Next)),
    {Line, Next#{own => Port}};
step({udp_open, Options}, State = #{address := Address}) ->
    {Line, Next} = opened(s, gen_udp:open(0, [{ip, Address} | Options]), State),
    {ok, Port} = inet:port(maps:get(s, Next)),
    {Line, Next#{own => Port, type => gen_udp}};
step({accept, Timeout}, State = #{l := L}) ->
    opened(s, gen_tcp:accept(L, Timeout), State);
step({connect, Options}, State = #{address := Address, remote := Remote}) ->
    opened(s, gen_tcp:connect(Address, remote:port(Remote), Options, 2000), State);
step({remote, Act}, State = #{remote := Remote}) ->
    {Line, Next} = remote:act(Act, maps:get(own, State, none), Remote),
    {Line, State#{remote := Next}};
step({start, Slot, Step}, State) ->
    Self = self(),
    spawn(fun() -> in_background(Self, Slot, Step, State) end),
    timer:sleep(maps:get(quiet, State)),
    {"started", State};
step({join, Slot}, State = #{quiet := Quiet}) ->
    receive
        {joined, Slot, Line, none} -> {Line, State};
        {joined, Slot, Line, Socket} -> {Line, State#{s => Socket}}
    after Quiet -> {"waits", State}
    end;
step(settle, State = #{quiet := Quiet, modes := Modes}) ->
    timer:sleep(Quiet),
    Own = messages(Modes),
    Others = case by_other(State, fun() -> messages(Modes) end) of gone -> []; List -> List end,
    {lists:flatten(["a ", Own, "b ", Others]), State};
step(pause, State = #{quiet := Quiet}) ->
    timer:sleep(Quiet),
    {"paused", State};
step({kill, b}, State = #{b := B, quiet := Quiet}) ->
    unlink(B),
    exit(B, kill),
    timer:sleep(Quiet),
    {"ok", State};
step(Call, State) ->
    Handle = case Call of {give, _, _} -> s; _ -> element(2, Call) end,
    Line = case is_map_key(Handle, State) of
        true -> lists:flatten(call(Call, State));
        false -> "no socket"
    end,
    {Line, State}.

%% What it accepts is the one's who started it.
in_background(Starter, Slot, Step, State) ->
    {Line, Next} = step(Step, State),
    Socket = case {Step, Next} of
        {{accept, _}, #{s := S}} -> gen_tcp:controlling_process(S, Starter), S;
        _ -> none
    end,
    Starter ! {joined, Slot, Line, Socket}.

%% Whose {active,N} is spent from the beginning tells its owner; weir's listeners have none.
forget_passive(L) ->
    receive {tcp_passive, L} -> ok
    after 0 -> ok
    end.

opened(Name, {ok, Socket}, State) -> {"ok", State#{Name => Socket}};
opened(_, {error, Reason}, State) -> {atom_to_list(Reason), State}.

call({recv, H, Length, Timeout}, State = #{modes := Modes}) ->
    case gen_tcp:recv(handle(H, State), Length, Timeout) of
        {ok, Data} -> ["ok ", data(Data, Modes)];
        Error -> result(Error)
    end;
call({udp_recv, H, Timeout}, State = #{modes := Modes, remote := Remote}) ->
    case gen_udp:recv(handle(H, State), 0, Timeout) of
        {ok, {_, Port, Data}} ->
            ["ok ", case Port =:= remote:port(Remote) of true -> "right "; _ -> "wrong " end,
             data(Data, Modes)];
        Error -> result(Error)
    end;
call({udp_connect, H}, State = #{address := Address, remote := Remote}) ->
    result(gen_udp:connect(handle(H, State), Address, remote:port(Remote)));
call({udp_send, H, Bytes}, State = #{address := Address, remote := Remote}) ->
    result(gen_udp:send(handle(H, State), Address, remote:port(Remote), Bytes));
call({udp_send_on, H, Bytes}, State) -> result(gen_udp:send(handle(H, State), Bytes));
call({udp_send_to_port, H, Port}, State = #{address := Address}) ->
    result(gen_udp:send(handle(H, State), Address, Port, <<7>>));
call({udp_send_to_inet6, H, Port}, State) ->
    result(gen_udp:send(handle(H, State), {0, 0, 0, 0, 0, 0, 0, 1}, Port, <<7>>));
call({drain, H}, State) -> drain(handle(H, State), []);
call({fill, H, Size}, State) -> result(gen_tcp:send(handle(H, State), <<0:Size/unit:8>>));
call({send, H, Bytes}, State) -> result(gen_tcp:send(handle(H, State), Bytes));
%% Applied back to front here, front to back in weir.
call({setopts, H, Options}, State) ->
    result(inet:setopts(handle(H, State), lists:reverse(Options)));
call({getopts, H, Names}, State) -> result(inet:getopts(handle(H, State), Names));
call({getstat, H}, State) ->
    Names = [recv_cnt, recv_max, recv_avg, recv_oct, recv_dvi, send_cnt, send_max, send_avg,
             send_oct],
    case inet:getstat(handle(H, State), Names) of
        {ok, Values} -> ["ok", [[$\s, integer_to_list(V)] || {_, V} <- Values]];
        Error -> result(Error)
    end;
call({shutdown, H, How}, State) -> result(gen_tcp:shutdown(handle(H, State), How));
call({close, H}, State) -> result(gen_tcp:close(handle(H, State)));
call({peername, H}, State = #{remote := Remote}) ->
    named(inet:peername(handle(H, State)), remote:port(Remote));
call({sockname, H}, State = #{remote := Remote}) ->
    named(inet:sockname(handle(H, State)), own_port(State, Remote));
call({port, H}, State = #{remote := Remote}) ->
    case inet:port(handle(H, State)) of
        {ok, Port} -> right(Port =:= own_port(State, Remote));
        Error -> result(Error)
    end;
call({give, From, To}, State = #{b := B}) ->
    Processes = #{a => self(), b => B},
    S = handle(s, State),
    Module = maps:get(type, State, gen_tcp),
    Give = fun() -> Module:controlling_process(S, maps:get(To, Processes)) end,
    result(case From of a -> Give(); b -> by_other(State, Give) end).

handle(H, State) -> maps:get(H, State).

%% What the subject's own end is bound to.
own_port(State, Remote) -> maps:get(own, State, remote:met_port(Remote)).

%% However it comes.
drain(S, Before) ->
    case gen_tcp:recv(S, 0, 30) of
        {ok, Data} when is_list(Data); is_binary(Data) ->
            {Header, Rest} = split(Data, []),
            drain(S, [Before, hex(Header), hex(Rest)]);
        {ok, Packet} -> drain(S, [Before, data(Packet, false)]);
        {error, Reason} -> [Before, $\s, atom_to_list(Reason)]
    end.

named({ok, {_, Port}}, Expected) -> right(Port =:= Expected);
named(Error, _) -> result(Error).

right(true) -> "ok right";
right(false) -> "ok wrong".

result(ok) -> "ok";
result(gone) -> "gone";
result({ok, Values}) -> io_lib:format("ok ~w", [Values]);
result({error, Reason}) -> atom_to_list(Reason).

messages(Modes) ->
    receive
        {tcp, _, Data} -> ["tcp ", data(Data, Modes), "; " | messages(Modes)];
        {http, _, Packet} -> ["http ", data(Packet, Modes), "; " | messages(Modes)];
        {Port, {data, Data}} when is_port(Port) ->
            ["port ", data(Data, Modes), "; " | messages(Modes)];
        {udp, _, _, _, Data} -> ["udp ", data(Data, Modes), "; " | messages(Modes)];
        {udp_passive, _} -> ["passive; " | messages(Modes)];
        {udp_error, _, Reason} -> ["error ", atom_to_list(Reason), "; " | messages(Modes)];
        {tcp_closed, _} -> ["closed; " | messages(Modes)];
        {tcp_passive, _} -> ["passive; " | messages(Modes)];
        {tcp_error, _, Reason} -> ["error ", atom_to_list(Reason), "; " | messages(Modes)]
    after 0 -> []
    end.

data(Packet, _) when is_tuple(Packet) -> term(binaries(Packet));
data(http_eoh, _) -> "http_eoh";
data(Data, Modes) ->
    {Header, Rest} = split(Data, []),
    [[$l || is_list(Data), Modes, Header =:= []], [$b || is_binary(Data), Modes],
     [[hex(Header), $+] || Header =/= []], $:, hex(Rest)].

%% An improper list has a header, a binary or a proper list has none.
split(Rest, Header) when is_binary(Rest) -> {lists:reverse(Header), binary_to_list(Rest)};
split([Byte | Rest], Header) -> split(Rest, [Byte | Header]);
split([], All) -> {[], lists:reverse(All)}.

hex(Bytes) -> binary_to_list(string:lowercase(binary:encode_hex(list_to_binary(Bytes)))).

%% http and http_bin differ in nothing else, and a packet of weir does not say which it is of.
binaries(Term) when is_tuple(Term) -> list_to_tuple([binaries(T) || T <- tuple_to_list(Term)]);
binaries(Term) when is_list(Term) -> list_to_binary(Term);
binaries(Term) -> Term.

%% In ASCII, as the printer of weir.
term(Term) -> [ascii(C) || C <- lists:flatten(io_lib:format("~0p", [Term]))].

ascii(C) when C > 126 -> io_lib:format("\\x{~.16b}", [C]);
ascii(C) -> C.
