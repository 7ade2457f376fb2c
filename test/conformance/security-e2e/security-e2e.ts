/** Upstream's end-to-end tests of security: which caller reaches which callee, and by which transport. */
import {
  type CaseOutcome,
  type ConformanceCase,
  excludedBy,
  type SuiteRunner,
  type TableRunner,
} from "../suite-runner.ts";
import { answerOf } from "./answer-of-case.ts";
import { tokenFixtures } from "./asked-token.ts";
import { type E2eCase, unknownFields } from "./e2e-case.ts";
import { EXCLUSIONS, UNVERIFIED } from "./exclusions.ts";
import { compareAnswer, unknownExpectations } from "./expectation.ts";
import type { CaseMesh } from "./hops-of-case.ts";
import { meshOfCase } from "./mesh-of-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import { type RenderedPolicy, renderedPolicies } from "./rendered-policies.ts";
import { topologyOf } from "./topology.ts";

const TABLES = [
  "ambient",
  "authz",
  "ca-and-identity",
  "egress",
  "ext-authz",
  "ingress-tls",
  "jwt",
  "mtls-reachability",
  "normalization",
  "pass-through",
] as const;

const FIELDS = ["setup", "policies", "renderedPolicies", "from", "to", "expected", "notes"];

export const securityE2e: SuiteRunner = Object.fromEntries(
  TABLES.map((table): [string, TableRunner] => [
    table,
    {
      fields: FIELDS,
      run: (test, folder) => runCase(test as E2eCase & ConformanceCase, { table, folder }),
    },
  ]),
);

function runCase(
  test: E2eCase,
  { table, folder }: { readonly table: string; readonly folder: string },
): CaseOutcome {
  const policies = renderedPolicies(test, folder);
  const excluded = excludedBy(EXCLUSIONS[table] ?? [], { test, policies });
  if (excluded !== undefined) return excluded;
  const unknown = [...unknownFields(test), ...unknownExpectations(test)];
  if (unknown.length > 0) return skipped(`fields not understood: ${unknown.join(", ")}`);
  try {
    return answered(test, meshFor(test, { policies, folder }));
  } catch (error) {
    if (error instanceof NotUnderstood) return skipped(`not understood: ${error.message}`);
    throw error;
  }
}

function answered(test: E2eCase, mesh: CaseMesh): CaseOutcome {
  const answer = answerOf(test, mesh);
  if (answer.came === "unverified token") return { outcome: "excluded", reason: UNVERIFIED };
  return compareAnswer(test, answer);
}

function meshFor(
  test: E2eCase,
  { policies, folder }: { readonly policies: readonly RenderedPolicy[]; readonly folder: string },
): CaseMesh {
  const topology = topologyOf(test, folder);
  const fixtures = tokenFixtures(folder);
  return { topology, policies, fixtures, snapshot: meshOfCase(test, { topology, policies }) };
}

function skipped(reason: string): CaseOutcome {
  return { outcome: "skipped", reason };
}
