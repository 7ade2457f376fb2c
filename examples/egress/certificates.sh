#!/bin/sh
# Makes an authority, a certificate of the server and one of the shop, and the Secret of the latter, in this folder.
set -eu
cd "$(dirname "$0")"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
signed() {
  key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf 'subjectAltName=DNS:%s\n' "$1" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -set_serial "$2" -days 90 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
data() { base64 <"$1" | tr -d '\n'; }
key ca
openssl req -x509 -new -key ca.key -days 365 -subj "/CN=Payments" -out ca.crt
signed payments.example.com 1
signed shop.example.com 2
cat >secret.yaml <<SECRET
apiVersion: v1
kind: Secret
metadata: {name: payments, namespace: shop}
data:
  tls.crt: $(data shop.example.com.crt)
  tls.key: $(data shop.example.com.key)
  ca.crt: $(data ca.crt)
SECRET
