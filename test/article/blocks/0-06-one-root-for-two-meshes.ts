import type { ArticleBlock } from "../article-block.ts";

const secretOf = (
  cluster: string,
): string => String.raw`kubectl create secret generic cacerts -n istio-system \
--from-file=ca-cert.pem=${cluster}-ca-cert.pem \
--from-file=ca-key.pem=${cluster}-ca-key.pem \
--from-file=root-cert.pem \
--from-file=cert-chain.pem=${cluster}-cert-chain.pem \
--context=${cluster}`;

/** As in block 5, one for each; the two meshes share a kubeconfig. */
const authorityOf = (
  cluster: string,
): string => String.raw`openssl req -new -newkey rsa:2048 -sha256 -nodes \
-subj "/O=Company Inc./CN=${cluster}" -keyout ${cluster}-ca-key.pem -out csr.pem && \
openssl x509 -req -days 730 -sha256 -CA shared-root.pem -CAkey shared-key.pem -CAcreateserial -in csr.pem \
-out ${cluster}-ca-cert.pem -extfile <(printf "basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign") && \
cat ${cluster}-ca-cert.pem shared-root.pem > ${cluster}-cert-chain.pem`;

const CONTEXTS = "export KUBECONFIG=$HOME/.local/state/hauberk/kubeconfig";

/** What the control plane itself presents is issued by the authority that signs. */
const issuerIn = (cluster: string): string =>
  `hauberk ca status --data ${cluster} && kubectl logs deploy/istiod -n istio-system --context=${cluster} | grep "custom authority"`;

export const block: ArticleBlock = {
  article: 0,
  block: 6,
  proves:
    "two meshes with intermediate authorities of their own under one root, each reached by its context",
  given: [
    String.raw`openssl req -new -newkey rsa:2048 -x509 -sha256 -days 3650 -nodes -subj "/O=Company Inc./CN=Shared Root" \
-addext keyUsage=critical,keyCertSign,cRLSign -keyout shared-key.pem -out shared-root.pem && cp shared-root.pem root-cert.pem`,
    authorityOf("cluster1"),
    authorityOf("cluster2"),
  ],
  prepare: async (mesh) => {
    for (const cluster of ["cluster1", "cluster2"]) await mesh.openSecondMesh(cluster);
    await mesh.run(
      `${CONTEXTS}; for c in cluster1 cluster2; do kubectl delete secret cacerts -n istio-system --ignore-not-found --context=$c; done`,
    );
  },
  deeds: [
    { run: `${CONTEXTS}; ${secretOf("cluster1")}` },
    { run: `${CONTEXTS}; ${secretOf("cluster2")}` },
    {
      run: `${CONTEXTS}; for c in cluster1 cluster2; do kubectl rollout restart deployment istiod -n istio-system --context=$c; done`,
    },
  ],
  questions: ["cluster1", "cluster2"].map((cluster) => ({
    ask: `${CONTEXTS}; ${issuerIn(cluster)}`,
    answer: /"doing":"in force"/,
  })),
  mutations: [
    {
      name: "the second mesh has another root",
      before: 1,
      run: "openssl req -new -newkey rsa:2048 -x509 -nodes -subj /CN=elsewhere -keyout other.pem -out root-cert.pem",
    },
    {
      name: "the first mesh has no Secret",
      before: 1,
      run: `${CONTEXTS}; kubectl delete secret cacerts -n istio-system --context=cluster1`,
    },
  ],
};
