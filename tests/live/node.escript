#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% Scenes on one connection, played by Erlang with itself, then with weir at either end and at both:
%% every end has to see the same. Argument: the program that node.c makes.

main([Program]) ->
    Local = "/tmp/weir_live_" ++ os:getpid(),
    Bad = [{Name, Where} || Where <- ["127.0.0.1", "unix:" ++ Local],
           {Name, L, C, Steps} <- scenes(Where),
           not plays_alike({Program, Where}, Name, L, C, Steps)],
    file:delete(Local),
    io:format("~p scenes, over tcp and local sockets, ~p differ~n",
              [length(scenes()), length(Bad)]),
    halt(case Bad of [] -> 0; _ -> 1 end).

plays_alike(Program, Name, L, C, Steps) ->
    Expected = play({erlang, erlang}, Program, L, C, Steps),
    Alike = fun(Ends) ->
        case play(Ends, Program, L, C, Steps) of
            Expected -> true;
            Other ->
                io:format("~s, ~p:~n", [Name, Ends]),
                [io:format("  ~p~n    Erlang ~s~n    here   ~s~n", [S, E, O])
                 || {S, E, O} <- lists:zip3(Steps, Expected, Other), E =/= O],
                false
        end
    end,
    lists:all(fun(X) -> X end, lists:map(Alike, [{weir, erlang}, {erlang, weir}, {weir, weir}])).

play({ServerKind, ClientKind}, Program, L, C, Steps) ->
    {Server, Port} = start(ServerKind, Program, {listen, L}),
    {Client, _} = start(ClientKind, Program, {connect, Port, C}),
    ready(Server),
    ready(Client),
    Seen = [tell(case End of s -> Server; c -> Client end, Line) || {End, Line} <- Steps],
    stop(Server),
    stop(Client),
    Seen.

%% Ends: a port to the program, or a process that answers as it does.

start(Kind, {_, "unix:" ++ Path} = Program, {listen, _} = What) ->
    file:delete(Path), % of the scene before
    start_at(Kind, Program, What);
start(Kind, Program, What) -> start_at(Kind, Program, What).

start_at(weir, {Program, Where}, {listen, Options}) ->
    Port = open(Program, ["listen", Where, Options]),
    "port " ++ Number = line(Port),
    {{weir, Port}, list_to_integer(Number)};
start_at(weir, {Program, Where}, {connect, Number, Options}) ->
    {{weir, open(Program, ["connect", Where, integer_to_list(Number), Options])}, Number};
start_at(erlang, {_, Where}, What) ->
    Self = self(),
    Pid = spawn_link(fun() -> run(Self, Where, What) end),
    Number = receive {Pid, port, N} -> N end,
    {{erlang, Pid}, Number}.

open(Program, Arguments) ->
    open_port({spawn_executable, Program}, [{args, Arguments}, {line, 65536}, exit_status]).

line(Port) ->
    receive
        {Port, {data, {eol, Line}}} -> Line;
        {Port, {exit_status, Status}} -> error({ended, Status})
    after 40000 -> error(no_answer)
    end.

ready({weir, Port}) -> "ready" = line(Port);
ready({erlang, Pid}) -> receive {Pid, ready} -> ok end.

tell({weir, Port}, Line) -> port_command(Port, [Line, $\n]), line(Port);
tell({erlang, Pid}, Line) -> Pid ! {self(), Line}, receive {Pid, answer, Text} -> Text end.

stop({weir, Port}) -> port_close(Port);
stop({erlang, Pid}) -> unlink(Pid), exit(Pid, kill).

where("unix:" ++ Path) -> {local, Path};
where("127.0.0.1") -> {127, 0, 0, 1}.

run(Parent, Where, {listen, Options}) ->
    {ok, L} = gen_tcp:listen(0, [{ip, where(Where)} | terms(Options)]),
    {ok, Port} = inet:port(L),
    Parent ! {self(), port, case Port of _ when is_integer(Port) -> Port; _ -> 0 end},
    {ok, S} = gen_tcp:accept(L),
    Parent ! {self(), ready},
    serve(S);
run(Parent, Where, {connect, Port, Options}) ->
    Parent ! {self(), port, Port},
    {ok, S} = gen_tcp:connect(where(Where), Port, terms(Options)),
    Parent ! {self(), ready},
    serve(S).

serve(S) ->
    receive {From, Line} when is_list(Line) -> From ! {self(), answer, do(S, Line)} end,
    serve(S).

do(S, "set " ++ Terms) -> result(inet:setopts(S, terms(Terms)));
do(S, "get " ++ Terms) ->
    case inet:getopts(S, terms(Terms)) of
        {ok, Values} -> lists:flatten(io_lib:format("~0p", [Values]));
        Error -> result(Error)
    end;
do(S, "send " ++ Hex) -> result(gen_tcp:send(S, binary:decode_hex(list_to_binary(Hex))));
do(S, "recv") ->
    case gen_tcp:recv(S, 0, 30000) of
        {ok, Data} -> data(Data);
        Error -> result(Error)
    end;
do(S, "message") -> message(S, 30000);
do(S, "quiet") -> message(S, 60);
do(S, "close") -> result(gen_tcp:close(S)).

message(S, Ms) ->
    receive
        {tcp, S, Data} -> data(Data);
        {S, {data, Data}} -> "port " ++ data(Data);
        {http, S, Packet} -> data(Packet);
        {tcp_closed, S} -> "closed";
        {tcp_passive, S} -> "passive";
        {tcp_error, S, Reason} -> atom_to_list(Reason)
    after Ms -> "nothing"
    end.

result(ok) -> "ok";
result({error, Reason}) -> atom_to_list(Reason).

data(Packet) when is_tuple(Packet) ->
    "http " ++ string:slice(atom_to_list(element(1, Packet)), 5);
data(http_eoh) -> "http eoh";
data(Data) ->
    {Header, Rest} = split(Data, []),
    "header " ++ hex(Header) ++ " rest " ++ hex(Rest).

%% An improper list has a header, a binary or a proper list has none.
split(Rest, Header) when is_binary(Rest) -> {lists:reverse(Header), binary_to_list(Rest)};
split([Byte | Rest], Header) -> split(Rest, [Byte | Header]);
split([], All) -> {[], lists:reverse(All)}.

hex(Bytes) -> lists:flatten([io_lib:format("~2.16.0b", [B]) || B <- Bytes]).

terms(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    Term.

%% Local sockets take no tos.
scenes("unix:" ++ _) ->
    [Scene || {_, L, _, _} = Scene <- scenes(), string:find(L, "{tos,") =:= nomatch];
scenes(_) -> scenes().

%% {Name, options of listen, options of connect, [{end, line}]}

scenes() ->
    [{"packet " ++ Type, "[binary,{active,true},{packet," ++ Type ++ "}]",
      "[{active,false},{packet," ++ Type ++ "}]",
      [{c, "send 616263"}, {s, "message"}, {c, "send "}, {s, "message"}, {s, "send 6465"},
       {c, "recv"}, {c, "get [packet,active,mode]"}, {s, "get [packet,active,mode]"},
       {c, "close"}, {s, "message"}, {s, "get [packet]"}]} || Type <- ["1", "2", "4"]] ++
    [{"header " ++ H, "[binary,{header," ++ H ++ "},{packet,2}]", "[{packet,2},{active,false}]",
      [{c, "send 61626364"}, {s, "message"}, {s, "get [header]"}, {s, "set [list]"},
       {c, "send 61626364"}, {s, "message"}, {s, "set [binary,{active,false}]"},
       {c, "send 61626364"}, {s, "recv"}]} || H <- ["0", "1", "4", "5"]] ++
    [{"once", "[binary,{active,once},{packet,1}]", "[{packet,1}]",
      [{c, "send 61"}, {c, "send 62"}, {s, "message"}, {s, "quiet"}, {s, "get [active]"},
       {s, "set [{active,once}]"}, {s, "message"}, {s, "quiet"}, {c, "close"}, {s, "quiet"},
       {s, "set [{active,once}]"}, {s, "message"}, {s, "get [active]"}]},
     {"count", "[binary,{active,2},{packet,1}]", "[{packet,1},{active,-1}]",
      [{c, "message"}, {c, "get [active]"}, {c, "send 61"}, {c, "send 62"}, {c, "send 63"},
       {s, "message"}, {s, "message"}, {s, "message"}, {s, "quiet"}, {s, "get [active]"},
       {s, "set [{active,1}]"}, {s, "message"}, {s, "message"}, {s, "set [{active,3}]"},
       {s, "set [{active,4}]"}, {s, "get [active]"}, {s, "set [{active,32767}]"},
       {s, "get [active]"}, {s, "set [{active,-100}]"}, {s, "message"}, {s, "get [active]"},
       {s, "set [{active,true}]"}, {s, "quiet"}]},
     %% At the end that connected: what Erlang accepted has no header in this form.
     {"port", "[]", "[binary,{header,1},{deliver,port},{packet,http}]",
      [{s, "send 474554202f20485454502f312e310d0a"}, {c, "message"},
       {s, "send 486f73743a20780d0a"}, {c, "message"}, {c, "set [{deliver,term}]"},
       {s, "send 474554202f20485454502f312e310d0a"}, {c, "message"}]},
     {"http", "[{packet,http_bin},{active,false}]", "[]",
      [{c, "send 474554202f20485454502f312e310d0a413a20620d0a0d0a"}, {s, "recv"}, {s, "recv"},
       {s, "recv"}, {s, "get [packet]"}]},
     {"line", "[binary,{packet,line},{active,false},{buffer,5}]", "[]",
      [{c, "send 6162636465666768690a"}, {s, "recv"}, {s, "recv"}, {s, "get [buffer,packet]"}]},
     {"reset", "[{active,false},{show_econnreset,true}]", "[{linger,{true,0}}]",
      [{c, "get [linger]"}, {c, "close"}, {s, "recv"}, {s, "recv"}, {s, "get [show_econnreset]"},
       {s, "get [nodelay]"}]},
     {"reset, not shown", "[{active,true}]", "[{linger,{true,0}}]",
      [{c, "close"}, {s, "message"}, {s, "quiet"}, {s, "set [{active,true}]"}]},
     {"closed", "[{active,false}]", "[]",
      [{c, "close"}, {s, "recv"}, {s, "recv"}, {s, "get [active,packet,nodelay,buffer]"},
       {s, "set [{nodelay,true},{packet,2}]"}, {s, "get [packet,nodelay]"},
       {s, "set [{active,once}]"}, {s, "message"}, {s, "get [packet]"}, {c, "get [packet]"}]},
     {"too large", "[{active,false},{packet,1},{packet_size,2}]", "[]",
      [{c, "send 0361626303"}, {s, "recv"}, {s, "recv"}, {s, "get [packet_size]"}]},
     {"options",
      "[{nodelay,true},{keepalive,true},{linger,{true,3}},{tos,16},{priority,2},{buffer,3000},"
      "{packet_size,9},{send_timeout,77},{send_timeout_close,true},{delay_send,true},"
      "{exit_on_close,false},{high_watermark,100},{low_watermark,50}]",
      "[{nodelay,true},{nodelay,false},{recbuf,5000},{sndbuf,6000},{tos,255}]",
      [{s, "get [nodelay,keepalive,linger,tos,priority,buffer,packet_size,send_timeout]"},
       {s, "get [send_timeout_close,delay_send,exit_on_close,high_watermark,low_watermark]"},
       {c, "get [nodelay,recbuf,sndbuf,tos,priority,linger,ttl,reuseaddr]"},
       {c, "get [{raw,6,8,0},mode]"}, {c, "set [{raw,6,8,<<30:32/native>>}]"},
       {c, "get [{raw,6,8,4}]"}, {c, "get [{raw,6,9999,4}]"}, {c, "get [line_delimiter]"},
       {c, "set [{ttl,0}]"}, {c, "set [{tclass,1}]"}, {c, "set [{read_packets,1}]"},
       {c, "get [read_packets,header]"}, {c, "set [{recbuf,1}]"}, {c, "get [recbuf]"},
       {c, "set [{raw,6,9999,<<1,2,3,4>>}]"}, {c, "get [ipv6_v6only,tclass,deliver]"}]}].
