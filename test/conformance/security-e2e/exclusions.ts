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

const TOKENS: readonly ExclusionRule<ReadCase>[] = [
  {
    reason: "the sidecar itself fetches the keys: a later issue (JWT-81)",
    applies: ({ test }) => test.setup?.pilotEnv?.["PILOT_JWT_ENABLE_REMOTE_JWKS"] !== undefined,
  },
];

export const EXCLUSIONS: Readonly<Record<string, readonly ExclusionRule<ReadCase>[]>> = {
  authz: TOKENS,
  jwt: TOKENS,
  egress: TOKENS,
  normalization: [
    {
      reason:
        "a dot segment with parameters is refused where paths are normalised, since two proxies in a row read two paths: a deliberate difference (AP-102)",
      applies: ({ test: { to, setup } }) =>
        normalizationOf(setup?.["meshConfig"]) !== "NONE" && DOT_PARAMETERS.test(to.path ?? ""),
    },
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
  ],
  "ca-and-identity": [
    {
      reason:
        "certificates are signed by a signer outside the mesh, which Kubernetes asks: a later issue (CA-48)",
      applies: ({ test }) => /external signer/.test(String(test.setup?.["ca"])),
    },
  ],
  ambient: [...AMBIENT_EXCLUSIONS, ...TOKENS],
};

const DOT_PARAMETERS = /[/\\](?:\.|%2e){1,2};/i;

function normalizationOf(meshConfig: unknown): unknown {
  return section(section(meshConfig), "pathNormalization")["normalization"];
}

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
