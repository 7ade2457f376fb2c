/** The identities that Istio makes of namespace and service account, and reads (CA-17, CA-55). */
import {
  parseSpiffeId,
  parseWorkloadIdentity,
  spiffeId,
  trustDomainOf,
} from "../../../src/identity/spiffe-id.ts";
import { buildDestinations } from "../../../src/policy/destinations.ts";
import { expandPrincipal } from "../../../src/policy/trust-domain-aliases.ts";
import { snapshotOf } from "../../kit/mesh-parts.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type IdentityCase = ConformanceCase & {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly trustDomain?: string;
  /** Of a generated identity. */
  readonly uri?: string;
  readonly errorContains?: string;
  /** Of an identity that is read. */
  readonly input?: string;
  readonly valid?: boolean;
  /** Expanded by further trust domains. */
  readonly sans?: readonly string[];
  readonly trustDomains?: readonly string[];
  readonly expected?: readonly string[];
};

const ISTIO_IDENTITY = /^spiffe:\/\/[^/]+\/ns\/[^/]+\/sa\/[^/]+$/;

export const istioIdentity: TableRunner = table<IdentityCase>({
  fields: [
    "namespace",
    "serviceAccount",
    "trustDomain",
    "uri",
    "errorContains",
    "input",
    "valid",
    "sans",
    "trustDomains",
    "expected",
  ],
  exclusions: [
    {
      reason: "all workloads of a mesh are of one trust domain (CA-18)",
      applies: ({ sans = [] }) => new Set(sans.map((san) => san.split("/")[2])).size > 1,
    },
    {
      reason:
        "a name that is no SPIFFE ID is no workload's, and no alias of a trust domain is one of it",
      applies: ({ sans = [] }) => sans.some((san) => !san.startsWith("spiffe://")),
    },
    {
      reason:
        "an identity without namespace or account is no SPIFFE ID, which has no empty segments",
      applies: ({ input = "", valid }) => valid === true && /[^:/]\/(?:\/|$)/.test(input),
    },
  ],
  run(test) {
    if (test.sans !== undefined) return runExpand(test);
    return test.input === undefined ? runGenerate(test) : runParse(test.input, test);
  },
});

function runGenerate(test: IdentityCase): CaseOutcome {
  const { trustDomain = "", namespace = "", serviceAccount = "", uri } = test;
  return compare({
    expected: uri ?? "refused",
    got: orRefused(() => spiffeId({ trustDomain, namespace, serviceAccount })),
  });
}

function runParse(
  input: string,
  { valid, trustDomain, namespace, serviceAccount }: IdentityCase,
): CaseOutcome {
  return compare({
    expected: valid ? `${trustDomain}, ${namespace}, ${serviceAccount}` : "refused",
    got: orRefused(() => {
      const parts = parseWorkloadIdentity(parseSpiffeId(input));
      return `${parts.trustDomain}, ${parts.namespace}, ${parts.serviceAccount}`;
    }),
  });
}

/**
 * The identities are those of workloads behind one service, the further trust domains are aliases of the mesh's. One of
 * another form is no workload's: a policy alone can name it.
 */
function runExpand({ sans = [], trustDomains = [], expected = [] }: IdentityCase): CaseOutcome {
  const got = new Set(
    sans.flatMap((san) =>
      ISTIO_IDENTITY.test(san) ? acceptedFor(san, trustDomains) : principalsFor(san, trustDomains),
    ),
  );
  return compare({
    expected: `identities ${[...new Set(expected)].sort().join(", ")}`,
    got: `identities ${[...got].sort().join(", ")}`,
  });
}

function principalsFor(san: string, aliases: readonly string[]): readonly string[] {
  const id = parseSpiffeId(san);
  const trust = { trustDomain: trustDomainOf(id), trustDomainAliases: aliases };
  const values = expandPrincipal(id.slice("spiffe://".length), trust);
  return values.map((value) => `spiffe://${value}`);
}

function acceptedFor(san: string, aliases: readonly string[]): readonly string[] {
  const { trustDomain, namespace, serviceAccount } = parseWorkloadIdentity(parseSpiffeId(san));
  const snapshot = snapshotOf(
    [
      JSON.stringify({ trustDomain, trustDomainAliases: aliases }),
      JSON.stringify(service(namespace)),
      JSON.stringify(deployment({ namespace, serviceAccount })),
      JSON.stringify({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: serviceAccount, namespace },
      }),
    ].join("\n---\n"),
  );
  return buildDestinations(snapshot).flatMap(({ identities }) => identities);
}

function service(namespace: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "callee", namespace },
    spec: { selector: { app: "callee" }, ports: [{ port: 80, targetPort: 8080 }] },
  };
}

function deployment({
  namespace,
  serviceAccount,
}: {
  readonly namespace: string;
  readonly serviceAccount: string;
}): unknown {
  const labels = { app: "callee" };
  const container = { name: "callee", image: "callee", ports: [{ containerPort: 8080 }] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "callee", namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { serviceAccountName: serviceAccount, containers: [container] },
      },
    },
  };
}

function orRefused(make: () => string): string {
  try {
    return make();
  } catch {
    return "refused";
  }
}
