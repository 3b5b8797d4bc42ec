#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% Texts that look like addresses, and what a real Erlang makes of them.
%%   addresses.escript generate SEED COUNT      prints a text a line
%%   addresses.escript compare TEXTS ANSWERS    compares with what `weir address --batch` answers
%% No text has a plus sign: this Erlang takes one in front of a number, weir does not; nor the minus
%% sign of a zero.

main(["generate", Seed, Count]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    io:put_chars([[text(), $\n] || _ <- lists:seq(1, list_to_integer(Count))]);
main(["compare", Texts, Answers]) ->
    Pairs = lists:zip(lines(Texts), lines(Answers)),
    Differences = [{T, W, E} || {T, W} <- Pairs, E <- [answer(T)], W =/= E,
                   not is_minus_zero(T, W)],
    [io:format("~ts~n  erlang ~ts~n  weir   ~ts~n", [T, E, W])
     || {T, W, E} <- lists:sublist(Differences, 10)],
    Taken = length([ok || {_, W} <- Pairs, not lists:suffix("\t-", W)]),
    io:format("~w texts, ~w of them addresses, ~w differences~n",
              [length(Pairs), Taken, length(Differences)]),
    halt(case Differences =:= [] andalso Taken * 5 > length(Pairs) of true -> 0; false -> 1 end).

is_minus_zero(Text, Answer) ->
    lists:suffix("\t-", Answer) andalso string:find(Text, "-0") =/= nomatch.

answer("<empty>") -> answer("");
answer(Text) ->
    Address = inet_parse:address(Text),
    Ntoa = case Address of {ok, A} -> inet_parse:ntoa(A); _ -> "-" end,
    lists:flatten(io_lib:format("~w\t~w\t~w\t~w\t~s",
        [Address, inet_parse:strict_address(Text), inet_parse:ipv4_address(Text),
         inet_parse:ipv6_address(Text), Ntoa])).

lines(File) ->
    {ok, Bytes} = file:read_file(File),
    string:split(string:trim(binary_to_list(Bytes), trailing, "\n"), "\n", all).

pick(List) -> lists:nth(rand:uniform(length(List)), List).
below(N) -> rand:uniform(N) - 1.
some(Most, Make) -> [Make() || _ <- lists:seq(1, below(Most + 1))].

text() ->
    Text = lists:flatten(case below(10) of
        N when N < 3 -> v4();
        N when N < 7 -> v6();
        7 -> [v6(), $%, scope()];
        8 -> damaged(v4());
        9 -> damaged(v6())
    end),
    case Text of [] -> "<empty>"; _ -> Text end.

v4() -> lists:join($., [field() || _ <- lists:seq(1, pick([1, 2, 3, 4, 4, 4, 4, 5]))]).

field() ->
    case below(8) of
        0 -> ["0", integer_to_list(below(256), 8)];
        1 -> [pick(["0x", "0X", "0x000"]), pick(["", hex(256), hex(16#fffffffff)])];
        2 -> integer_to_list(below(1 bsl pick([8, 16, 24, 32, 33, 40])));
        3 -> [lists:duplicate(below(13), $0), integer_to_list(below(300))];
        _ -> integer_to_list(below(260))
    end.

hex(N) -> Digits = integer_to_list(below(N), 16), pick([Digits, string:lowercase(Digits)]).

groups(N) -> lists:join($:, [group() || _ <- lists:seq(1, N)]).
group() -> pick(["0", "0", "00", "1", hex(16), hex(65536), hex(65536), hex(1048576)]).

v6() ->
    First = pick(["", "", "", "fe80:", "ff02:", "fe80:0:", "fe80:7:", "FE80:", "fe81:", "::ffff:"]),
    case below(6) of
        0 -> [First, groups(pick([5, 6, 7, 8, 8]))];
        1 -> [First, groups(below(5)), "::", groups(below(5))];
        2 -> [First, "::", groups(below(4))];
        3 -> [First, groups(below(7)), pick([":", "::"]), v4()];
        4 -> [First, groups(6 - length(First) div 4), ":", v4()];
        5 -> [First, groups(below(8)), "::"]
    end.

scope() -> pick(["", "0", "1", "01", "eth0", "lo", "065535", "065536", "00", "0a", "00017", "%"]).

damaged(Text) -> damage(lists:flatten(Text), rand:uniform(3)).
damage(Text, 0) -> Text;
damage(Text, N) ->
    {Before, After} = lists:split(below(length(Text) + 1), Text),
    Rest = case {below(3), After} of {0, [_ | Tail]} -> Tail; _ -> After end,
    damage(Before ++ some(1, fun() -> pick(".:%xX0123456789abcdefg -_/[]~") end) ++ Rest, N - 1).
