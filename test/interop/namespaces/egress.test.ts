/** Programs in pods of their own that call servers outside the mesh by the names and addresses of ServiceEntries. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import {
  OUTSIDE_ADDRESS,
  type OutsideServers,
  openOutsideServers,
} from "../../kit/outside-servers.ts";
import { until } from "../../kit/until.ts";
import { writtenEntries } from "../../kit/written-entries.ts";

const SKIP =
  namespacesMissing() ||
  (OUTSIDE_ADDRESS === undefined && "this machine has no address but its loopback");
const POD = "production/node-0";

let mesh: MeshInNamespaces;
let outside: OutsideServers;

const portOf = (url: string): number => Number(new URL(url).port);

/** Both servers, by names that no resolver knows; and the first by its address, too. */
function egress({ http, https, rootPem }: OutsideServers): string {
  const endpoints = `[{address: ${OUTSIDE_ADDRESS}}]`;
  const pem = rootPem.trimEnd().replaceAll("\n", "\n    ");
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: plain, namespace: production}
spec:
  hosts: [plain.example]
  resolution: STATIC
  ports: [{name: http, number: 80, targetPort: ${portOf(http)}, protocol: HTTP}]
  endpoints: ${endpoints}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: by-address, namespace: production}
spec:
  hosts: [by-address.example]
  addresses: [${OUTSIDE_ADDRESS}/32]
  resolution: NONE
  ports: [{name: tcp, number: ${portOf(http)}, protocol: TCP}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: secure, namespace: production}
spec:
  hosts: [secure.example]
  resolution: STATIC
  ports: [{name: http, number: 80, targetPort: ${portOf(https)}, protocol: HTTP}]
  endpoints: ${endpoints}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: alias, namespace: production}
spec:
  hosts: [alias.example]
  resolution: DNS
  ports: [{name: http, number: 8080, protocol: HTTP}]
  endpoints: [{address: web.production.svc.cluster.local}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: secure, namespace: production}
spec:
  host: secure.example
  workloadSelector: {matchLabels: {app: node}}
  trafficPolicy:
    tls: {mode: SIMPLE, credentialName: secure, subjectAltNames: ["${OUTSIDE_ADDRESS}"]}
---
apiVersion: v1
kind: Secret
metadata: {name: secure, namespace: production}
stringData:
  ca.crt: |
    ${pem}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: production}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: production}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: node, namespace: production}]
`;
}

describe("out of a pod of its own", { skip: SKIP }, () => {
  before(async () => {
    outside = await openOutsideServers(OUTSIDE_ADDRESS ?? "");
    mesh = await MeshInNamespaces.start({
      folders: ["test/meshes/namespaces-clients", "test/meshes/agents"],
      texts: {
        "host-ca.pem": outside.rootPem,
        "egress.yaml": egress(outside),
        "mesh-config.yaml": "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n",
      },
    });
  });

  after(async () => {
    await mesh?.remove();
    outside?.close();
  });

  async function call(url: string): Promise<string> {
    const { output } = await mesh.agent(POD).run("node", "client.mjs", url);
    return output.trimEnd();
  }

  before(() =>
    until("the pod to be ready", async () => /^200 /.test(await call("http://api:8080/"))),
  );

  test("a host that no resolver knows has an address, and is called where its endpoint is", async () => {
    assert.equal(await call("http://plain.example/"), `200 ${outside.answer}`);
    const [entry] = await writtenEntries(mesh, {
      pod: POD,
      matches: ({ authority }) => authority === "plain.example",
    });
    assert.equal(entry?.upstream_cluster, "outbound|80||plain.example");
    assert.match(entry?.downstream_local_address ?? "", /^(240\.240\.|\[2001:2::)/);
    assert.equal(entry?.upstream_host, `${OUTSIDE_ADDRESS}:${portOf(outside.http)}`);
  });

  test("plaintext becomes TLS to a server of the Secret's authority", async () => {
    assert.equal(await call("http://secure.example/"), `200 ${outside.answer}`);
  });

  test("an address of an entry passes, whatever is said there; what nobody knows does not", async () => {
    assert.equal(await call(outside.http), `200 ${outside.answer}`);
    assert.match(await call(outside.https), /^failed: /);
    assert.match(await call(`http://${OUTSIDE_ADDRESS}:1/`), /^(502 |failed: )/);
  });

  test("the rule is for pods that it selects: the plaintext of others is for no server of TLS", async () => {
    const { output } = await mesh
      .agent("production/python-0")
      .run("python3", "client.py", "http://secure.example/");
    assert.doesNotMatch(output, /^200 /);
  });

  test("an endpoint by name is looked up, as the mesh's own name servers know it", async () => {
    assert.equal(await call("http://alias.example:8080/"), "200 web-0, on port 8080");
    const [entry] = await writtenEntries(mesh, {
      pod: POD,
      matches: ({ authority }) => authority === "alias.example:8080",
    });
    assert.equal(entry?.upstream_cluster, "outbound|8080||alias.example");
  });
});
