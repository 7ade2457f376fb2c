/**
 * What istiod makes of policies for ztunnel, by what it does to connections. Of PeerAuthentication: where plaintext is
 * refused is where the mode is STRICT. Of AuthorizationPolicy: it decides the same connections the same way.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { effectivePeerAuthentication } from "../../../src/policy/effective-policy.ts";
import { mutualTlsOfPort } from "../../../src/policy/mutual-tls.ts";
import { connectionFrom } from "../../kit/mesh-parts.ts";
import { judgeConnection } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { probesOf } from "./connection-probes.ts";
import type { L4Match } from "./connection-rules.ts";
import { type L4Policy, ROOT_NAMESPACE, securityPolicy } from "./l4-policy.ts";
import { snapshotOfSet } from "./policy-sets.ts";

/** File names. */
type ConversionCase = ConformanceCase & { readonly input: string; readonly expected: string };

interface Converted {
  readonly action?: "ALLOW" | "DENY";
  readonly groups?: readonly {
    readonly rules?: readonly { readonly matches?: readonly L4Match[] }[];
  }[];
}

/** What asks for more than ztunnel sees, though a sidecar's TCP ports know some of it (AP-60, AP-143, AP-144). */
const BEYOND_ZTUNNEL =
  /\b(hosts|methods|paths|requestPrincipals|notHosts|notMethods|notPaths|notRequestPrincipals|request\.\S+|connection\.sni|remote\.ip|(not)?[rR]emoteIpBlocks|source\.(serviceAccount|trustDomain)|(not)?[tT]rustDomains)\b/;

export const policyConversion: TableRunner = {
  fields: ["input", "expected"],
  run: (test, folder) => conversion(folder).run(test, folder),
};

function conversion(folder: string): TableRunner {
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  return table<ConversionCase>({
    fields: ["input", "expected"],
    exclusions: [
      {
        reason:
          "of attributes of requests, and some of connections, ztunnel's policy has nothing left, and a DENY without conditions never matches there (AP-66, AP-143, AP-147)",
        applies: ({ input }) =>
          /kind: *AuthorizationPolicy/.test(read(input)) && BEYOND_ZTUNNEL.test(read(input)),
      },
      {
        reason:
          "STRICT without another mode on any port is not converted: ztunnel has it in another way (AP-141)",
        applies: ({ input, expected }) =>
          read(expected).trim() === "" &&
          /mode: *STRICT/.test(read(input)) &&
          !/mode: *(?!STRICT)\w/.test(read(input)),
      },
    ],
    run({ input, expected }) {
      const policies = documentsIn<UpstreamObject>(read(input)).map(inItsNamespace);
      const [converted] = documentsIn<Converted>(read(expected));
      return policies.some(({ kind }) => kind === "AuthorizationPolicy")
        ? runAuthorization(policies, converted)
        : runPeerAuthentication(policies, converted);
    },
  });
}

function documentsIn<T>(text: string): readonly T[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value: T | null = document.toJS();
    return value === null ? [] : [value];
  });
}

function inItsNamespace(policy: UpstreamObject): UpstreamObject {
  return { ...policy, metadata: { namespace: "default", ...policy.metadata } };
}

function runPeerAuthentication(
  policies: readonly UpstreamObject[],
  converted: Converted | undefined,
): CaseOutcome {
  const own = policies.find(({ spec }) => labelsOf(spec) !== undefined);
  const namespace = String(own?.metadata?.["namespace"] ?? "default");
  const snapshot = snapshotOfSet({ rootNamespace: ROOT_NAMESPACE, policies });
  const composed = effectivePeerAuthentication(snapshot, {
    namespace,
    labels: labelsOf(own?.spec) ?? {},
  });
  const refusing = convertedPolicy(converted);
  const ports = [...composed.ports.keys(), 1].sort((a, b) => a - b);
  const isRefused = (destinationPort: number): boolean =>
    judgeConnection({ policies: refusing }, connectionFrom("plaintext", { destinationPort }))
      .verdict === "deny";
  return compare({
    expected: `plaintext refused on ${ports.filter(isRefused).join(", ")}`,
    got: `plaintext refused on ${ports.filter((port) => mutualTlsOfPort(composed, port).mode === "STRICT").join(", ")}`,
  });
}

function labelsOf(spec: unknown): Readonly<Record<string, string>> | undefined {
  const { selector } = (spec ?? {}) as Selecting;
  return selector?.matchLabels;
}

interface Selecting {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
}

function runAuthorization(
  policies: readonly UpstreamObject[],
  converted: Converted | undefined,
): CaseOutcome {
  const probes = probesOf(JSON.stringify(policies));
  const allowed = (set: readonly UpstreamObject[]): string =>
    probes
      .filter(
        ({ connection }) => judgeConnection({ policies: set }, connection).verdict === "allow",
      )
      .map(({ name }) => name)
      .join(", ");
  return compare({
    expected: `allows ${allowed(convertedPolicy(converted))}`,
    got: `allows ${allowed(policies)}`,
  });
}

function convertedPolicy(converted: Converted | undefined): readonly UpstreamObject[] {
  if (converted === undefined) return [];
  const policy: L4Policy = {
    action: converted.action ?? "ALLOW",
    scope: "GLOBAL",
    rules: (converted.groups ?? []).map(({ rules = [] }) =>
      rules.map(({ matches = [] }) => matches),
    ),
  };
  return securityPolicy(policy);
}
