/** One value of `principals` for all trust domains that are ours (AP-45d). */
import { expandPrincipal } from "../../../src/policy/trust-domain-aliases.ts";
import { connectionFrom } from "../../kit/mesh-parts.ts";
import { judgeConnection } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type TrustDomainCase = ConformanceCase & {
  readonly trustDomain?: string;
  readonly aliases?: readonly string[];
  readonly principals?: readonly string[];
  readonly principal?: string;
  /** A pattern, and the trust domains it is held against. */
  readonly element?: string;
  readonly list?: readonly string[];
  readonly expected?: readonly string[] | string | boolean;
  readonly error?: string;
};

const OTHER = "other.test";

export const trustDomain: TableRunner = table<TrustDomainCase>({
  fields: [
    "trustDomain",
    "aliases",
    "principals",
    "principal",
    "element",
    "list",
    "expected",
    "error",
  ],
  exclusions: [
    {
      reason:
        "a trust domain of the mesh has no wildcard: the mesh configuration refuses it (CA-18)",
      applies: ({ trustDomain: domain = "", aliases = [], list = [] }) =>
        [domain, ...aliases, ...list].some((each) => each.includes("*")),
    },
    {
      reason: "a pattern for trust domains is never empty: the policy is refused (VAL-25)",
      applies: ({ element }) => element === "",
    },
  ],
  run(test) {
    const { principals, principal = "", element, expected } = test;
    if (principals !== undefined) return runAliases(test, principals);
    if (element !== undefined) return runPattern(test, element);
    if (typeof expected === "boolean") {
      return compare({
        expected: String(expected),
        got: String(domainThatCounts(principal) !== undefined),
      });
    }
    return test.trustDomain === undefined
      ? compare({
          expected: `names "${expected}"`,
          got: `names "${domainThatCounts(principal) ?? ""}"`,
        })
      : runReplacement(test, { principal, trustDomain: test.trustDomain });
  },
});

function runAliases(
  { trustDomain: domain = "", aliases = [], expected }: TrustDomainCase,
  principals: readonly string[],
): CaseOutcome {
  const trust = { trustDomain: domain, trustDomainAliases: aliases };
  const got = principals.flatMap((value) => expandPrincipal(value, trust));
  return compare({ expected: JSON.stringify(expected), got: JSON.stringify(got) });
}

/** What is no principal of five parts stays as it is; of any other its domain is replaced when it is one of ours. */
function runReplacement(
  { expected, error }: TrustDomainCase,
  { principal, trustDomain: domain }: { readonly principal: string; readonly trustDomain: string },
): CaseOutcome {
  const [own = ""] = principal.split("/");
  const [first] = expandPrincipal(principal, { trustDomain: domain, trustDomainAliases: [own] });
  return compare({
    expected: error === undefined ? String(expected) : principal,
    got: String(first),
  });
}

/** The trust domain that a principal names: the one that gets it another beside, when both are ours. */
function domainThatCounts(principal: string): string | undefined {
  const [domain = "", ...rest] = principal.split("/");
  const trust = { trustDomain: domain, trustDomainAliases: [OTHER] };
  const isExpanded = expandPrincipal(principal, trust).includes([OTHER, ...rest].join("/"));
  return isExpanded ? domain : undefined;
}

/** Whether a policy with the pattern lets in a workload of one of the trust domains. */
function runPattern({ list = [], expected }: TrustDomainCase, element: string): CaseOutcome {
  const [domain = OTHER, ...aliases] = list;
  const rules = [{ from: [{ source: { principals: [`${element}/ns/shop/sa/cart`] } }] }];
  const mesh = {
    policies: [{ spec: { rules } }],
    meshConfig: { trustDomain: domain, trustDomainAliases: aliases },
  };
  const matches = list.some((each) => {
    const connection = connectionFrom(`spiffe://${each}/ns/shop/sa/cart`);
    return judgeConnection(mesh, connection).verdict === "allow";
  });
  return compare({ expected: String(expected), got: String(matches) });
}
