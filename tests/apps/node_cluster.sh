#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# node's cluster on two processors: two workers share a port, one is killed and replaced, each asks a thread of
# worker_threads; an answer of each under load; SIGTERM ends all with 0.
# table: node, cluster | nodejs | uni pack node --processes exec
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir app
cat > app/main.js <<'JS'
const cluster = require("cluster"), http = require("http");
const { Worker } = require("worker_threads");
if (cluster.isPrimary) {
  let ending = false;
  cluster.on("exit", (worker, code, signal) => {
    console.log(`worker ended with ${signal || code}`);
    if (!ending) cluster.fork();
    else if (Object.keys(cluster.workers).length === 0) process.exit(0);
  });
  process.on("SIGTERM", () => { ending = true; for (const w of Object.values(cluster.workers)) w.kill(); });
  cluster.fork(); cluster.fork();
} else {
  const thread = new Worker("const { parentPort } = require('worker_threads');" +
    "parentPort.on('message', n => { let s = 0; for (let i = 1; i <= n; i++) s += i; parentPort.postMessage(s); })", { eval: true });
  const waiting = [];
  thread.on("message", sum => waiting.shift().end(`sum ${sum}\n`));
  http.createServer((request, response) => {
    if (request.url === "/sum") { waiting.push(response); thread.postMessage(1000); }
    else if (request.url === "/die") process.kill(process.pid, "SIGKILL");
    else response.end(`${process.pid}\n`);
  }).listen(8080);
}
JS
pack node.img node --processes exec -a ./app:/app -- /app/main.js
guest node.img -m 1G -c 2 -p "$port:8080"
url=http://127.0.0.1:$port
await 120 http "$url/"
workers() { for _ in 1 2 3 4 5 6 7 8; do http "$url/" 2> /dev/null || true; done | sort -u; }
two() { [ "$(workers | wc -l)" = 2 ]; }
await 60 two
before=$(workers)
same "the thread's sum" "$(http "$url/sum")" "sum 500500"
under_load "$url/sum"
http "$url/die" > /dev/null 2>&1 && fail "the killed worker answered"
await 20 grep -q 'worker ended with SIGKILL' guest.out
another() { two && [ "$(sort -u <(workers) <(echo "$before") | wc -l)" = 3 ]; }
await 60 another
signal_guest TERM
ended 0 40
