#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An HTTP server in ruby with a thread for each connection, under load; SIGTERM ends it with the status of its own handler.
# table: ruby, HTTP | ruby | uni pack ruby
. "$(dirname "$0")/script_servers.bash"
cat > server.rb <<'RB'
require "socket"
trap("TERM") { exit! 4 }
server = TCPServer.new("0.0.0.0", 8080)
loop do
  Thread.new(server.accept) do |client|
    while (line = client.gets)
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom a script") if line == "\r\n"
    end
  rescue SystemCallError
    client.close
  end
end
RB
script_server 4 ruby -a ./server.rb:/srv/server.rb -- /srv/server.rb
