#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# prometheus on two processors: scrapes itself, answers queries under load; SIGTERM ends it with 0.
# table: prometheus | prometheus | uni pack prometheus
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cat > prometheus.yml <<'CONF'
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
scrape_configs:
  - job_name: itself
    static_configs:
      - targets: ['127.0.0.1:9090']
CONF
pack prometheus.img prometheus -a ./prometheus.yml:/etc/prometheus/prometheus.yml \
  -- --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/var/lib/prometheus
guest prometheus.img -c 2 -m 256M -p "$port:9090"
url=http://127.0.0.1:$port
await 60 http "$url/-/ready"
scraped() { http "$url/api/v1/query?query=up" | grep -q '"job":"itself"},"value":\[[0-9.]*,"1"\]'; }
await 30 scraped
under_load "$url/api/v1/query?query=up"
signal_guest TERM
ended 0 20
