/**
 * Istio's two gates: which resources the schema of their kind refuses, and which istiod's webhook refuses or warns of.
 * Validity and the presence of a warning are judged; upstream's words are not compared, ours are for people.
 */
import type { CheckLevel } from "../../src/api/resource.ts";
import { validateResources } from "../../src/api/validate-resources.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type ExclusionRule,
  excludedBy,
  type SuiteRunner,
  type TableRunner,
} from "./suite-runner.ts";

const SCHEMA_FIELDS = ["resource", "valid", "errorContains", "notes"];
const WEBHOOK_FIELDS = ["resource", "valid", "errorContains", "warning", "warningContains"];

const webhook: TableRunner = {
  fields: WEBHOOK_FIELDS,
  run: (test) => excludedBy(FOREIGN_TYPES, test as WebhookCase) ?? runWebhook(test as WebhookCase),
};

const parts: TableRunner = {
  fields: WEBHOOK_FIELDS,
  run: (test) => runPart(test as WebhookCase),
};

export const crdValidation: SuiteRunner = {
  "api-schema": {
    fields: SCHEMA_FIELDS,
    run: (test) =>
      excludedBy(MISREAD_ADDRESSES, test as SchemaCase) ?? runSchema(test as SchemaCase),
  },
  "istiod-security": webhook,
  "istiod-networking": webhook,
  "istiod-telemetry": webhook,
  "istiod-parts": parts,
};

/** A resource as users write it, or a part of one, named by its type in Go. */
type Subject = Readonly<Record<string, unknown>> & {
  readonly goType?: string;
  readonly spec?: unknown;
};

type SchemaCase = ConformanceCase & { readonly resource: Subject; readonly valid: boolean };
type WebhookCase = SchemaCase & { readonly warning: boolean };

const FOREIGN_TYPES: readonly ExclusionRule<WebhookCase>[] = [
  {
    reason:
      "hands the validator of one kind a message of another type, as only a program in Go can: a document says its kind itself",
    applies: ({ resource }) => resource.goType !== undefined,
  },
];

const MISREAD_ADDRESSES: readonly ExclusionRule<SchemaCase>[] = [
  {
    reason:
      "upstream's file has an IPv6 address that ends in a colon without quotes, which YAML reads as a map; no API server takes a map for text",
    applies: ({ resource, valid }) => valid && listsMapAsAddress(resource.spec),
  },
];

function listsMapAsAddress(spec: unknown): boolean {
  const { addresses } = typeof spec === "object" && spec !== null ? (spec as Subject) : {};
  return Array.isArray(addresses) && addresses.some((address) => typeof address !== "string");
}

function runSchema({ resource, valid }: SchemaCase): CaseOutcome {
  const { issues } = said(resource, "schema");
  return judged({ expected: validity(valid), got: validity(issues.length === 0), issues });
}

function runPart(test: WebhookCase): CaseOutcome {
  const { goType = "", spec } = test.resource;
  const resource = resourceAround(goType, spec);
  if (resource !== undefined) return runWebhook({ ...test, resource });
  return { outcome: "skipped", reason: `no resource is known to hold a ${goType}` };
}

function runWebhook({ resource, valid, warning }: WebhookCase): CaseOutcome {
  const { issues, warnings } = said(resource, "webhook");
  return judged({
    expected: `${validity(valid)}, ${warned(warning)}`,
    got: `${validity(issues.length === 0)}, ${warned(warnings.length > 0)}`,
    issues: [...issues, ...warnings],
  });
}

interface Judged {
  readonly expected: string;
  readonly got: string;
  readonly issues: readonly string[];
}

/** The reasons stand beside what we got, so that a failure can be read. */
function judged({ expected, got, issues }: Judged): CaseOutcome {
  const outcome = compare({ expected, got });
  if (outcome.outcome !== "failed" || issues.length === 0) return outcome;
  return { ...outcome, got: `${got}: ${issues.join("; ")}` };
}

/** What one gate says of a resource: JSON is YAML. */
function said(
  resource: Subject,
  level: CheckLevel,
): { readonly issues: readonly string[]; readonly warnings: readonly string[] } {
  const documents = validateResources(JSON.stringify(resource), "case.yaml");
  const issues = documents.flatMap((document) => document.issues);
  const refused = issues.find(({ path, problem }) => UNREAD.test(`${path} ${problem}`));
  if (refused !== undefined) throw new Error(`not read: ${refused.path} ${refused.problem}`);
  return {
    issues: issues
      .filter((issue) => issue.level === level)
      .map(({ path, problem }) => `${path} ${problem}`),
    warnings: documents
      .flatMap((document) => document.notices)
      .filter((notice) => notice.level === level)
      .map(({ path, message }) => `${path} ${message}`),
  };
}

/** A resource that no gate was asked about must not pass for a good one. */
const UNREAD = /^(kind|apiVersion) /;

const HTTPS = { number: 443, name: "https", protocol: "HTTPS" };

/** The smallest good resource around a part of one. */
function resourceAround(goType: string, part: unknown): Subject | undefined {
  switch (goType) {
    case "ServerTLSSettings":
      return gateway({ port: HTTPS, hosts: ["shop.example.com"], tls: part });
    case "Server":
      return gateway(part);
    case "TrafficPolicy":
      return named("DestinationRule", { host: "shop.example.com", trafficPolicy: part });
    default:
      return undefined;
  }
}

function gateway(server: unknown): Subject {
  return named("Gateway", { selector: { istio: "ingressgateway" }, servers: [server] });
}

function named(kind: string, spec: unknown): Subject {
  const metadata = { name: "foo", namespace: "bar" };
  return { apiVersion: "networking.istio.io/v1", kind, metadata, spec };
}

function validity(valid: boolean): string {
  return valid ? "accepted" : "refused";
}

function warned(warning: boolean): string {
  return warning ? "with a warning" : "without a warning";
}
