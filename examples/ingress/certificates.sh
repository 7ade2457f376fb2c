#!/bin/sh
# Makes a certificate for each host, an authority of partners with one client, and the Secrets of them, in this folder.
set -eu
cd "$(dirname "$0")"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
own() {
  key "$1"
  openssl req -x509 -new -key "$1.key" -days 90 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" -out "$1.crt"
}
data() { base64 <"$1" | tr -d '\n'; }
own shop.example.com
own partners.example.com
key partners-ca
openssl req -x509 -new -key partners-ca.key -days 365 -subj "/CN=Partners" -out partners-ca.crt
key client
openssl req -new -key client.key -subj "/O=Acme/CN=acme" -out client.csr
openssl x509 -req -in client.csr -CA partners-ca.crt -CAkey partners-ca.key -set_serial 1 -days 90 -out client.crt 2>/dev/null
cat >secrets.yaml <<SECRETS
apiVersion: v1
kind: Secret
metadata: {name: shop-tls, namespace: istio-ingress}
type: kubernetes.io/tls
data: {tls.crt: $(data shop.example.com.crt), tls.key: $(data shop.example.com.key)}
---
apiVersion: v1
kind: Secret
metadata: {name: partners-tls, namespace: istio-ingress}
data:
  tls.crt: $(data partners.example.com.crt)
  tls.key: $(data partners.example.com.key)
  ca.crt: $(data partners-ca.crt)
SECRETS
