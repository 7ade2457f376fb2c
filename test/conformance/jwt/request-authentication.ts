/**
 * RequestAuthentications as Envoy's filter verifies tokens by them, and the claims that are lists written as one text: a
 * token that has them, and one more, is read by a rule that names them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NOBODYS_KEYS, tokenFilters } from "../../../src/envoy/inbound/token-filter.ts";
import { appliedTokenRules } from "../../../src/policy/applied-token-rules.ts";
import { buildSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import { tokenPayload } from "../../../src/policy/token-payload.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "../upstream-objects.ts";

type RuleWithKeys = { readonly jwks?: string; readonly jwksUri?: string; readonly issuer?: string };

type RequestAuthenticationCase = ConformanceCase & {
  /** Undefined: a case of another kind. Null: the rule names none. */
  readonly spaceDelimitedClaims?: readonly string[] | null;
  readonly expected: unknown;
  readonly requestAuthentications?: readonly UpstreamObject[];
  /** In place of resources; in their order. */
  readonly jwtRules?: readonly RuleWithKeys[];
  readonly jwksFetchMode?: string;
};

export const requestAuthentication: TableRunner = table<RequestAuthenticationCase>({
  fields: [
    "spaceDelimitedClaims",
    "expected",
    "requestAuthentications",
    "jwtRules",
    "jwksFetchMode",
  ],
  exclusions: [
    {
      reason: "expects Envoy to fetch keys; here the control plane alone does (JWT-81)",
      applies: ({ expected }) => JSON.stringify(expected).includes('"remoteJwks"'),
    },
  ],
  run(test, folder) {
    return test.spaceDelimitedClaims === undefined ? translated(test, folder) : claims(test);
  },
});

const NO_LIST = "no_list";
const ALWAYS = ["permission", "scope"];

function claims({ spaceDelimitedClaims, expected }: RequestAuthenticationCase): CaseOutcome {
  const named = spaceDelimitedClaims ?? [];
  const all = [...new Set([NO_LIST, ...ALWAYS, ...named])];
  const payload = Object.fromEntries(all.map((claim) => [claim, "one two"]));
  const read: Readonly<Record<string, unknown>> = tokenPayload(payload, {
    spaceDelimitedClaims: named,
  });
  const lists = all.filter((claim) => JSON.stringify(read[claim]) === '["one","two"]');
  return compare({ expected: `lists ${expected}`, got: `lists ${lists.sort()}` });
}

/** The filter, in the words of upstream; null where there is none. */
function translated(test: RequestAuthenticationCase, folder: string): CaseOutcome {
  const { requestAuthentications, jwtRules = [], expected } = test;
  const given = requestAuthentications ?? jwtRules.map((rule) => ({ spec: { jwtRules: [rule] } }));
  const keys = new Map<string, string>();
  const objects = given.map((object) => withKeysApart(object, keys));
  // Each rule is a resource of its own where only rules are given: their order is no matter of issuers then.
  const rules =
    requestAuthentications === undefined
      ? objects.flatMap((object) => appliedRules([object], keys))
      : appliedRules(objects, keys);
  const [filter] = tokenFilters(rules);
  const { "@type": _, ...typedConfig } = filter?.typedConfig ?? {};
  const whole = { name: filter?.name, typedConfig };
  const got = requestAuthentications === undefined ? typedConfig : whole;
  return compare({
    expected: words(expected, folder),
    got: words(filter === undefined ? null : got, folder),
  });
}

function appliedRules(
  objects: readonly UpstreamObject[],
  tokenKeys: ReadonlyMap<string, string>,
): ReturnType<typeof appliedTokenRules> {
  const snapshot = buildSnapshot({
    resources: objects.length === 0 ? [] : resourcesIn(yamlOf(objects)),
    workloads: [],
    rootsPem: [],
    tokenKeys,
  });
  return appliedTokenRules(snapshot, { namespace: NAMESPACE, labels: {} });
}

/** As upstream's expectations name what only a run can know. */
function variable(name: string): string {
  return `$\{${name}}`;
}

const NAMESPACE = "default";
const INLINE = "https://inline.example/";
/** Where upstream's tests have an issuer of their own; it answers there. */
const ISSUER = variable("mock");
const ISSUER_URL = "https://mock.example";
const FETCHED = "keys of the issuer";

/** Keys that are written down need not be such that a verifier could use them: they are told as if they had been fetched. */
function withKeysApart(object: UpstreamObject, keys: Map<string, string>): UpstreamObject {
  const { jwtRules, ...spec } = (object.spec ?? {}) as {
    readonly jwtRules?: readonly RuleWithKeys[];
  };
  const apart = jwtRules?.map(({ jwks, jwksUri, ...rule }) => {
    if (jwks !== undefined) {
      const uri = `${INLINE}${keys.size}`;
      keys.set(uri, jwks);
      return { ...rule, jwksUri: uri };
    }
    if (jwksUri?.startsWith(ISSUER) !== true) return { ...rule, ...(jwksUri && { jwksUri }) };
    const uri = jwksUri.replace(ISSUER, ISSUER_URL);
    keys.set(uri, FETCHED);
    return { ...rule, jwksUri: uri };
  });
  return {
    ...object,
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { namespace: NAMESPACE, ...object.metadata },
    spec: { ...spec, ...(apart && { jwtRules: apart }) },
  };
}

/** Which keys an issuer has at a moment is no matter of the translation; nor which key it is that nobody has. */
function words(value: unknown, folder: string): string {
  const { jwks }: { readonly jwks: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(folder, "fixtures", "mock-issuer.json"), "utf8"),
  );
  const told = new Map(Object.values(jwks).map((text) => [text, FETCHED]));
  told.set(NOBODYS_KEYS, variable("publicOnlyJwks"));
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === "string") return told.get(inner) ?? inner;
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(
      Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)),
    );
  });
}
