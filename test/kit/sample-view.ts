/** A small complete workload view, for tests that carry views around without judging by them. */
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { WorkloadView } from "../../src/policy/workload-view.ts";

export function sampleView(options: {
  /** `namespace/pod` */
  readonly name: string;
  readonly identity: string;
  readonly rootPem: string;
  /** Path that the one ALLOW rule names: change it to get another version. */
  readonly path?: string;
}): WorkloadView {
  const [namespace = "", pod = ""] = options.name.split("/");
  const identity = parseSpiffeId(options.identity);
  const source = { file: "policies.yaml", line: 3 };
  const ref = { kind: "AuthorizationPolicy", namespace, name: "allow" };
  return {
    workload: {
      namespace,
      name: pod,
      owner: "api",
      labels: { app: "api" },
      serviceAccount: "api",
      identity,
    },
    trust: {
      trustDomain: "cluster.local",
      trustDomainAliases: ["old.local"],
      rootsPem: [options.rootPem],
      minimumTlsVersion: "TLSv1.2",
    },
    inbound: {
      ports: [
        {
          containerPort: 8080,
          protocol: "http",
          mutualTls: { mode: "STRICT", origin: { ref, source } },
          listen: { address: "127.0.0.1", port: 20_000 },
          application: { address: "127.0.0.1", port: 20_001 },
        },
      ],
      authorization: {
        custom: [],
        audit: [],
        deny: [],
        allow: [
          {
            ref,
            source,
            action: "ALLOW",
            rules: [
              {
                line: 7,
                from: [{ principals: ["cluster.local/ns/production/sa/web"] }],
                to: [{ paths: [options.path ?? "/cart"], notMethods: ["DELETE"] }],
                when: [{ key: "request.headers[x]", values: ["1"], notValues: [] }],
              },
            ],
          },
        ],
      },
      pathNormalization: "DEFAULT",
    },
    outbound: {
      httpProxy: { address: "127.0.0.1", port: 20_002 },
      destinations: [
        {
          serviceNamespace: namespace,
          serviceName: "database",
          host: `database.${namespace}.svc.cluster.local`,
          servicePort: 5432,
          protocol: "tcp",
          listen: { address: "::1", port: 20_003 },
          identities: [identity],
          serverName: `outbound_.5432_._.database.${namespace}.svc.cluster.local`,
          endpoints: [
            {
              workload: "database-0",
              address: { address: "127.0.0.1", port: 20_004 },
              mutualTls: true,
            },
          ],
        },
      ],
    },
  };
}
