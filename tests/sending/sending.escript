#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%%! +sbwt none
%% The same scenes with gen_tcp on both ends and with weir on the sending one: what each call
%% gives, and whether it came at once, after a while, or had not come when it was looked for.
%%   sending.escript SUBJECT [SCENE]
%% Left out, because weir follows the document: close without linger waits here while bytes are
%% queued, packets too long for their header are sent all the same, and {send_timeout,0} with
%% {send_timeout_close,true} closes nothing.

-define(BYTES, 2000000).
%% Milliseconds. A busy machine may need seconds for what is done at once, and is late by as much.
-define(AT_ONCE, 3000).
-define(TIME_OUT, 4000). %% what scenes wait for; {linger,{true,4}} too
-define(NEVER, 60000).
-define(STARTED, 300).   %% what is started in the scenes waits for what comes later in them
-define(PLAYED_AT_ONCE, 11).

main([Subject]) ->
    Results = compare_all(Subject, scenes()),
    Bad = [Name || {Name, false} <- Results],
    io:format("~w scenes, ~w differences~n", [length(Results), length(Bad)]),
    halt(case Bad of [] -> 0; _ -> 1 end);
main([Subject, Name]) ->
    {_, Options, Steps} = lists:keyfind(list_to_atom(Name), 1, scenes()),
    compare(Subject, {list_to_atom(Name), Options, Steps}),
    halt(0).

%% Most of a scene is waiting, so several are played at the same time.
compare_all(Subject, Scenes) ->
    Parent = self(),
    Start = fun(Scene) -> spawn_link(fun() -> Parent ! compare(Subject, Scene) end) end,
    {First, Later} = lists:split(?PLAYED_AT_ONCE, Scenes),
    lists:foreach(Start, First),
    collect(Start, Later, length(Scenes)).

collect(_, _, 0) -> [];
collect(Start, Later, Count) ->
    Result = receive {Name, Same} when is_boolean(Same) -> {Name, Same} end,
    lists:foreach(Start, lists:sublist(Later, 1)),
    [Result | collect(Start, lists:nthtail(min(1, length(Later)), Later), Count - 1)].

compare(Subject, {Name, Options, Steps}) ->
    Self = self(),
    Other = spawn_link(fun() -> Self ! {self(), play(erlang, Subject, Options, Steps)} end),
    Weir = play(weir, Subject, Options, Steps),
    Erlang = receive {Other, Result} -> Result end,
    case Erlang =:= Weir of
        true -> io:format("~w: ~w~n", [Name, Erlang]);
        false -> io:format("~w DIFFERS~n  erlang ~p~n  weir   ~p~n", [Name, Erlang, Weir])
    end,
    {Name, Erlang =:= Weir}.

%% Steps of the sending end: {do, Call}, {start, Name, Call}, {join, Name}; of the peer's: finish,
%% leave, reset, {drain, end | Bytes}, in_background of a drain, {wait, Milliseconds}, and full: until
%% the kernel takes no more.
scenes() ->
    Fill = [{do, {send, ?BYTES}}, full],
    Zero = {do, {setopts, "[{send_timeout,0}]"}},
    [{boundary_below, "", Fill ++ [Zero, {do, {mark, 10}}, {do, {send, 9}}]},
     {boundary_at, "", Fill ++ [Zero, {do, {mark, 10}}, {do, {send, 10}}]},
     {boundary_above, "", Fill ++ [Zero, {do, {mark, 10}}, {do, {send, 11}}]},
     {header_below, ",{packet,4}", Fill ++ [Zero, {do, {mark, 10}}, {do, {send, 5}}]},
     {header_at, ",{packet,4}", Fill ++ [Zero, {do, {mark, 10}}, {do, {send, 6}}]},
     {times_out_each_time, ",{send_timeout,4000}",
      Fill ++ [{do, {send, 10}}, {do, {send, 10}}, {do, {send, 10}}]},
     {goes_on_when_drained, "",
      Fill ++ [{start, a, {send, 10}}, {start, b, {send, 20}}, {start, c, {send, 30}},
               {drain, ?BYTES + 60}, {join, a}, {join, b}, {join, c}, {do, {send, 1}}]},
     {raising_releases_nobody, "",
      Fill ++ [{start, a, {send, 10}},
               {do, {setopts, "[{high_watermark,90000000},{low_watermark,80000000}]"}},
               {start, b, {send, 10}}, {drain, ?BYTES + 20}, {join, a}, {join, b}]},
     {peer_resets_while_blocked, "",
      Fill ++ [{start, a, {send, 10}}, reset, {join, a}, {do, {recv, 0}}, {do, {recv, 0}},
               {do, sockname}]},
     {peer_leaves_while_blocked, "",
      Fill ++ [{start, a, {send, 10}}, leave, {join, a}, {do, {send, 1}}, {do, {send, 1}}]},
     {closed_while_blocked, ",{linger,{true,0}}",
      Fill ++ [{start, a, {send, 10}}, {do, close}, {join, a}, {do, {send, 1}}, {do, sockname}]},
     {close_sends_the_rest, "", Fill ++ [in_background, {start, c, close}, {join, c}, drained]},
     {close_resets, ",{linger,{true,0}}", Fill ++ [{do, close}, {drain, 'end'}]},
     {close_lingers, ",{linger,{true,4}}", Fill ++ [{do, close}, {do, {send, 1}}, {drain, 'end'}]},
     {shutdown_waits, "", Fill ++ [{do, {shutdown, write}}, {drain, 'end'}, {do, {recv, 50}}]},
     {shutdown_both_waits, "", Fill ++ [{do, {shutdown, read_write}}, {drain, 'end'}]},
     {shutdown_then_send, "",
      [{do, {shutdown, write}}, {do, {send, 1}}, {do, {send, 1}}, {do, sockname},
       {do, {shutdown, write}}, {do, {recv, 0}}, {drain, 'end'}]},
     {shutdown_then_send_active, ",{active,true}",
      [{do, {shutdown, write}}, {do, {send, 1}}, {do, {send, 1}}, {do, message}, {do, messages}]},
     {send_while_shutting, "",
      Fill ++ [{do, {shutdown, write}}, {do, {send, 1}}, {do, {send, 1}}, {do, sockname}]},
     {timeout_closes, ",{send_timeout,4000},{send_timeout_close,true}",
      Fill ++ [{do, {send, 10}}, {do, {send, 10}}, {do, {recv, 0}}, {do, sockname},
               {do, peername}, {do, {shutdown, write}}, {do, close}]},
     {timeout_closes_active, ",{send_timeout,4000},{send_timeout_close,true},{active,true}",
      Fill ++ [{do, {send, 10}}, {do, {send, 10}}, {do, sockname}, {wait, 500}, {do, messages}]},
     {peer_left, "",
      [leave, {wait, 500}, {do, {send, 1}}, {wait, 500}, {do, {send, 1}}, {do, {send, 1}},
       {do, {recv, 0}}, {do, {recv, 0}}]},
     {peer_left_seen_by_recv, "",
      [leave, {do, {recv, ?NEVER}}, {do, {recv, 0}}, {do, {send, 1}}, {do, {send, 1}}]},
     {peer_left_seen_by_recv_then_send, "",
      [leave, {do, {recv, ?NEVER}}, {do, {send, 1}}, {do, {recv, 0}}, {do, {send, 1}}]},
     {peer_reset, "",
      [reset, {wait, 500}, {do, {send, 1}}, {do, {send, 1}}, {do, {recv, 0}}, {do, {recv, 0}}]},
     {peer_reset_shown, ",{show_econnreset,true}",
      [reset, {wait, 500}, {do, {send, 1}}, {do, {send, 1}}, {do, {recv, 0}}]},
     {peer_reset_active, ",{active,true}",
      [reset, {do, message}, {do, {send, 1}}, {do, messages}, {do, sockname}]},
     {peer_finished, ",{active,true},{exit_on_close,false}",
      [finish, {do, message}, {do, {send, 5}}, {drain, 5}, {do, messages}]},
     {peer_left_stays, ",{active,true},{exit_on_close,false}",
      [leave, {do, message}, {do, {send, 5}}, {wait, 500}, {do, {send, 5}},
       {do, {send, 5}}]},
     {nothing, ",{packet,4}", [{do, {send, 0}}, {drain, 4}, {do, {send, 0}}, {drain, 4}]},
     {delayed, ",{delay_send,true}",
      [{do, {send, 1}}, {do, {send, 1}}, {do, {send, 1}}, {do, close}, {drain, 'end'}]}].

play(Kind, Subject, More, Steps) ->
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {recbuf, 4096},
                                        {show_econnreset, true}, {ip, {127,0,0,1}}]),
    {ok, Port} = inet:port(Listener),
    Self = self(),
    Player = spawn_link(fun() -> Self ! {self(), with(Kind, Subject, Port, More, Listener, Steps)} end),
    Result = receive {Player, R} -> R after 2 * ?NEVER -> stuck end,
    gen_tcp:close(Listener),
    Result.

with(Kind, Subject, Port, More, Listener, Steps) ->
    Options = "[{active,false},{sndbuf,4096},{recbuf,4096},{high_watermark,8192},"
        "{low_watermark,4096}" ++ More ++ "]",
    Sender = open(Kind, Subject, Port, Options),
    {ok, Peer} = gen_tcp:accept(Listener, ?NEVER),
    Result = steps(Steps, Sender, Peer, #{}),
    finish(Sender),
    Result.

open(erlang, _, Port, Text) ->
    {ok, Socket} = gen_tcp:connect({127,0,0,1}, Port, term(Text)),
    {erlang, Socket};
open(weir, Subject, Port, Text) ->
    Program = open_port({spawn_executable, Subject}, [{line, 2000}, binary]),
    Self = self(),
    Reader = spawn_link(fun() -> answers(Program, #{}) end),
    true = erlang:port_connect(Program, Reader),
    unlink(Program),
    {ok, _} = {ok, Self},
    Sender = {weir, Reader},
    ok = call(Sender, {open, Port, Text}),
    Sender.

finish({weir, Reader}) -> Reader ! stop;
finish({erlang, Socket}) -> inet:setopts(Socket, [{linger, {true, 0}}]), gen_tcp:close(Socket).

%% Owns the port: hands out commands and their answers.
answers(Program, Waiting) ->
    receive
        {command, From, Text} ->
            Id = integer_to_list(erlang:unique_integer([positive])),
            Program ! {self(), {command, [Id, " ", Text, "\n"]}},
            answers(Program, Waiting#{Id => From});
        {Program, {data, {eol, Line}}} ->
            [Id, Term] = string:split(binary_to_list(Line), " "),
            {Pid, Reference} = maps:get(Id, Waiting),
            Pid ! {Reference, term(Term)},
            answers(Program, Waiting);
        stop -> port_close(Program)
    end.

term(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    Term.

call({weir, Reader}, Call) ->
    Reference = make_ref(),
    Reader ! {command, {self(), Reference}, command(Call)},
    receive {Reference, Answer} -> Answer end;
call({erlang, S}, Call) ->
    case Call of
        {send, N} -> gen_tcp:send(S, <<0:N/unit:8>>);
        {recv, T} -> plain(gen_tcp:recv(S, 0, T));
        {setopts, Text} -> inet:setopts(S, lists:reverse(term(Text)));
        {mark, K} ->
            {ok, [{send_pend, N}]} = inet:getstat(S, [send_pend]),
            inet:setopts(S, [{high_watermark, N + K}]);
        {shutdown, How} -> gen_tcp:shutdown(S, How);
        close -> gen_tcp:close(S);
        sockname -> plain(inet:sockname(S));
        peername -> plain(inet:peername(S));
        message -> [receive Message when is_atom(element(1, Message)) -> element(1, Message) end];
        messages -> messages();
        window ->
            {ok, [{raw, 6, 11, Info}]} = inet:getopts(S, [{raw, 6, 11, 232}]),
            <<_:24/binary, Unacked:32/native, _:200/binary, Window:32/native>> = Info,
            {Unacked, Window}
    end.

plain({ok, _}) -> ok;
plain(Other) -> Other.

command({Name, A, B}) -> io_lib:format("~s ~w ~s", [Name, A, B]);
command({Name, A}) when is_list(A) -> io_lib:format("~s ~s", [Name, A]);
command({Name, A}) -> io_lib:format("~s ~w", [Name, A]);
command(Name) -> io_lib:format("~s 0", [Name]).

messages() ->
    receive
        {Name, _} when is_atom(Name), Name =/= drained -> [Name | messages()];
        {Name, _, _} when is_atom(Name) -> [Name | messages()]
    after 0 -> []
    end.

%% What the steps gave.
steps([], _, _, _) -> [];
steps([{do, What} | Steps], Sender, Peer, Started) when What =:= message; What =:= messages ->
    [call(Sender, What) | steps(Steps, Sender, Peer, Started)];
steps([{do, Call} | Steps], Sender, Peer, Started) ->
    Before = now_ms(),
    Result = call(Sender, Call),
    [class(now_ms() - Before, Result) | steps(Steps, Sender, Peer, Started)];
steps([{start, Name, Call} | Steps], Sender, Peer, Started) ->
    Self = self(),
    Pid = spawn_link(fun() -> Self ! {self(), joined, call(Sender, Call)} end),
    receive
        {Pid, joined, Result} ->
            Self ! {Pid, joined, Result},
            [{Name, came} || Call =/= close] ++ steps(Steps, Sender, Peer, Started#{Name => Pid})
    after ?STARTED ->
        %% Whether the closing waits here depends on how fast the peer reads.
        [{Name, waits} || Call =/= close] ++ steps(Steps, Sender, Peer, Started#{Name => Pid})
    end;
steps([{join, Name} | Steps], Sender, Peer, Started) ->
    Pid = maps:get(Name, Started),
    Result = receive {Pid, joined, R} -> R after ?NEVER -> never end,
    [{Name, Result} | steps(Steps, Sender, Peer, Started)];
steps([full | Steps], Sender, Peer, Started) ->
    until_full(Sender),
    steps(Steps, Sender, Peer, Started);
steps([{wait, Ms} | Steps], Sender, Peer, Started) ->
    timer:sleep(Ms),
    steps(Steps, Sender, Peer, Started);
steps([{drain, Bytes} | Steps], Sender, Peer, Started) ->
    [drain(Peer, Bytes, 0) | steps(Steps, Sender, Peer, Started)];
steps([in_background | Steps], Sender, Peer, Started) ->
    Self = self(),
    Pid = spawn_link(fun() -> Self ! {drained, receive go -> drain(Peer, 'end', 0) end} end),
    ok = gen_tcp:controlling_process(Peer, Pid),
    Pid ! go,
    steps(Steps, Sender, Peer, Started);
steps([drained | Steps], Sender, Peer, Started) ->
    [receive {drained, R} -> R after ?NEVER -> never end | steps(Steps, Sender, Peer, Started)];
steps([Act | Steps], Sender, Peer, Started) ->
    case Act of
        finish -> gen_tcp:shutdown(Peer, write);
        leave -> gen_tcp:close(Peer);
        reset -> inet:setopts(Peer, [{linger, {true, 0}}]), gen_tcp:close(Peer)
    end,
    steps(Steps, Sender, Peer, Started).

%% All that was sent is acknowledged and the peer's window is closed.
until_full(Sender) ->
    case call(Sender, window) of
        {0, 0} -> ok;
        _ -> timer:sleep(10), until_full(Sender)
    end.

class(Ms, Result) when Ms < ?AT_ONCE -> {at_once, Result};
class(Ms, Result) when Ms < ?TIME_OUT - 50 -> {too_early, Ms, Result};
class(Ms, Result) when Ms < 4 * ?TIME_OUT -> {in_time, Result};
class(Ms, Result) -> {too_late, Ms, Result}.

drain(_, Bytes, Got) when Got =:= Bytes -> {read, Got};
drain(Peer, Bytes, Got) ->
    case gen_tcp:recv(Peer, 0, ?NEVER) of
        {ok, Data} -> drain(Peer, Bytes, Got + byte_size(Data));
        {error, closed} -> {read, Got, closed};
        {error, Reason} -> {read, some, Reason}
    end.

now_ms() -> erlang:monotonic_time(millisecond).
