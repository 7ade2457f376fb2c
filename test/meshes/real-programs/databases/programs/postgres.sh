#!/bin/sh
# PostgreSQL with a database that is gone with it. It refuses to be root's.
set -eu
PATH="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH"
folder=$(mktemp -d -p /tmp hauberk-postgres-XXXXXX)
trap 'rm -rf "$folder"' EXIT
export TMPDIR="$folder"
as=
if [ "$(id -u)" = 0 ]; then
  as='setpriv --reuid=65534 --regid=65534 --clear-groups --'
  chown 65534:65534 "$folder"
fi
cd "$folder"
printf '%s\n' "$PGPASSWORD" > password
chmod 644 password
$as initdb --pgdata="$folder/data" --username=shop --pwfile=password --auth=scram-sha-256 --no-sync > /dev/null
$as postgres -D "$folder/data" -c fsync=off -c listen_addresses="$HOST" -c port="$PORT" -c unix_socket_directories= &
server=$!
trap 'kill -INT "$server"; wait "$server"; exit 0' TERM INT
wait "$server"
