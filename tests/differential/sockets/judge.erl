%% SPDX-License-Identifier: MIT
%% Plays a program on both sides and says where they differ; makes one that differs shorter.
-module(judge).
-export([differs/3, shrink/3]).

-define(BAD, "error emsgsize; closed; ").

%% `same`, {differs, Index, Erlang, Weir} with the first line that does, or {known, Name}.
differs({Opening, Steps}, Weir, How) ->
    Program = Opening ++ Steps,
    {Erlang, Weirs} = both(Program, Weir, How),
    case first_difference(1, Erlang, Weirs) of
        same -> same;
        N -> known(N, Program, Erlang, Weirs, Weir, How)
    end.

both(Program, Weir, {Id, Quiet}) ->
    Modes = generate:modes(Program),
    Reference = weir:play(Weir, Program, Quiet, Modes),
    Erlang = play:program(Program, {127, 0, 0, 1 + Id rem 200}, Quiet, Modes),
    {[lists:flatten(L) || L <- nothing_after_closed(Erlang)], weir:lines(Reference)}.

first_difference(_, [], []) -> same;
first_difference(N, [Same | Erlang], [Same | Weir]) -> first_difference(N + 1, Erlang, Weir);
first_difference(N, _, _) -> N.

nth(N, Lines) when N =< length(Lines) -> lists:nth(N, Lines);
nth(_, _) -> "nothing".

%% What weir does otherwise on purpose shows in the first line that differs.
known(N, Program, Erlang, Weirs, Weir, How) ->
    Before = lists:zip(lists:sublist(Program, N - 1), lists:sublist(Erlang, N - 1)),
    Case = {lists:nth(N, Program), nth(N, Erlang), nth(N, Weirs)},
    Play = fun(Steps) -> both(Steps, Weir, How) end,
    case [Name || {Name, Is} <- kinds(hd(Program)), Is(Case, Before, Play)] of
        [Name | _] -> {known, Name};
        [] -> {differs, N, nth(N, Erlang), nth(N, Weirs)}
    end.

kinds({udp_open, _}) ->
    [{a_recv_waits_on, fun a_recv_waits_on/3},
     {a_mean_is_rounded, fun a_mean_is_rounded/3},
     {a_failed_send_is_counted, fun a_failed_send_is_counted/3},
     {an_error_overtakes_datagrams, fun an_error_overtakes_datagrams/3}];
kinds(_) ->
    [{a_poll_reads_once, fun a_poll_reads_once/3},
     {raw_bytes_are_cut_otherwise, fun raw_bytes_are_cut_otherwise/3},
     {the_buffer_of_a_recv_stays, fun the_buffer_of_a_recv_stays/3},
     {a_recv_waits_on, fun a_recv_waits_on/3},
     {an_error_is_late, fun an_error_is_late/3},
     {a_header_as_long_as_the_buffer, fun a_header_as_long_as_the_buffer/3},
     {the_rest_of_a_packet_is_awaited, fun the_rest_of_a_packet_is_awaited/3},
     {a_broken_stream_goes_on, fun a_broken_stream_goes_on/3},
     {a_shut_end_reads_on, fun a_shut_end_reads_on/3},
     {a_mean_is_rounded, fun a_mean_is_rounded/3},
     {a_send_fails_later, fun a_send_fails_later/3},
     {a_process_is_told_later, fun a_process_is_told_later/3},
     {the_queue_outlives_the_end, fun the_queue_outlives_the_end/3},
     {a_reset_is_told_again, fun a_reset_is_told_again/3},
     {a_failed_send_is_counted, fun a_failed_send_is_counted/3}].

steps_of(Before) -> [Step || {Step, _} <- Before].

%% recv with time 0 reads the kernel's bytes once here; weir reads all there are, with the end.
a_poll_reads_once({{recv, _, Length, 0}, "timeout", _}, Before, Play) ->
    is_same(Play(steps_of(Before) ++ [{recv, s, Length, 30}]));
a_poll_reads_once(_, _, _) -> false.

%% How much one read gives is the kernel's business, and the reader's.
raw_bytes_are_cut_otherwise({{recv, _, 0, _}, "ok " ++ Erlang, "ok " ++ Weir}, Before, Play) ->
    Erlang =/= Weir andalso is_raw(Before) andalso
        (is_same(Play(steps_of(Before) ++ [{drain, s}])) orelse
         is_started(Before) andalso is_same_after([{join, x}, {drain, s}], Before, Play));
raw_bytes_are_cut_otherwise({settle, Erlang, Weir}, Before, Play) ->
    has_bytes(Erlang) andalso has_bytes(Weir) andalso is_same_in_the_end(Before, Play);
raw_bytes_are_cut_otherwise({Step, _, _}, Before, Play) when is_tuple(Step) ->
    lists:member(element(1, Step), [getstat, recv, getopts, join]) andalso is_raw(Before) andalso
        (is_same_in_the_end(Before, Play) orelse
         is_started(Before) andalso is_same_after([{join, x}, {drain, s}], Before, Play));
raw_bytes_are_cut_otherwise(_, _, _) -> false.

has_bytes(Line) -> has_line(" tcp ", [Line]) orelse has_line(" port ", [Line]).

%% Whatever was asked for last.
is_same_in_the_end(Before, Play) ->
    Backwards = lists:dropwhile(fun({Step, _}) -> is_change(Step) end, lists:reverse(Before)),
    Kept = lists:reverse(Backwards),
    is_same_after([settle, {setopts, s, [{active, true}]}, settle], Kept, Play).

is_change({setopts, s, Options}) -> lists:keymember(packet, 1, Options);
is_change({close, s}) -> true;
is_change(Step) -> Step =:= settle orelse Step =:= pause.

is_started(Before) -> lists:any(fun({{start, x, _}, _}) -> true; (_) -> false end, Before).

%% All options that were given, in order.
options_of(Before) ->
    lists:append([case Step of
                      {listen, Options} -> Options;
                      {connect, Options} -> Options;
                      {setopts, s, Options} -> Options;
                      _ -> []
                  end || {Step, _} <- Before]).

is_raw(Before) ->
    Types = [raw | [Type || {packet, Type} <- options_of(Before)]],
    lists:last(Types) =:= raw.

%% The same bytes in the end.
is_same_after(Steps, Before, Play) ->
    {Erlang, Weirs} = Play(steps_of(Before) ++ Steps),
    N = length(Before),
    run_together(lists:nthtail(N, Erlang)) =:= run_together(lists:nthtail(N, Weirs)).

run_together(Lines) ->
    Words = string:lexemes(lists:append([Line ++ " " || Line <- Lines]), " ;+:"),
    lists:append([Word || Word <- Words, not lists:member(Word, words())]).

%% All that are no bytes, but for those that say how it ends.
words() -> ["tcp", "port", "passive", "ok", "waits", "timeout", "einval", "a", "b", "l"].

is_same({Erlang, Weirs}) -> Erlang =:= Weirs.

%% recv of N bytes leaves a buffer of N bytes behind when it times out, which bounds the next reads
%% of raw bytes here.
the_buffer_of_a_recv_stays({Step, _, _}, Before, Play) ->
    Without = [{S, Line} || {S, Line} <- Before, not is_cut_recv(S, Line)],
    CanJoin = is_started(Without),
    Others = [{S, Line} || {S, Line} <- Without, CanJoin orelse S =/= {join, x}],
    length(Others) < length(Before) andalso
        (is_same_after([S || S <- [Step], CanJoin orelse S =/= {join, x}], Others, Play) orelse
         is_same_after([{drain, s}], Others, Play) orelse is_same_in_the_end(Others, Play)).

is_cut_recv({recv, _, N, _}, "timeout") -> N > 0;
is_cut_recv({start, x, {recv, _, N, _}}, _) -> N > 0;
is_cut_recv(_, _) -> false.

%% A recv that waits while the socket is active for a while is not served here by what comes next.
a_recv_waits_on({Step, _, _}, Before, _) ->
    Served = Step =:= settle orelse
        lists:member(element(1, Step), [join, recv, udp_recv, drain, getstat]),
    After = lists:dropwhile(fun({{start, x, _}, _}) -> false; (_) -> true end, Before),
    Served andalso
        lists:any(fun({active, How}) -> How =/= false; (_) -> false end, options_of(After)).

%% A packet that cannot be framed behind a good one is noticed here when the next bytes come, or
%% never.
an_error_is_late({settle, Erlang, Weir}, _, _) ->
    Erlang =/= Weir andalso lists:append(string:replace(Weir, ?BAD, "")) =:= Erlang;
an_error_is_late({Step, _, Weir}, Before, Play)
  when is_tuple(Step), Weir =:= "einval"; is_tuple(Step), Weir =:= "closed" ->
    {Erlang, Weirs} = Play(steps_of(Before) ++ [settle]),
    an_error_is_late({settle, lists:last(Erlang), lists:last(Weirs)}, Before, Play);
an_error_is_late(_, _, _) -> false.

%% The end of a header is seen with the byte behind it, which must fit into the buffer as well here.
a_header_as_long_as_the_buffer({Step, _, _}, Before, Play) ->
    Sizes = [N || {buffer, N} <- options_of(Before)],
    Sizes =/= [] andalso
        is_same(Play([wider(S) || S <- steps_of(Before)] ++ [Step])).

wider({Call, Options}) when Call =:= listen; Call =:= connect ->
    {Call, [case Option of {buffer, N} -> {buffer, N + 1}; _ -> Option end || Option <- Options]};
wider(Step) -> Step.

%% A packet of known size that has begun is waited for here even when {packet,Type} changes.
the_rest_of_a_packet_is_awaited({Step, Erlang, Weir}, Before, _) ->
    Changes = [Type || {{setopts, s, Options}, "ok"} <- [{Step, Erlang} | Before],
                       {packet, Type} <- Options],
    Changes =/= [] andalso
        case Step of
            {recv, _, _, _} -> Erlang =:= "timeout" andalso lists:prefix("ok ", Weir);
            settle -> lists:prefix(lists:droplast(lists:droplast(Erlang)), Weir);
            _ -> false
        end.

%% {exit_on_close,false}: what follows a packet that cannot be framed is framed here.
a_broken_stream_goes_on(_, Before, Play) ->
    has_option({exit_on_close, false}, Before) andalso
        (has_line("emsgsize", [Line || {_, Line} <- Before]) orelse
         is_started(Before) andalso
             begin
                 {Erlang, Weirs} = Play(steps_of(Before) ++ [{join, x}]),
                 has_line("emsgsize", [lists:last(Erlang)]) andalso
                     has_line("emsgsize", [lists:last(Weirs)])
             end).

has_line(Word, Lines) -> lists:any(fun(Line) -> string:find(Line, Word) =/= nomatch end, Lines).

%% What comes after shutdown(read) is read here all the same, as the kernel has it.
a_shut_end_reads_on({Step, _, _}, Before, _) ->
    Reads = Step =:= settle orelse is_started(Before) orelse
        lists:member(element(1, Step), [recv, getstat]),
    Reads andalso
        lists:any(fun({{shutdown, _, How}, _}) -> How =/= write; (_) -> false end, Before).

%% Here it is a sum of rounded numbers, in weir the quotient of two sums.
a_mean_is_rounded({{getstat, _}, "ok " ++ Erlang, "ok " ++ Weir}, _, _) ->
    lists:all(fun({N, Number, Other}) ->
                  Number =:= Other orelse
                      abs(Number - Other) =:= 1 andalso lists:member(N, [3, 5, 8])
              end, lists:zip3(lists:seq(1, 9), numbers(Erlang), numbers(Weir)));
a_mean_is_rounded(_, _, _) -> false.

numbers(Line) -> [list_to_integer(Word) || Word <- string:lexemes(Line, " ")].

%% Here an empty send goes well, and one with {delay_send,true} fails later.
a_send_fails_later({{Send, _, Bytes}, "ok", Weir}, Before, _)
  when Send =:= send orelse Send =:= fill, Weir =:= "closed" orelse Weir =:= "econnreset" ->
    Bytes =:= <<>> orelse has_option({delay_send, true}, Before);
a_send_fails_later(_, _, _) -> false.

%% A process of weir's comes back from a send at once; its next call is told what became of it.
a_process_is_told_later({{Send, S, _} = Step, Erlang, "ok"}, Before, Play)
  when Send =:= send orelse Send =:= fill, Erlang =/= "ok", Erlang =/= "timeout" ->
    weir:is_of_processes() andalso
        lists:last(element(2, Play(steps_of(Before) ++ [Step, pause, {send, S, <<7>>}]))) =/= "ok";
a_process_is_told_later(_, _, _) -> false.

has_option(Option, Before) -> lists:member(Option, options_of(Before)).

has_failed_send(Before) ->
    Sends = [send, fill, udp_send, udp_send_on, udp_send_to_port, udp_send_to_inet6],
    lists:any(fun({{Send, _, _}, Line}) -> lists:member(Send, Sends) andalso Line =/= "ok";
                 (_) -> false
              end, Before).

%% When an end or an error is told here, what is queued is lost.
the_queue_outlives_the_end({{remote, drain}, "ok 0 closed", "ok " ++ _}, Before, _) ->
    has_line("closed", [Line || {Step, Line} <- Before, Step =/= {close, s}]);
the_queue_outlives_the_end(_, _, _) -> false.

%% {exit_on_close,false}: who asks to be active once a reset has been told meets it again here, and
%% one more send is told so, by another name.
a_reset_is_told_again({{send, _, _}, "closed", Weir}, Before, _)
  when Weir =:= "enotconn"; Weir =:= "econnreset" ->
    After = lists:dropwhile(fun({Step, _}) -> Step =/= {remote, reset} end, Before),
    has_option({exit_on_close, false}, Before) andalso
        lists:any(fun({active, How}) -> How =/= false; (_) -> false end, options_of(After)) andalso
        has_failed_send(After);
a_reset_is_told_again(_, _, _) -> false.

%% Here a send is counted before it fails.
a_failed_send_is_counted({{getstat, _}, _, _}, Before, _) -> has_failed_send(Before);
a_failed_send_is_counted(_, _, _) -> false.

%% The kernel tells of an error before it gives datagrams that came earlier; weir may have those
%% already, and gives them first.
an_error_overtakes_datagrams({{udp_recv, _, _}, "econnrefused", "ok " ++ _}, Before, Play) ->
    is_same_in_other_order(steps_of(Before) ++ what_is_there(), Play);
an_error_overtakes_datagrams({settle, Erlang, Weir}, _, _) ->
    Words = fun(Line) -> lists:sort(string:lexemes(Line, " ;")) end,
    has_line(" error ", [Erlang]) andalso Words(Erlang) =:= Words(Weir);
an_error_overtakes_datagrams({{udp_recv, S, _}, "ok " ++ _, "ok " ++ _}, Before, Play) ->
    an_error_overtakes_datagrams({{getstat, S}, "ok ", "ok "}, Before, Play);
an_error_overtakes_datagrams({{getstat, _}, "ok " ++ _, "ok " ++ _}, Before, Play) ->
    is_started(Before) andalso
        is_same_in_other_order(steps_of(Before) ++ [{join, x} | what_is_there()], Play);
an_error_overtakes_datagrams(_, _, _) -> false.

what_is_there() -> lists:duplicate(8, {udp_recv, s, 0}).

is_same_in_other_order(Steps, Play) ->
    {Erlang, Weirs} = Play(Steps),
    lists:sort(Erlang) =:= lists:sort(Weirs).

%% Nothing follows closed in weir; here somebody may still be told that he is passive, or that a
%% send has failed.
nothing_after_closed(Lines) -> nothing_after_closed(Lines, false).

nothing_after_closed([], _) -> [];
nothing_after_closed([Line | Lines], true) -> [silenced(Line) | nothing_after_closed(Lines, true)];
nothing_after_closed([Line | Lines], false) ->
    case string:split(Line, "closed; ") of
        [Before, After] ->
            [Before ++ "closed; " ++ silenced(After) | nothing_after_closed(Lines, true)];
        _ -> [Line | nothing_after_closed(Lines, false)]
    end.

silenced(Line) ->
    lists:foldl(fun(Word, Left) -> lists:append(string:replace(Left, Word, "", all)) end, Line,
                ["passive; ", "error econnreset; ", "error emsgsize; "]).

%% Leaves out what can be, one step at a time from the end, then options.
shrink({Opening, _} = Program, Weir, How) ->
    case differs(Program, Weir, How) of
        {differs, N, _, _} ->
            {_, Steps} = cut(Program, N),
            {_, Shorter} = without(length(Steps) - 1, {Opening, Steps}, Weir, How),
            plainer(1, {Opening, Shorter}, Weir, How);
        _ -> Program
    end.

cut({Opening, Steps}, N) -> {Opening, lists:sublist(Steps, max(0, N - length(Opening)))}.

without(N, Program, _, _) when N < 1 -> Program;
without(N, {Opening, Steps} = Program, Weir, How) ->
    {Before, [_ | After]} = lists:split(N - 1, Steps),
    Shorter = {Opening, Before ++ After},
    case is_needed(lists:nth(N, Steps), After) orelse differs(Shorter, Weir, How) of
        {differs, M, _, _} ->
            Cut = cut(Shorter, M),
            without(min(N - 1, length(element(2, Cut)) - 1), Cut, Weir, How);
        _ -> without(N - 1, Program, Weir, How)
    end.

is_needed({start, Slot, _}, After) -> lists:member({join, Slot}, After);
is_needed(Barrier, [Next | _]) when Barrier =:= settle; Barrier =:= pause ->
    Next =/= settle andalso Next =/= pause;
is_needed(_, _) -> false.

plainer(N, {[{Call, Options} | Rest], Steps} = Program, Weir, How)
  when Call =:= listen, N =< length(Options) ->
    {Before, [_ | After]} = lists:split(N - 1, Options),
    Shorter = {[{Call, Before ++ After} | Rest], Steps},
    case differs(Shorter, Weir, How) of
        {differs, _, _, _} -> plainer(N, Shorter, Weir, How);
        _ -> plainer(N + 1, Program, Weir, How)
    end;
plainer(_, Program, _, _) -> Program.
