/** `serviceAccounts` and `namespaces` of a policy against whole identities (AP-46, AP-47). */
import { InvalidSpiffeIdError } from "../../../src/identity/spiffe-id.ts";
import { connectionFrom } from "../../kit/mesh-parts.ts";
import { judgeConnection } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type AccountCase = ConformanceCase & {
  readonly serviceAccount?: string;
  readonly namespace?: string;
  readonly identity?: string;
  readonly match?: boolean;
  readonly policyNamespace?: string;
  readonly expectedRegex?: string;
};

export const serviceAccountMatch: TableRunner = table<AccountCase>({
  fields: ["serviceAccount", "namespace", "identity", "match", "policyNamespace", "expectedRegex"],
  exclusions: [
    {
      reason: "every policy is in a namespace, which completes an account without one (AP-47)",
      applies: ({ policyNamespace, serviceAccount = "" }) =>
        policyNamespace === "" && !serviceAccount.includes("/"),
    },
    {
      reason:
        "a * in namespaces stays within its segment, so that it cannot stretch over /sa/ (AP-90)",
      applies: ({ namespace, identity = "", match }) =>
        namespace?.includes("*") === true && match === true && !oneSegment(namespace, identity),
    },
    {
      reason: "an account with such characters in its name has no SPIFFE ID, and is nobody's",
      applies: ({ expectedRegex, serviceAccount = "" }) =>
        expectedRegex !== undefined && /[^\w./-]/.test(serviceAccount),
    },
  ],
  run(test) {
    const { identity, match, expectedRegex } = test;
    if (expectedRegex !== undefined) return runPattern(test, expectedRegex);
    if (identity === undefined) return { outcome: "skipped", reason: "no identity is given" };
    return compare({ expected: String(match), got: String(matches(test, identity)) });
  },
});

/** Whether the pattern could mean one segment that follows `ns`. */
function oneSegment(pattern: string, identity: string): boolean {
  const segments = identity.split("/");
  const [first = "", ...rest] = pattern.split("*");
  return segments.some(
    (segment, index) =>
      segments[index - 1] === "ns" &&
      segment.startsWith(first) &&
      segment.endsWith(rest.at(-1) ?? ""),
  );
}

/** Both give the same answer for what is, and what only looks like, the account. */
function runPattern(
  { serviceAccount = "", policyNamespace }: AccountCase,
  expression: string,
): CaseOutcome {
  const expected = new RegExp(`^(?:${expression})$`);
  const [account = "", namespace = policyNamespace ?? "default"] = serviceAccount
    .split("/")
    .reverse();
  const subject = { serviceAccount, ...(policyNamespace && { policyNamespace }) };
  const probes = lookAlikes(namespace, account);
  return compare({
    expected: probes.filter((each) => expected.test(each)).join(" "),
    got: probes.filter((each) => matches(subject, each)).join(" "),
  });
}

function lookAlikes(namespace: string, account: string): readonly string[] {
  const namespaces = [
    namespace,
    namespace.replace(/[.-]/, "X"),
    `${namespace}-x`,
    `x-${namespace}`,
  ];
  const accounts = [account, account.replace(/[.-]/, "X"), `${account}-x`, `x-${account}`];
  const paths = namespaces.flatMap((ns) =>
    accounts.flatMap((sa) => [
      `ns/${ns}/sa/${sa}`,
      `ns/${ns}/sa/${sa}/more`,
      `ns/${ns}/between/sa/${sa}`,
      `before/ns/${ns}/sa/${sa}`,
      `sa/${sa}/ns/${ns}`,
      `ns/${ns}`,
    ]),
  );
  return ["cluster.local", "td"].flatMap((domain) =>
    paths.map((path) => `spiffe://${domain}/${path}`),
  );
}

/** A peer whose certificate names no SPIFFE identity is never let in far enough to be judged (AP-45a). */
function matches(
  {
    serviceAccount,
    namespace,
    policyNamespace,
  }: Pick<AccountCase, "serviceAccount" | "namespace" | "policyNamespace">,
  identity: string,
): boolean {
  const source =
    serviceAccount === undefined
      ? { namespaces: [namespace] }
      : { serviceAccounts: [serviceAccount] };
  const own = policyNamespace || "default";
  const policy = {
    metadata: { name: "by-source", namespace: own },
    spec: { rules: [{ from: [{ source }] }] },
  };
  try {
    const connection = connectionFrom(identity);
    const subject = { namespace: own, labels: {} };
    return judgeConnection({ policies: [policy], subject }, connection).verdict === "allow";
  } catch (error) {
    if (error instanceof InvalidSpiffeIdError) return false;
    throw error;
  }
}
