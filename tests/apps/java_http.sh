#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Java's own HTTP server on two processors, from source, with the G1 collector and four threads that make garbage under load;
# SIGTERM runs its shutdown hook and ends it with 143, as on Linux.
# table: Java, HTTP, G1 | openjdk-17-jre-headless | uni pack java
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir site
cat > site/Server.java <<'J'
import com.sun.net.httpserver.HttpServer;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.concurrent.Executors;

public class Server {
  public static void main(String[] a) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(8080), 64);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", exchange -> {
      ArrayList<String> words = new ArrayList<>();
      for (int i = 0; i < 2000; i++) words.add("word " + i);
      String name = ManagementFactory.getGarbageCollectorMXBeans().get(0).getName();
      byte[] answer = (words.size() + " " + name + "\n").getBytes();
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
    server.start();
  }
}
J
pack java.img java -a ./site:/srv -- -XX:+UseG1GC -Xmx128m /srv/Server.java
guest java.img -m 768M -c 2 -p "$port:8080"
url=http://127.0.0.1:$port
await 200 http "$url/"
same "the answer" "$(http "$url/")" "2000 G1 Young Generation"
under_load "$url/"
signal_guest TERM
ended 143 30
same "the shutdown hook" "$(cat guest.out)" hook
