%% SPDX-License-Identifier: MIT
%% Plays programs with gen_tcp and with weir, many at a time, and compares what each step gave.
%%   main SUBJECT SEED COUNT [ID]
-module(main).
-export([main/0]).

-define(AT_A_TIME, 60).
-define(SHOWN, 10).
-define(QUIET_MS, 30).
%% A difference counts when it is still there with this much time for things to settle.
-define(SURE_MS, 150).
-define(SHRINK_MS, 60).
%% And on a machine that is busy, with few programs beside it.
-define(CALM_MS, 800).
%% And each time that its program is played with no other beside it.
-define(ALONE_MS, 400).
-define(ALONE_TIMES, 3).
-define(SUSPECTS, 20).

main() ->
    [Subject | Numbers] = init:get_plain_arguments(),
    Weir = weir:start(Subject),
    halt(run(Weir, [list_to_integer(N) || N <- Numbers])).

run(Weir, [Seed, Count]) ->
    Results = in_parallel(fun(Id) -> try_one(Weir, Seed, Id) end, lists:seq(1, Count)),
    Bad = convicted(Weir, Seed, [Id || {Id, differs} <- Results]),
    io:format("~w programs, ~w unsettled, known differences ~w, ~w differ~n",
              [Count, length([1 || {_, unsettled} <- Results]),
               counted([Name || {_, {known, Name}} <- Results]), length(Bad)]),
    Shown = in_parallel(fun(Id) -> show(Weir, Seed, Id) end, lists:sublist(Bad, ?SHOWN)),
    [io:put_chars(Text) || {_, Text} <- Shown],
    case Bad of [] -> 0; _ -> 1 end;
run(Weir, [Seed, _, Id]) ->
    Program = generate:program(Seed, Id),
    io:put_chars([written(Program), shown(judge:differs(Program, Weir, {Id, ?ALONE_MS})),
                  show(Weir, Seed, Id)]),
    0.

try_one(Weir, Seed, Id) ->
    Program = generate:program(Seed, Id),
    case judge:differs(Program, Weir, {Id, ?QUIET_MS}) of
        {differs, _, _, _} -> try_again(Program, Weir, Id);
        Result -> Result
    end.

try_again(Program, Weir, Id) ->
    case judge:differs(Program, Weir, {Id, ?SURE_MS}) of
        {differs, _, _, _} -> differs;
        same -> unsettled;
        Known -> Known
    end.

convicted(Weir, Seed, Suspects) ->
    Calmly = fun(Id) -> judge:differs(generate:program(Seed, Id), Weir, {Id, ?CALM_MS}) end,
    alone(Weir, Seed, [Id || {Id, {differs, _, _, _}} <- in_parallel(Calmly, Suspects)]).

alone(_, _, Suspects) when length(Suspects) > ?SUSPECTS -> Suspects;
alone(Weir, Seed, Suspects) ->
    [Id || Id <- Suspects, differs_alone(generate:program(Seed, Id), Weir, Id, ?ALONE_TIMES)].

differs_alone(_, _, _, 0) -> true;
differs_alone(Program, Weir, Id, Times) ->
    case judge:differs(Program, Weir, {Id, ?ALONE_MS}) of
        {differs, _, _, _} -> differs_alone(Program, Weir, Id, Times - 1);
        _ -> false
    end.

%% The shortest of it that still differs.
show(Weir, Seed, Id) ->
    Program = judge:shrink(generate:program(Seed, Id), Weir, {Id, ?SHRINK_MS}),
    Head = io_lib:format("--seed ~w --program ~w:~n", [Seed, Id]),
    [Head, written(Program), shown(judge:differs(Program, Weir, {Id, ?SURE_MS}))].

written({Opening, Steps}) -> [["  ", generate:text(Step), $\n] || Step <- Opening ++ Steps].

shown({differs, N, Erlang, Weir}) ->
    io_lib:format("  step ~w gives~n    erlang ~s~n    weir   ~s~n", [N, Erlang, Weir]);
shown(Other) -> io_lib:format("  ~w~n", [Other]).

counted(Names) -> [{Name, length([N || N <- Names, N =:= Name])} || Name <- lists:usort(Names)].

%% [{Item, Result}]
in_parallel(Fun, List) ->
    Self = self(),
    {Now, Later} = lists:split(min(?AT_A_TIME, length(List)), List),
    Start = fun(Item) -> spawn_link(fun() -> Self ! {done, Item, Fun(Item)} end) end,
    lists:foreach(Start, Now),
    gather(length(List), Later, Start).

gather(0, [], _) -> [];
gather(Count, Later, Start) ->
    receive
        {done, Item, Result} ->
            Rest = case Later of
                [Next | More] -> Start(Next), More;
                [] -> []
            end,
            [{Item, Result} | gather(Count - 1, Rest, Start)]
    end.
