/** Which tokens a request must bring, by trees over several issuers, and which of their faults is told (JWT-5, JWT-6, JWT-36). */
import {
  evaluateRequirement,
  type ProviderResult,
  type TokenRequirement,
} from "../../../src/jwt/token-requirement.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

/** As in Envoy's configuration: one member. */
interface WrittenRequirement {
  readonly providerName?: string;
  readonly requiresAny?: { readonly requirements: readonly WrittenRequirement[] };
  readonly requiresAll?: { readonly requirements: readonly WrittenRequirement[] };
  readonly allowMissing?: unknown;
  readonly allowMissingOrFailed?: unknown;
}

type RequirementCase = ConformanceCase & {
  readonly requires: WrittenRequirement;
  readonly providerStatus: Readonly<Record<string, string>>;
  readonly expectedStatus: string;
  readonly verifiedProviders?: readonly string[];
};

const STATUSES: ReadonlyMap<string, ProviderResult> = new Map([
  ["Ok", "good"],
  ["JwtMissed", "missing"],
  ["JwtUnknownIssuer", "unknownIssuer"],
  ["JwtExpired", "expired"],
  ["JwtNotYetValid", "notYetValid"],
  ["JwtAudienceNotAllowed", "audience"],
  ["JwtVerificationFail", "signature"],
  ["JwtBadFormat", "shape"],
  ["JwtHeaderBadKid", "keyIdType"],
  ["JwtHeaderBadAlg", "algorithmMissing"],
  ["JwtHeaderNotImplementedAlg", "algorithmUnknown"],
  ["JwksNoValidKeys", "noValidKey"],
  ["JwksFetchFail", "keysNotFetched"],
  ["JwksKidAlgMismatch", "noKey"],
]);

export const envoyJwtRequirements: TableRunner = table<RequirementCase>({
  fields: ["requires", "providerStatus", "expectedStatus", "verifiedProviders"],
  run({ requires, providerStatus, expectedStatus, verifiedProviders }) {
    const providers = [...new Set(providersIn(requires))];
    const unknown = [...Object.values(providerStatus), expectedStatus].filter(
      (status) => !STATUSES.has(status),
    );
    const requirement = requirementOf(requires, providers);
    if (unknown.length > 0) return notUnderstood(`the status ${unknown.join(", ")}`);
    if (requirement === undefined) return notUnderstood(JSON.stringify(requires));
    const { result, verified } = evaluateRequirement(requirement, (index) =>
      statusOf(providerStatus, providers[index] ?? ""),
    );
    const names = verified.map((index) => providers[index]);
    return compare({
      expected: inWords(STATUSES.get(expectedStatus), verifiedProviders),
      got: inWords(result, verifiedProviders && names),
    });
  },
});

function notUnderstood(what: string): CaseOutcome {
  return { outcome: "skipped", reason: `not understood: ${what}` };
}

function statusOf(statuses: RequirementCase["providerStatus"], provider: string): ProviderResult {
  const result = STATUSES.get(statuses[provider] ?? "");
  // Upstream's verifiers end before they ask for one of which the case says nothing.
  if (result === undefined) throw new Error(`${provider} was asked for`);
  return result;
}

function inWords(
  result: ProviderResult | undefined,
  verified: readonly (string | undefined)[] | undefined,
): string {
  return verified === undefined ? `${result}` : `${result}, verified: ${verified.join(", ")}`;
}

function alternativesIn({ requiresAny, requiresAll }: WrittenRequirement) {
  return (requiresAny ?? requiresAll)?.requirements ?? [];
}

function providersIn(written: WrittenRequirement): readonly string[] {
  const { providerName } = written;
  return providerName === undefined ? alternativesIn(written).flatMap(providersIn) : [providerName];
}

/** Undefined: of a kind that is not understood. */
function requirementOf(
  written: WrittenRequirement,
  providers: readonly string[],
): TokenRequirement | undefined {
  const { providerName, requiresAny, allowMissing, allowMissingOrFailed } = written;
  if (providerName !== undefined)
    return { kind: "provider", provider: providers.indexOf(providerName) };
  if (allowMissing !== undefined) return { kind: "allow missing" };
  if (allowMissingOrFailed !== undefined) return { kind: "allow missing or failed" };
  const parts = alternativesIn(written).map((one) => requirementOf(one, providers));
  const of = parts.filter((one) => one !== undefined);
  if (parts.length === 0 || of.length < parts.length) return undefined;
  return { kind: requiresAny === undefined ? "all" : "any", of };
}
