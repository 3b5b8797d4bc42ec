#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% Reads lines `type TAB options TAB hex` from a file and prints what erlang:decode_packet/3 gives,
%% in ASCII, one term per line.
-mode(compile).

main([Path]) ->
    {ok, Cases} = file:read_file(Path),
    ok = file:write(standard_io, [[answer(Case), $\n] || Case <- lines(Cases)]).

lines(Cases) ->
    binary:split(Cases, <<"\n">>, [global, trim]).

answer(Case) ->
    [Type, Options, Hex] = binary:split(Case, <<"\t">>, [global]),
    Result = (catch erlang:decode_packet(type(Type), bytes(Hex), options(Options))),
    ascii(io_lib:format("~0p", [strip(Result)])).

%% The vectors show the reason of an exit alone.
strip({'EXIT', {Reason, _Stack}}) -> {'EXIT', Reason};
strip(Result) -> Result.

type(<<Digit>>) when Digit >= $0, Digit =< $9 -> Digit - $0;
type(Name) -> binary_to_atom(Name).

options(Text) ->
    {ok, Tokens, _} = erl_scan:string(binary_to_list(Text) ++ "."),
    {ok, Options} = erl_parse:parse_term(Tokens),
    Options.

bytes(<<"-">>) -> <<>>;
bytes(Hex) -> binary:decode_hex(Hex).

ascii(Text) ->
    [ascii_char(C) || C <- lists:flatten(Text)].

ascii_char(C) when C > 126 -> io_lib:format("\\x{~.16b}", [C]);
ascii_char(C) -> C.
