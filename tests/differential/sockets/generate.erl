%% SPDX-License-Identifier: MIT
%% Programs: lists of steps for play.erl and player.c, the same for the same seed; and apart from
%% the rest those that open the socket.
%% After whatever the socket may answer with messages comes a barrier: `settle` takes and prints
%% those that have arrived, `pause` leaves them where they are.
%% Left out here, because weir does it otherwise on purpose or does more:
%%   sndbuf without buffer            it raises buffer, as the document says
%%   packet 1, 2 with more bytes      than fit the header: refused
%%   deliver port                     recv sends a message here instead of returning, and sockets
%%                                    that were accepted get no binaries
%%   header                           this Erlang dies more often with it: it allocates less than
%%                                    nothing
%%   line with packet_size > buffer   lines are cut at packet_size, as the document says
%%   {packet,Type} inside a packet    this Erlang waits for what the packet misses, as long as it
%%                                    knows how much; weir frames its bytes anew
%%   buffer while there are bytes     the buffer there is stays as it is here
%%   show_econnreset after the end    that was told is told once more as it was here
%%   exit_on_close after the end      it is seen again here, and ends the socket
%%   {active,N} that is set before    one that fails: nothing is read for it here
%%   send_dvi of getstat              this Erlang does not have it
%%   a closed that waits for `b`      is taken away by a close of `a` in weir, which does not know
%%                                    who calls, and stays here
-module(generate).
-export([program/2, text/1, modes/1]).
%% generate_udp draws in the same way.
-export([pick/1, one_in/1, weighed/1, bytes/1, barrier/1, give/1]).

%% Every third is about datagrams.
program(Seed, Id) when Id rem 3 =:= 0 -> generate_udp:program(Seed, Id);
program(Seed, Id) ->
    rand:seed(exsss, erlang:phash2({Seed, Id}, 1 bsl 32)),
    Kind = pick([accepts, accepts, connects]),
    State = #{kind => Kind, packet => raw, remote => open, owner => a, rest => <<>>, whole => true,
              sent => false, slot => free, queue => none,
              types => some(types(), 3), sizes => one_in(4), shares => one_in(4)},
    {Opening, Next} = opening(Kind, with_queues(one_in(3), State)),
    {Opening, steps(3 + rand:uniform(12), Next) ++ [{getstat, s}, settle]}.

%% Whether packets may be printed with their mode: one that is shorter than {header,N} is a list.
modes(Program) ->
    not lists:any(fun(Step) -> is_tuple(Step) andalso has_header(tuple_to_list(Step)) end, Program).

has_header(Parts) ->
    lists:any(fun(P) -> is_list(P) andalso lists:keymember(header, 1, P) end, Parts).

text({start, Slot, Step}) -> ["start ", atom_to_list(Slot), $\s, text(Step)];
text({remote, {send, Bytes}}) -> ["remote send ", hex(Bytes)];
text({Send, H, Bytes}) when Send =:= send; Send =:= udp_send; Send =:= udp_send_on ->
    [atom_to_list(Send), $\s, atom_to_list(H), $\s, hex(Bytes)];
text(Step) when is_tuple(Step) ->
    lists:join($\s, [io_lib:format("~w", [Part]) || Part <- tuple_to_list(Step)]);
text(Step) -> atom_to_list(Step).

hex(Bytes) -> string:lowercase(binary:encode_hex(Bytes)).

pick(List) -> lists:nth(rand:uniform(length(List)), List).
one_in(N) -> rand:uniform(N) =:= 1.
some(List, N) -> [pick(List) || _ <- lists:seq(1, N)].

%% {Weight, What}
weighed(Choices) -> weighed(Choices, rand:uniform(lists:sum([W || {W, _} <- Choices]))).
weighed([{W, What} | _], N) when N =< W -> What;
weighed([{W, _} | Rest], N) -> weighed(Rest, N - W).

%% Whether the program may make queues; and then what becomes of sends behind them: they never
%% block, they time out, that closes, or they wait in the background.
with_queues(false, State) -> State#{sends => plain};
with_queues(true, State) -> State#{sends => pick([unbounded, times_out, closes, waits])}.

queue_options(#{sends := plain}) -> [];
queue_options(#{sends := Sends}) ->
    [{sndbuf, 4096}, {buffer, pick([100, 1460])} | marks(Sends)].

marks(unbounded) -> [{high_watermark, 1 bsl 30}, {low_watermark, 1 bsl 29}];
marks(waits) -> [{high_watermark, 10}, {low_watermark, 5}];
marks(Sends) -> marks(waits) ++ [{send_timeout, 30}, {send_timeout_close, Sends =:= closes}].

types() ->
    [raw, raw, raw, raw, 1, 1, 2, 4, line, line, http, http_bin, httph, httph_bin, asn1, cdr,
     sunrm, fcgi, tpkt].

opening(accepts, State) ->
    {Options, Next} = options(State),
    Early = pick([[], [], [{accept, 0}], [{accept, 15}], [{start, z, {accept, 15}}, {join, z}]]),
    Accept = pick([[{accept, 1000}], [{accept, infinity}], [settle, {accept, 0}]]),
    Meet = case rand:uniform(6) of
        1 -> [{start, y, {accept, 1000}}, {remote, connect}, {join, y}];
        _ -> [{remote, connect} | Accept]
    end,
    {[{listen, Options}] ++ Early ++ Meet ++ [settle], Next};
opening(connects, State) ->
    {Options, Next} = options(State),
    {[{remote, listen}, {connect, Options}, {remote, accept}, settle], Next}.

options(State) ->
    {Lists, Next} = lists:mapfoldl(fun option/2, State, lists:seq(1, rand:uniform(5))),
    {[pick([binary, list]), {active, active(maps:get(kind, State))} |
      lists:append(Lists) ++ queue_options(State)], Next}.

option(_, State) -> option(State).

option(State = #{types := Types, sizes := Sizes}) ->
    case weighed([{8, packet}, {2, exit_on_close}, {2, show_econnreset}, {1, mode},
                  {2, buffer}, {1, packet_size}, {1, nodelay}, {1, delay_send},
                  {1, keepalive}]) of
        packet ->
            Type = pick(Types),
            {[{packet, Type}], State#{packet := Type}};
        mode -> {[{mode, pick([binary, list])}], State};
        buffer when Sizes -> {[{buffer, pick([5, 12, 30, 100, 1460])}], State};
        packet_size when Sizes -> {[{packet_size, packet_size(Types)}], State};
        Name when Name =:= buffer; Name =:= packet_size -> {[], State};
        Name -> {[{Name, pick([true, false])}], State}
    end.

%% Never above the smallest buffer when there may be lines.
packet_size(Types) ->
    case lists:member(line, Types) of
        true -> pick([0, 0, 2, 4]);
        false -> pick([0, 0, 2, 4, 8, 20, 40])
    end.

active(accepts) -> pick([false, false, false, true, true, once, once, 1, 2, 5, 0, -3]);
active(connects) -> active().

active() ->
    weighed([{6, false}, {5, true}, {5, once}, {2, 1}, {2, 2}, {1, 5}, {1, -1}, {1, 0}, {1, -3}]).

%% Of these a change of mind is left out.
only_at_first() -> [packet, buffer, exit_on_close, show_econnreset].

more_active() -> weighed([{10, active()}, {1, 32767}, {1, -32768}, {1, 32766}]).

steps(0, _) -> [];
steps(Count, State) ->
    {Steps, Next} = act(State),
    Steps ++ steps(Count - 1, Next).

act(State = #{remote := Remote}) ->
    Acts = [{12, recv}, {8, active}, {3, packet}, {2, setopts}, {3, getopts}, {5, send},
            {1, shutdown}, {1, close}, {2, name}, {2, getstat}, {1, give}, {2, background},
            {1, odd}, {1, read}, {6, queue} | case Remote of
                open -> [{20, data}, {2, finish}, {2, leave}, {2, reset}, {1, data_and_end}];
                finished -> [{2, leave}, {2, reset}];
                gone -> []
            end],
    act(weighed(Acts), State).

act(recv, State) -> {[recv(State)], State};
act(active, State) -> {[{setopts, s, [{active, more_active()}]}, barrier(State)], State};
act(packet, State = #{rest := Rest, whole := Whole}) when Rest =/= <<>>; not Whole -> act(State);
act(packet, State = #{types := Types}) ->
    Type = pick(Types),
    {[{setopts, s, [{packet, Type}]}, barrier(State)],
     State#{packet := Type, whole := not maps:get(sent, State)}};
act(setopts, State) ->
    {Options, _} = option(State),
    Later = [Option || {Name, _} = Option <- Options, not lists:member(Name, only_at_first())],
    Active = [{active, active()} || one_in(3)],
    {[{setopts, s, Later ++ Active}, barrier(State)], State};
act(getopts, State) -> {[{getopts, handle(State), names()}], State};
act(queue, State = #{sends := plain}) -> {[], State};
act(queue, State = #{queue := none, packet := Type}) when Type =:= 1; Type =:= 2 -> {[], State};
act(queue, State = #{queue := none}) ->
    {[{fill, s, 2000000}, settle], State#{queue := some}};
act(queue, State) ->
    case rand:uniform(3) of
        1 -> {[{remote, drain}, settle], State#{queue := none}};
        2 -> act(send, State);
        3 -> act(shutdown, State)
    end;
act(send, State = #{queue := some, sends := waits, sender := started}) -> {[{join, w}], State};
act(send, State = #{queue := some, sends := waits}) ->
    {[{start, w, {send, s, bytes(rand:uniform(20) - 1)}}, barrier(State)],
     State#{sender => started}};
act(send, State) -> {[{send, s, bytes(rand:uniform(20) - 1)}, barrier(State)], State};
act(shutdown, State) -> {[{shutdown, s, pick([read, write, read_write])}, barrier(State)], State};
%% A close waits for the queue there, as long as it gets shorter.
act(close, State = #{queue := some}) ->
    {[{setopts, s, [{linger, {true, 0}}]}, {close, s}, barrier(State)], State};
act(close, State) -> {[{close, s}, barrier(State)], State};
act(name, State) -> {[{pick([peername, sockname, port]), handle(State)}], State};
act(getstat, State) -> {[{getstat, handle(State)}], State};
act(give, State) -> give(State);
act(background, State = #{slot := free}) ->
    {[{start, x, recv(State, pick([15, 500, 5000]))}], State#{slot := used}};
act(background, State = #{slot := used}) -> {[{join, x}], State};
act(odd, State = #{queue := some}) ->
    {[pick([{recv, s, 67108865, 0}, {recv, s, 3, 0}, {drain, s}]), barrier(State)], State};
act(odd, State) ->
    Odd = [{recv, s, 67108865, 0}, {recv, s, 3, 0}, {send, s, <<>>}, {close, s}, {drain, s},
           {setopts, s, [{active, 1}, {active, 32766}]}],
    {[pick(Odd), barrier(State)], State};
act(read, State = #{sends := plain}) -> {[settle, {remote, read}], State};
act(read, State) -> {[settle, {remote, drain}, settle], State#{queue := none}};
act(data, State) ->
    {Bytes, Next} = data(State),
    {[{remote, {send, Bytes}}, barrier(State)], Next};
act(finish, State) -> {[{remote, finish}, barrier(State)], State#{remote := finished}};
act(leave, State) -> {[{remote, close}, barrier(State)], State#{remote := gone}};
act(reset, State) -> {[{remote, reset}, barrier(State)], State#{remote := gone}};
act(data_and_end, State) ->
    {Bytes, Next} = data(State),
    {[{remote, {send, Bytes}}, {remote, pick([finish, close])}, barrier(State)],
     Next#{remote := gone}}.

give(State = #{shares := false}) -> {[], State};
give(State = #{owner := Owner}) ->
    Others = #{a => b, b => a},
    case rand:uniform(6) of
        1 -> {[{give, maps:get(Owner, Others), Owner}], State};
        2 -> {[{give, Owner, Owner}], State};
        3 when Owner =:= b -> {[{kill, b}, settle], State#{shares := false}};
        _ -> {[{give, Owner, maps:get(Owner, Others)}, settle],
              State#{owner := maps:get(Owner, Others)}}
    end.

%% Messages are left waiting only for `a`.
barrier(#{owner := a, shares := false}) -> pick([settle, settle, settle, pause]);
barrier(_) -> settle.

handle(#{kind := accepts}) -> pick([s, s, s, s, s, l]);
handle(_) -> s.

names() -> pick([[active], [active, packet, mode], [packet, packet_size, header, exit_on_close],
                 [active, nodelay, keepalive, buffer, deliver],
                 [show_econnreset, delay_send, active]]).

recv(State) -> recv(State, pick([0, 0, 15])).

recv(#{packet := raw}, Timeout) -> {recv, s, pick([0, 0, 0, 1, 3, 7, 20]), Timeout};
recv(_, Timeout) -> {recv, s, pick([0, 0, 0, 0, 0, 0, 0, 2]), Timeout}.

bytes(Size) -> list_to_binary([rand:uniform(256) - 1 || _ <- lists:seq(1, Size)]).

%% What did not fit into the last piece comes first.
data(State = #{packet := Type, rest := Rest, whole := Whole}) ->
    Good = not one_in(8),
    Bytes = list_to_binary([Rest | [packet(Type, Good) || _ <- lists:seq(1, rand:uniform(4))]]),
    Size = byte_size(Bytes),
    Cut = case one_in(3) of true -> rand:uniform(Size); false -> Size end,
    <<Piece:Cut/binary, Left/binary>> = Bytes,
    Forgotten = Left =/= <<>> andalso one_in(5),
    {Piece, State#{sent := true, rest := case Forgotten of true -> <<>>; false -> Left end,
                   whole := Whole andalso Good andalso not Forgotten}}.

body() -> bytes(weighed([{1, 0}, {2, 1}, {6, rand:uniform(12)}, {1, 40}])).

%% One packet of a type, or perhaps not.
packet(Type, Good) ->
    case Good orelse one_in(2) of
        true -> good(Type);
        false -> bytes(rand:uniform(12))
    end.

good(raw) -> bytes(rand:uniform(12));
good(N) when is_integer(N) ->
    Body = body(),
    <<(byte_size(Body)):N/unit:8, Body/binary>>;
good(line) ->
    Letters = [$a + rand:uniform(3) || _ <- lists:seq(1, rand:uniform(15) - 1)],
    [Letters, pick(["\n", "\n", "\r\n"])];
good(asn1) ->
    Body = body(),
    Size = byte_size(Body),
    pick([<<16#30, Size, Body/binary>>, <<16#30, 16#81, Size, Body/binary>>]);
good(cdr) ->
    Body = body(),
    pick([<<"GIOP", 1, 0, 1, 0, (byte_size(Body)):32/little, Body/binary>>,
          <<"GIOP", 1, 0, 0, 0, (byte_size(Body)):32, Body/binary>>]);
good(sunrm) ->
    Body = body(),
    <<(rand:uniform(2) - 1):1, (byte_size(Body)):31, Body/binary>>;
good(fcgi) ->
    Body = body(),
    Padding = rand:uniform(4) - 1,
    <<1, 5, 0, 1, (byte_size(Body)):16, Padding, 0, Body/binary, 0:Padding/unit:8>>;
good(tpkt) ->
    Body = body(),
    <<3, 0, (byte_size(Body) + 4):16, Body/binary>>;
good(http) -> pick(start_lines());
good(http_bin) -> pick(start_lines() ++ headers());
good(_) -> pick(headers()).

start_lines() ->
    [<<"GET / HTTP/1.1\r\n">>, <<"POST /a?b HTTP/1.0\r\nHost: x\r\n\r\n">>,
     <<"HTTP/1.1 200 OK\r\nServer: y\r\n\r\n">>, <<"BREW * HTTP/1.1\r\n\r\n">>, <<"\r\n">>,
     <<"nonsense\r\n">>, <<"GET http://h:80/p HTTP/1.1\r\nA: b\r\n c\r\n\r\n">>].

headers() ->
    [<<"Host: x\r\n">>, <<"\r\n">>, <<"x-own-field:  y \r\n">>, <<"A: b\r\n\tc\r\n">>, <<":\r\n">>,
     <<"bad header\r\n">>, <<"Content-Length: 3\r\n\r\n">>].
