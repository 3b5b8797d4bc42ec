%% SPDX-License-Identifier: MIT
%% The program that plays on weir: subject.c.
-module(weir).
-export([start/1, is_of_processes/0, play/4, lines/1]).

%% "PATH ARGUMENT ..."
start(Command) ->
    [Path | Arguments] = string:lexemes(Command, " "),
    persistent_term:put(of_processes, Arguments =:= ["processes"]),
    Self = self(),
    spawn_link(fun() ->
        Program = open_port({spawn_executable, Path},
                            [{args, Arguments}, {line, 1 bsl 18}, binary, exit_status]),
        Self ! {self(), started},
        serve(Program, 1, #{})
    end).

is_of_processes() -> persistent_term:get(of_processes).

play(Weir, Program, Quiet, Modes) ->
    Reference = make_ref(),
    Weir ! {play, {self(), Reference}, Program, Quiet, case Modes of true -> 1; false -> 0 end},
    Reference.

lines(Reference) -> receive {Reference, Lines} -> Lines after 60000 -> ["no answer"] end.

serve(Program, Next, Waiting) ->
    receive
        {play, From, Steps, Quiet, Modes} ->
            Head = io_lib:format("~w ~w ~w ~w~n", [Next, Quiet, Modes, length(Steps)]),
            port_command(Program, [Head | [[generate:text(Step), $\n] || Step <- Steps]]),
            serve(Program, Next + 1, Waiting#{Next => {From, []}});
        {Program, {data, {eol, Line}}} ->
            [Id, Text] = binary:split(Line, <<" ">>),
            serve(Program, Next, answer(binary_to_integer(Id), binary_to_list(Text), Waiting));
        {Program, {exit_status, Status}} ->
            io:format("the subject ended: ~w~n", [Status]),
            halt(1)
    end.

answer(Id, Text, Waiting) ->
    {{Pid, Reference} = From, Lines} = maps:get(Id, Waiting),
    case Text of
        "end" ->
            Pid ! {Reference, lists:reverse(Lines)},
            maps:remove(Id, Waiting);
        _ ->
            Waiting#{Id := {From, [Text | Lines]}}
    end.
