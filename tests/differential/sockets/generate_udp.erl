%% SPDX-License-Identifier: MIT
%% Programs of datagrams, as generate.erl has them of connections.
%% Left out here, because weir does it otherwise on purpose or does more:
%%   header, deliver port             as there
%%   getopts of keepalive             the kernel has it for every socket, so it is there here
%%   port 0 of a connected socket     is whom it is connected to here
%%   calls of connections             gen_tcp's are undefined on these sockets here
%%   handing over what is closed      kills who does it here
%%   a second connect                 what a socket that waits has met of the first peer is told or
%%                                    not as time has it
%%   a connect while a recv waits     neither ever returns here: the recv is answered for the connect
%%   a receive buffer that is full    which datagrams the kernel drops is as its reader has time
%%   a mailbox that is full           holds its socket back there, as no process does here
-module(generate_udp).
-export([program/2]).
-import(generate, [pick/1, one_in/1, weighed/1, bytes/1, barrier/1, give/1]).

program(Seed, Id) ->
    rand:seed(exsss, erlang:phash2({udp, Seed, Id}, 1 bsl 32)),
    State = #{remote => open, owner => a, connected => false, slot => free, shares => one_in(4),
              sizes => one_in(3)},
    Options = [pick([binary, list]), {active, active()} | roomy() ++ sizes(State)],
    Opening = [{udp_open, Options}, {remote, udp}, settle],
    {Opening, steps(3 + rand:uniform(12), State) ++ [{getstat, s}, settle]}.

roomy() -> [{recbuf, 200000}, {high_msgq_watermark, 200000}].

sizes(#{sizes := true}) -> [{buffer, pick([1, 5, 12, 30])}];
sizes(_) -> [].

active() ->
    weighed([{6, false}, {5, true}, {5, once}, {2, 1}, {2, 2}, {1, 5}, {1, -1}, {1, 0}, {1, -3}]).

more_active() -> weighed([{10, active()}, {1, 32767}, {1, -32768}, {1, 32766}]).

steps(0, _) -> [];
steps(Count, State) ->
    {Steps, Next} = act(State),
    Steps ++ steps(Count - 1, Next).

act(State = #{remote := Remote}) ->
    Acts = [{12, recv}, {8, active}, {3, setopts}, {2, getopts}, {8, send},
            {1, close}, {2, name}, {2, getstat}, {2, give}, {2, background}, {2, odd}, {2, connect}
            | case Remote of
                  open -> [{20, data}, {3, read}, {2, leave}];
                  gone -> []
              end],
    act(weighed(Acts), State).

act(recv, State) -> {[{udp_recv, s, pick([0, 0, 15])}], State};
act(active, State) -> {[{setopts, s, [{active, more_active()}]}, barrier(State)], State};
act(setopts, State) ->
    Option = pick([{mode, pick([binary, list])}, {read_packets, rand:uniform(20)},
                   {priority, 2}, {broadcast, pick([true, false])}, {nodelay, true},
                   {packet, 4}, {high_watermark, 10}, {send_timeout, 1}]),
    {[{setopts, s, [Option | [{active, active()} || one_in(3)]]}, barrier(State)], State};
act(getopts, State) ->
    {[{getopts, s, pick([[active], [active, mode, buffer], [read_packets, broadcast, deliver],
                         [active, nodelay, high_watermark, header], [recbuf, priority, dontroute]])}],
     State};
act(send, State = #{connected := Connected}) ->
    To = case Connected of true -> pick([udp_send, udp_send_on, udp_send_on]); _ -> udp_send end,
    {[{To, s, bytes(size())}, barrier(State)], State};
act(close, State) -> {[{close, s}, barrier(State)], State#{shares := false}};
act(name, State) -> {[{pick([peername, sockname, port]), s}], State};
act(getstat, State) -> {[{getstat, s}], State};
act(give, State) -> give(State);
act(background, State = #{slot := free}) ->
    {[{start, x, {udp_recv, s, pick([15, 500, 5000])}}], State#{slot := used}};
act(background, State = #{slot := used}) -> {[{join, x}], State};
act(odd, State = #{connected := Connected}) ->
    {[pick([{udp_send_to_port, s, 0} || not Connected] ++
           [{udp_send, s, binary:copy(<<7>>, 65508)}, {udp_send_on, s, <<1>>}, {udp_send, s, <<>>},
            {udp_send_to_inet6, s, 9}, {setopts, s, [{active, 1}, {active, 32766}]}]),
      barrier(State)], State};
act(connect, State = #{connected := false, slot := free}) ->
    {[{udp_connect, s}, barrier(State)], State#{connected := true}};
act(connect, State) -> {[{peername, s}], State};
act(data, State) ->
    Count = weighed([{5, 1}, {2, 2}, {2, 3}, {1, 6}]),
    {[{remote, {send, bytes(size())}} || _ <- lists:seq(1, Count)] ++ [barrier(State)], State};
act(read, State) -> {[settle, {remote, datagrams}], State};
act(leave, State) -> {[settle, {remote, close}, barrier(State)], State#{remote := gone}}.

size() -> weighed([{1, 0}, {2, 1}, {6, rand:uniform(12)}, {2, 40}, {1, 2000}]).
