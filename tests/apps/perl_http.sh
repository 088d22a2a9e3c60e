#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An HTTP server in perl with IO::Socket and IO::Select, under load; SIGTERM ends it with the status of its own handler.
# table: perl, HTTP | perl | uni pack perl
. "$(dirname "$0")/script_servers.bash"
cat > server.pl <<'PL'
use strict;
use IO::Socket::INET;
use IO::Select;
$SIG{TERM} = sub { exit 4 };
my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die "no socket: $!";
my $all = IO::Select->new($listener);
while (my @ready = $all->can_read) {
  for my $s (@ready) {
    if ($s == $listener) { my $c = $s->accept; $all->add($c) if $c; next; }
    if ($s->sysread(my $asked, 4096)) { $s->syswrite("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom a script"); }
    else { $all->remove($s); $s->close; }
  }
}
PL
script_server 4 perl -a ./server.pl:/srv/server.pl -- /srv/server.pl
