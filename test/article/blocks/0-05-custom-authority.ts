import type { ArticleBlock } from "../article-block.ts";

/** The newest certificate that the sidecar of myapp has, as it is asked for in three of the article's blocks. */
const ISSUER = String.raw`istioctl proxy-config secret deploy/myapp -o json | \
jq -r '.dynamicActiveSecrets[0].secret.tlsCertificate.certificateChain.inlineBytes' | \
base64 -d | openssl x509 -text -noout | grep "Issuer:"`;

export const block: ArticleBlock = {
  article: 0,
  block: 5,
  proves:
    "a custom authority, made by openssl and put into the Secret cacerts, signs once istiod was restarted, and nobody loses a call",
  given: ["kubectl delete secret cacerts -n istio-system --ignore-not-found", "rm -f *.pem"],
  deeds: [
    {
      run: String.raw`openssl req -new -newkey rsa:4096 -x509 -sha256 \
-days 3650 -nodes \
-subj "/O=Company Inc./CN=Root CA" \
-keyout root-key.pem -out root-cert.pem`,
    },
    {
      run: String.raw`openssl req -new -newkey rsa:4096 -sha256 -nodes \
-subj "/O=Company Inc./CN=Istio Intermediate CA" \
-keyout ca-key.pem -out ca-csr.pem`,
    },
    {
      run: String.raw`openssl x509 -req -days 730 -sha256 \
-CA root-cert.pem -CAkey root-key.pem -CAcreateserial \
-in ca-csr.pem -out ca-cert.pem \
-extfile <(printf "basicConstraints=CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign,cRLSign")`,
    },
    { run: "cat ca-cert.pem root-cert.pem > cert-chain.pem" },
    {
      run: String.raw`kubectl create secret generic cacerts -n istio-system \
--from-file=ca-cert.pem \
--from-file=ca-key.pem \
--from-file=root-cert.pem \
--from-file=cert-chain.pem`,
    },
    { run: "kubectl rollout restart deployment istiod -n istio-system" },
  ],
  questions: [
    { ask: ISSUER, answer: /O = Company Inc\., CN = Istio Intermediate CA/ },
    {
      ask: String.raw`istioctl proxy-config secret deploy/myapp -o json | \
jq -r '.dynamicActiveSecrets[0].secret.tlsCertificate.certificateChain.inlineBytes' | \
base64 -d > myapp.pem && openssl verify -CAfile root-cert.pem -untrusted ca-cert.pem myapp.pem`,
      answer: /myapp\.pem: OK/,
    },
  ],
  calls: [
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
  ],
  mutations: [
    { name: "there is no Secret", before: 5, run: "kubectl delete secret cacerts -n istio-system" },
    {
      name: "the certificate is another key's",
      before: 4,
      run: "openssl req -new -newkey rsa:2048 -x509 -nodes -subj /CN=other -keyout other.pem -out ca-cert.pem",
    },
    {
      name: "the intermediate authority is of another root",
      before: 4,
      run: `openssl req -new -newkey rsa:2048 -x509 -nodes -subj "/O=Company Inc./CN=Root CA" -keyout other.pem -out root-cert.pem`,
    },
  ],
};
