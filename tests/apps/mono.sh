#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An HTTP server in C# under mono with a thread for each connection, under load; SIGTERM ends it with 143, as on Linux.
# table: C#, mono | mono-runtime | uni pack mono
. "$(dirname "$0")/script_servers.bash"
cat > server.cs <<'CS'
using System;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

class Server {
  static void Serve(object o) {
    using (var client = (TcpClient)o) {
      var stream = client.GetStream();
      var buffer = new byte[4096];
      var answer = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom a script");
      var text = "";
      int n;
      try {
        while ((n = stream.Read(buffer, 0, buffer.Length)) > 0) {
          text += Encoding.ASCII.GetString(buffer, 0, n);
          while (text.IndexOf("\r\n\r\n") >= 0) {
            text = text.Substring(text.IndexOf("\r\n\r\n") + 4);
            stream.Write(answer, 0, answer.Length);
          }
        }
      } catch (System.IO.IOException) {}
    }
  }
  static void Main() {
    var listener = new TcpListener(IPAddress.Any, 8080);
    listener.Start();
    while (true) new Thread(Serve).Start(listener.AcceptTcpClient());
  }
}
CS
mcs server.cs
script_server 143 mono -a ./server.exe:/srv/server.exe -- /srv/server.exe
