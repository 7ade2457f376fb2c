#!/bin/sh
# MariaDB with a database that is gone with it.
set -eu
folder=$(mktemp -d -p /tmp hauberk-mariadb-XXXXXX)
trap 'rm -rf "$folder"' EXIT
export TMPDIR="$folder"
user=$(id -un)
if [ "$(id -u)" = 0 ]; then
  user=nobody
  chown nobody "$folder"
fi
options="--no-defaults --user=$user --datadir=$folder/data"
mariadb-install-db $options --auth-root-authentication-method=normal --skip-test-db > /dev/null
cat > "$folder/users.sql" <<SQL
CREATE DATABASE shop;
CREATE USER shop@'%' IDENTIFIED BY '$PASSWORD';
GRANT ALL ON shop.* TO shop@'%';
SQL
mariadbd $options --bind-address="$HOST" --port="$PORT" --socket="$folder/socket" --skip-name-resolve --init-file="$folder/users.sql" &
server=$!
trap 'kill "$server"; wait "$server"; exit 0' TERM INT
wait "$server"
