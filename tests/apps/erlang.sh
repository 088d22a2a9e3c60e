#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Erlang's machine with two schedulers: a process for each connection, under load; SIGTERM ends it with 0.
# table: Erlang | erlang-base | uni pack beam.smp --processes exec --add-program erl_child_setup
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
root=/usr/lib/erlang
bin=$(dirname "$(find $root -name beam.smp | sort | head -n 1)")
server='{ok, L} = gen_tcp:listen(8080, [{reuseaddr, true}, {active, false}, binary, {backlog, 64}]),
  Serve = fun(Again, S) ->
    case gen_tcp:recv(S, 0) of
      {ok, _} -> gen_tcp:send(S, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfrom erlang"), Again(Again, S);
      _ -> gen_tcp:close(S)
    end
  end,
  Accept = fun(Again) ->
    {ok, S} = gen_tcp:accept(L),
    P = spawn(fun() -> receive go -> Serve(Serve, S) end end),
    ok = gen_tcp:controlling_process(S, P),
    P ! go,
    Again(Again)
  end,
  Accept(Accept).'
pack erlang.img "$bin/beam.smp" --processes exec --add-program "$bin/erl_child_setup" -e BINDIR="$bin" -e ROOTDIR=$root -e EMU=beam \
  -e PROGNAME=erl -- -S 2:2 -- -root $root -bindir "$bin" -progname erl -- -home /root -- -noshell -eval "$server"
guest erlang.img -m 256M -c 2 -p "$port:8080"
url=http://127.0.0.1:$port
await 60 http "$url/"
same "the answer" "$(http "$url/")" "from erlang"
under_load "$url/"
signal_guest TERM
ended 0 20
