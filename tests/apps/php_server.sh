#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# php's own server (`php -S`): a script, a file beside it, under load; SIGINT ends it with 0, as on Linux.
# table: php -S | php-cli | uni pack php
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir site
cat > site/index.php <<'PHP'
<?php
$answer = json_encode(["sum" => array_sum(range(1, 8)), "asked" => $_GET["q"] ?? null]);
header("Content-Length: " . strlen($answer));
echo $answer;
PHP
echo "a page" > site/page.txt
pack php.img php -a ./site:/srv -- -S 0.0.0.0:8080 -t /srv
guest php.img -m 256M -p "$port:8080"
url=http://127.0.0.1:$port
await 60 http "$url/"
same "the script's answer" "$(http "$url/?q=x")" '{"sum":36,"asked":"x"}'
same "the page" "$(http "$url/page.txt")" "a page"
under_load "$url/"
signal_guest INT
ended 0 20
