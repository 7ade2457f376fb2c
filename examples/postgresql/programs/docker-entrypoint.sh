#!/bin/sh
# What the entry point of the image does: on the first start it makes the data folder and the database and runs the SQL
# of /docker-entrypoint-initdb.d; then the server takes this process' place. It is the newest that the machine has.
set -eu

PATH="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH"
export PGUSER="${POSTGRES_USER:-postgres}" PGPASSWORD="$POSTGRES_PASSWORD" PGHOST=/tmp
database=${POSTGRES_DB:-$PGUSER}

make_database() {
  umask 077
  printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --username="$PGUSER" --pwfile=/tmp/password --encoding=UTF8 --auth=scram-sha-256 --no-sync
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl start --wait --silent -o '-c listen_addresses= -c unix_socket_directories=/tmp'
  [ "$database" = postgres ] || psql --dbname=postgres --command="CREATE DATABASE \"$database\""
  for file in /docker-entrypoint-initdb.d/*.sql; do
    [ ! -f "$file" ] || psql --set=ON_ERROR_STOP=1 --dbname="$database" --file="$file"
  done
  pg_ctl stop --wait --silent
}

[ -s "$PGDATA/PG_VERSION" ] || make_database
exec "$@" -c 'listen_addresses=*' -c unix_socket_directories=/tmp
