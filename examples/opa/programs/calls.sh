# Makes one request with each of the methods given, every second, and prints what was answered.
while :; do
  for method in "$@"; do
    curl --silent --max-time 5 --request "$method" --write-out '%{http_code}\n' http://orders:8080/orders/1
  done
  sleep 1
done
