/** One value of a policy, as the permission or the principal that it becomes (AP-45..AP-57, AP-80..AP-95). */
import type { WrittenRule } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { RefusedResourcesError } from "../upstream-objects.ts";
import { asHere } from "./listed-differences.ts";
import { isObject, type Json, type JsonObject, normalJson, rewritten } from "./rbac-json.ts";
import { translatedRule } from "./translated-rule.ts";

type GeneratorCase = ConformanceCase & {
  readonly generator?: string;
  readonly attribute?: string;
  readonly key?: string;
  readonly value: string;
  readonly forTCP?: boolean;
  readonly expectedPermission?: unknown;
  readonly expectedPrincipal?: unknown;
  readonly expectedError?: unknown;
};

type MakeRule = (value: string, key: string) => WrittenRule;

const when =
  (key: string): MakeRule =>
  (value) => ({ when: [{ key, values: [value] }] });
const keyed: MakeRule = (value, key) => when(asKnown(key))(value, key);

/** Metadata of filters alone has a key (AP-95); upstream's tests leave `envoy.filters.` out of it. */
function asKnown(key: string): string {
  return key.replace(/^experimental\.(?!envoy\.filters\.)/, "experimental.envoy.filters.");
}

function asKnownFilter(object: JsonObject): JsonObject {
  const { filter } = object;
  return typeof filter === "string" && !filter.startsWith("envoy.filters.")
    ? { ...object, filter: `envoy.filters.${filter}` }
    : object;
}

const operation =
  (field: string): MakeRule =>
  (value) => ({ to: [{ operation: { [field]: [value] } }] });

const RULES: Readonly<Record<string, MakeRule>> = {
  destIP: when("destination.ip"),
  destPort: when("destination.port"),
  connSNI: when("connection.sni"),
  envoyFilter: keyed,
  srcIP: when("source.ip"),
  remoteIP: when("remote.ip"),
  srcNamespace: when("source.namespace"),
  srcServiceAccount: when("source.serviceAccount"),
  srcTrustDomain: when("source.trustDomain"),
  srcPrincipal: when("source.principal"),
  requestPrincipal: when("request.auth.principal"),
  requestPrincipals: when("request.auth.principal"),
  requestAudiences: when("request.auth.audiences"),
  requestPresenter: when("request.auth.presenter"),
  requestHeader: keyed,
  requestClaim: keyed,
  host: operation("hosts"),
  path: operation("paths"),
  method: operation("methods"),
};

export const generators: TableRunner = table<GeneratorCase>({
  fields: [
    "generator",
    "attribute",
    "key",
    "value",
    "forTCP",
    "expectedPermission",
    "expectedPrincipal",
    "expectedError",
  ],
  run(test) {
    const { generator, attribute = generator ?? "", key = "", value, forTCP = false } = test;
    const makeRule = RULES[attribute];
    if (makeRule === undefined) return { outcome: "skipped", reason: `no rule for ${attribute}` };
    const level = forTCP ? "tcp" : "http";
    const got = orRefused(() => toldOf(translatedRule(makeRule(value, key), { level })));
    return compare({ expected: test.expectedError ? REFUSED : expectedOf(test), got });
  },
});

const REFUSED = "refused";

/** What upstream's generator does not understand, the gate here refuses with the policy. */
function orRefused(tell: () => string): string {
  try {
    return tell();
  } catch (error) {
    if (error instanceof RefusedResourcesError) return REFUSED;
    throw error;
  }
}

function expectedOf({ expectedPermission, expectedPrincipal }: GeneratorCase): string {
  const [[kind, expected] = ["nothing", null]] = [
    ["permission", expectedPermission] as const,
    ["principal", expectedPrincipal] as const,
  ].filter(([, one]) => one !== undefined && one !== null);
  const here = rewritten(asHere(normalJson(expected)), asKnownFilter);
  return `${kind} ${JSON.stringify(here)}`;
}

/** Alone in its rule, so that what it becomes is the only thing that is demanded. */
function toldOf(policy: ReturnType<typeof translatedRule>): string {
  const permission = onlyOne(policy?.["permissions"], "andRules", "rules");
  const principal = onlyOne(policy?.["principals"], "andIds", "ids");
  if (isDemand(permission)) return `permission ${JSON.stringify(permission)}`;
  if (isDemand(principal)) return `principal ${JSON.stringify(principal)}`;
  return "nothing null";
}

function onlyOne(list: Json | undefined, all: string, members: string): Json | undefined {
  const [outer] = Array.isArray(list) ? list : [];
  const [demand] = membersOf(outer, all, members) ?? [];
  const alternatives = membersOf(demand, all.replace("and", "or"), members);
  return alternatives?.length === 1 ? alternatives[0] : demand;
}

function membersOf(
  value: Json | undefined,
  set: string,
  members: string,
): readonly Json[] | undefined {
  const inner = isObject(value) ? value[set] : undefined;
  const list = isObject(inner) ? inner[members] : undefined;
  return Array.isArray(list) ? list : undefined;
}

function isDemand(value: Json | undefined): boolean {
  return isObject(value) && value["any"] === undefined;
}
