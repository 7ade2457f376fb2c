#!/bin/sh
# Well when the application answers on its own loopback; what the probe itself may do and see is left in /tmp.
{
  echo "user $(id -u), host $(hostname)"
  grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs):' /proc/self/status
  cut -d ' ' -f 1 /proc/net/if_inet6
} > /tmp/probed.new
mv /tmp/probed.new /tmp/probed
exec python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:80/", timeout=4)'
