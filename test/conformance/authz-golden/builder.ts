/** Policies of a store as the filters of a workload's chains, one file each (AP-2, AP-5, AP-8, AP-110, AP-120, AP-121). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { linearFilters } from "../../../src/envoy/authorization/linear/linear-filters.ts";
import { externalAuthorizationFilters } from "../../../src/envoy/inbound/external-authorization-filters.ts";
import type { ProxySettings } from "../../../src/envoy/proxy-settings.ts";
import { appliedAuthorizers } from "../../../src/policy/applied-authorizers.ts";
import { trustOf } from "../../../src/policy/build-workload-view.ts";
import { effectiveAuthorization } from "../../../src/policy/effective-policy.ts";
import { destination, workloadView } from "../../kit/sidecar-fixture.ts";
import { snapshotOfPolicies } from "../policy-evaluation.ts";
import {
  type ConformanceCase,
  compare,
  type ExclusionRule,
  excludedBy,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { asHere } from "./listed-differences.ts";
import { normalJson } from "./rbac-json.ts";

type BuilderCase = ConformanceCase & {
  readonly input: string;
  readonly protocol: "HTTP" | "TCP";
  readonly workload: {
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly rootNamespace?: string;
  };
  readonly trustDomain?: string;
  readonly trustDomainAliases?: readonly string[];
  readonly meshConfig?: Readonly<Record<string, unknown>>;
  readonly meshConfigRef?: string;
  readonly services?: readonly { readonly hostname: string; readonly namespace: string }[];
  readonly customBuilder: boolean;
  readonly expected: readonly string[];
};

export const builder: TableRunner = table<BuilderCase>({
  fields: [
    "input",
    "protocol",
    "workload",
    "trustDomain",
    "trustDomainAliases",
    "meshConfig",
    "meshConfigRef",
    "services",
    "customBuilder",
    "expected",
  ],
  exclusions: [
    {
      reason:
        "a CUSTOM policy whose provider speaks HTTP is skipped on TCP by istiod; here it refuses the connections that it means (AP-65, QK-60)",
      applies: ({ customBuilder, protocol, meshConfig }) =>
        customBuilder && protocol === "TCP" && JSON.stringify(meshConfig).includes("ExtAuthzHttp"),
    },
  ],
  run(test, folder) {
    const excluded = excludedBy(BY_INPUT, documentsIn(join(folder, test.input)) as CustomPolicies);
    if (excluded !== undefined && test.customBuilder) return excluded;
    const expected = test.expected.flatMap((path) => documentsIn(join(folder, path)));
    return compare({
      expected: `filters ${JSON.stringify(asHere(normalJson(expected)))}`,
      got: `filters ${JSON.stringify(normalJson(filtersOf(test, folder)))}`,
    });
  },
});

type CustomPolicies = readonly {
  readonly spec?: { readonly provider?: { readonly name?: string } };
}[];

const BY_INPUT: readonly ExclusionRule<CustomPolicies>[] = [
  {
    reason:
      "several authorizers of one workload are all asked, also without PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS: a deliberate difference (AP-122)",
    applies: (policies) =>
      new Set(policies.flatMap(({ spec }) => spec?.provider?.name ?? [])).size > 1,
  },
];

function documentsIn(path: string): readonly unknown[] {
  const documents = parseAllDocuments(readFileSync(path, "utf8"));
  return documents.map((document) => document.toJS()).filter((one) => one !== null);
}

function filtersOf(test: BuilderCase, folder: string): readonly unknown[] {
  const { input, protocol, workload, customBuilder, meshConfig = {} } = test;
  const { trustDomain, trustDomainAliases } = test;
  const policies = documentsIn(join(folder, input)) as readonly UpstreamObject[];
  const settings = {
    ...withoutRefused(meshConfig),
    ...(trustDomain !== undefined && { trustDomain }),
    ...(trustDomainAliases && { trustDomainAliases }),
  };
  const snapshot = snapshotOfPolicies({
    policies,
    ...(Object.keys(settings).length > 0 && { meshConfig: settings }),
  });
  const { namespace, labels = {} } = workload;
  const authorization = effectiveAuthorization(snapshot, { namespace, labels });
  const trust = trustOf(snapshot);
  const level = protocol === "HTTP" ? "http" : "tcp";
  if (!customBuilder) return linearFilters(authorization, { level, trust });
  const view = workloadView({ rootsPem: [] });
  const authorizers = appliedAuthorizers(authorization, {
    providers: snapshot.settings.extensionProviders,
    destinations: knownServices(test),
    rootNamespace: snapshot.settings.rootNamespace,
    serviceEntries: [],
  });
  const inbound = { ...view.inbound, authorization, authorizers };
  const chain = { level, transport: "mesh-tls", form: "linear" } as const;
  return externalAuthorizationFilters({ ...view, inbound, trust }, CAPTURED, chain);
}

const MAX_PORT = 65_535;

/** What is refused with the mesh configuration is not there: a policy that names it means nobody (AP-120). */
function withoutRefused(meshConfig: Readonly<Record<string, unknown>>): object {
  const ports = [...JSON.stringify(meshConfig).matchAll(/"port":([0-9]+)/g)].map(([, port]) =>
    Number(port),
  );
  return ports.some((port) => port > MAX_PORT) ? {} : meshConfig;
}

/** Ports are what policies call them. */
const CAPTURED: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
};
const AUTHORIZER_PORT = 9000;
const AUTHORIZER = { hostname: "my-custom-ext-authz.foo.svc.cluster.local", namespace: "foo" };

function knownServices({ services = [AUTHORIZER] }: BuilderCase) {
  const base = destination({ name: "authorizer", port: AUTHORIZER_PORT });
  return services.map(({ hostname, namespace }) => ({
    ...base,
    host: hostname,
    serviceNamespace: namespace,
    servicePort: AUTHORIZER_PORT,
  }));
}
