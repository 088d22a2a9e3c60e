#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An HTTP server in lua with LuaSocket, under load; SIGTERM ends it with 143, as on Linux.
# table: lua, LuaSocket | lua-socket | uni pack lua5.4
. "$(dirname "$0")/script_servers.bash"
cat > server.lua <<'LUA'
local socket = require("socket")
local listener = assert(socket.bind("0.0.0.0", 8080, 64))
local all = {listener}
while true do
  for _, s in ipairs(socket.select(all)) do
    if s == listener then
      local c = s:accept()
      if c then c:settimeout(5); all[#all + 1] = c end
    else
      local line = s:receive("*l")
      while line and line ~= "" do line = s:receive("*l") end
      if line then
        s:send("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom a script")
      else
        s:close()
        for i, other in ipairs(all) do if other == s then table.remove(all, i) break end end
      end
    end
  end
end
LUA
script_server 143 lua5.4 -a ./server.lua:/srv/server.lua -- /srv/server.lua
