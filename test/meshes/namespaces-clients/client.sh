#!/bin/sh
# One line for each URL: its status and the first line of its body, or why there is none.
for url; do
  if body=$(curl --silent --show-error --max-time 5 --write-out '\n%{http_code}' "$url" 2>&1); then
    printf '%s %s\n' "$(printf '%s' "$body" | tail -n 1)" "$(printf '%s' "$body" | head -n 1)"
  else
    printf 'failed: %s\n' "$(printf '%s' "$body" | grep '^curl:')"
  fi
done
