/** Which cases have no form here, by table: rules on what a case says, never on its name. */
import type { ExclusionRule } from "../suite-runner.ts";
import { AMBIENT_EXCLUSIONS } from "./ambient-exclusions.ts";
import type { E2eCase } from "./e2e-case.ts";
import { ofIstioKind, type RenderedPolicy, section } from "./rendered-policies.ts";

/** A case, and the resources that it applies. */
export interface ReadCase {
  readonly test: E2eCase;
  readonly policies: readonly RenderedPolicy[];
}

const expects = (...fields: readonly string[]): ((read: ReadCase) => boolean) => {
  return ({ test }) => fields.some((field) => test.expected[field] !== undefined);
};
const setUpWith = (...fields: readonly string[]): ((read: ReadCase) => boolean) => {
  return ({ test }) => fields.some((field) => test.setup?.[field] !== undefined);
};

const TOKENS: readonly ExclusionRule<ReadCase>[] = [
  {
    reason: "the sidecar itself fetches the keys: a later issue (JWT-81)",
    applies: ({ test }) => test.setup?.pilotEnv?.["PILOT_JWT_ENABLE_REMOTE_JWKS"] !== undefined,
  },
  {
    reason: "no route is for the request: routing is a later issue, and no policy is asked",
    applies: ({ test }) => test.expected["httpStatus"] === 404,
  },
];

const FORWARDED_ADDRESS: ExclusionRule<ReadCase> = {
  reason:
    "a gateway that trusts no proxy, or several, takes another entry of X-Forwarded-For than a sidecar (AP-51a); gateways' own settings are a later issue",
  applies: ({ test }) =>
    test.from.external === true && isForwarded(test) && trustedProxies(test) !== 1,
};

export const EXCLUSIONS: Readonly<Record<string, readonly ExclusionRule<ReadCase>[]>> = {
  authz: [...TOKENS, FORWARDED_ADDRESS],
  jwt: [...TOKENS, FORWARDED_ADDRESS],
  egress: [
    {
      reason:
        "TLS with certificates of the user's own, originated by a gateway or a sidecar, is a later issue (TLS-31, TLS-37..TLS-39)",
      applies: setUpWith(
        "secretsInGatewayNamespace",
        "secret",
        "clientSecret",
        "serverTls",
        "destinationRuleTlsMode",
      ),
    },
    ...TOKENS,
  ],
  "ext-authz": [
    {
      reason:
        "an authorizer that is asked by HTTP is not passed by on a TCP port, as Istio does: a deliberate difference (AP-65, QK-60)",
      applies: ({ test, policies }) =>
        test.to.port.protocol === "TCP" &&
        customProviders(policies).some((name) => isAskedByHttp(name, test)),
    },
    {
      reason:
        "several authorizers of one workload are all asked, also without PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS: a deliberate difference (AP-122)",
      applies: ({ test, policies }) =>
        new Set(customProviders(policies)).size > 1 &&
        test.setup?.pilotEnv?.["PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS"] !== "true",
    },
    {
      reason:
        "what the authorizer's answer adds to the request, or to the refusal, is a later issue (EA-10..EA-15)",
      applies: expects("upstreamRequestHeaders", "downstreamResponseHeaders", "errorContains"),
    },
  ],
  "ca-and-identity": [
    {
      reason:
        "certificates are signed by a signer outside the mesh, which Kubernetes asks: a later issue (CA-48)",
      applies: ({ test }) => /external signer/.test(String(test.setup?.["ca"])),
    },
  ],
  "ingress-tls": [
    {
      reason: "a gateway's own TLS, by certificates from Secrets, is a later issue (PA-21)",
      applies: ({ test }) =>
        [test.to["sni"], test.from["tls"], test.setup?.["secretsInGatewayNamespace"]].some(
          (field) => field !== undefined,
        ),
    },
  ],
  ambient: [...AMBIENT_EXCLUSIONS, ...TOKENS, FORWARDED_ADDRESS],
};

function customProviders(policies: readonly RenderedPolicy[]): readonly unknown[] {
  return ofIstioKind(policies, "AuthorizationPolicy")
    .filter(({ spec }) => spec?.["action"] === "CUSTOM")
    .map(({ spec }) => section(spec, "provider")["name"]);
}

function isAskedByHttp(name: unknown, { setup }: E2eCase): boolean {
  return (setup?.extensionProviders ?? []).some((provider) => {
    const { name: own, envoyExtAuthzHttp } = section(provider);
    return own === name && envoyExtAuthzHttp !== undefined;
  });
}

function isForwarded({ to }: E2eCase): boolean {
  return Object.keys(to.headers ?? {}).some((name) => name.toLowerCase() === "x-forwarded-for");
}

function trustedProxies({ setup }: E2eCase): unknown {
  const text = JSON.stringify(setup?.meshConfig ?? {});
  return Number(/"numTrustedProxies":(\d+)/.exec(text)?.[1] ?? 0);
}
