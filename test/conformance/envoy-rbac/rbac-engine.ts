/** Policies of one action against one request: LOG is what AUDIT becomes (AP-9). */
import { judgeRequest } from "../policy-evaluation.ts";
import { compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { requestOf } from "./envoy-request.ts";
import { rulesOf } from "./rbac-formula.ts";
import { type RbacPolicy, type RequestCase, UNSAYABLE } from "./unsayable-conditions.ts";

interface Rbac {
  readonly action?: "ALLOW" | "DENY" | "LOG";
  readonly policies?: Readonly<Record<string, RbacPolicy>>;
}

type EngineCase = RequestCase & {
  readonly rbac: Rbac;
  readonly allowed?: boolean;
  readonly logDecision?: "Yes" | "No" | "Undecided";
};

export const rbacEngine: TableRunner = table<EngineCase>({
  fields: ["rbac", "request", "allowed", "logDecision", "errorMatches"],
  exclusions: UNSAYABLE,
  run({ rbac, request = {}, allowed, logDecision }) {
    const { verdict, audited } = judgeRequest({ policies: policiesOf(rbac) }, requestOf(request));
    if (allowed !== undefined) {
      return compare({ expected: told(allowed), got: told(verdict === "allow") });
    }
    const undecided = rbac.action === "LOG" ? "No" : "Undecided";
    return compare({
      expected: String(logDecision),
      got: audited === undefined ? undecided : "Yes",
    });
  },
});

function told(allowed: boolean): string {
  return allowed ? "allowed" : "refused";
}

const ACTIONS = { ALLOW: "ALLOW", DENY: "DENY", LOG: "AUDIT" } as const;

/** An ALLOW policy that matches nothing still refuses (AP-20); any other has no effect, and is not written. */
function policiesOf({ action = "ALLOW", policies = {} }: Rbac): readonly UpstreamObject[] {
  const rules = Object.values(policies).flatMap(({ permissions = [], principals = [] }) =>
    rulesOf([permissions, principals]),
  );
  if (rules.length === 0) return action === "ALLOW" ? [{ spec: {} }] : [];
  return [{ spec: { action: ACTIONS[action], rules } }];
}
