/** Upstream's end-to-end tests of security: which caller reaches which callee, and by which transport. */
import { rm } from "node:fs/promises";
import {
  type CaseOutcome,
  type ConformanceCase,
  excludedBy,
  type SuiteRunner,
  type TableRunner,
} from "../suite-runner.ts";
import { type Answer, answerOf, type JudgedAnswer } from "./answer-of-case.ts";
import { isSampleAuthorizer } from "./authorizer.ts";
import { carriedByGateway, gatewaySecrets } from "./carried-by-gateway.ts";
import { carriedBySidecars, isAboutCertificates } from "./carried-by-sidecars.ts";
import { carryEgress } from "./carried-egress.ts";
import { carryPassThrough, isPassThrough } from "./carried-pass-through.ts";
import {
  carryRequest,
  isAboutAuthorizers,
  isAboutTokens,
  tokenKeysOf,
} from "./carried-requests.ts";
import { type E2eCase, unknownFields } from "./e2e-case.ts";
import {
  addedResources,
  isAboutEgress,
  mountCertificates,
  withDestinationPort,
  withMounted,
} from "./egress-resources.ts";
import { EXCLUSIONS } from "./exclusions.ts";
import { compareAnswer, unknownExpectations } from "./expectation.ts";
import { type CaseMesh, hopsOf } from "./hops-of-case.ts";
import { meshOfCase } from "./mesh-of-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import { isAboutProbes, probedByKubelet } from "./probed-by-kubelet.ts";
import { type RenderedPolicy, renderedPolicies } from "./rendered-policies.ts";
import { tokenFixtures } from "./token-fixtures.ts";
import { type Topology, topologyOf } from "./topology.ts";

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

/** How a case within the mesh comes to its answer. @throws NotUnderstood */
export type AnswerCase = (test: E2eCase, mesh: CaseMesh, folder: string) => Promise<CaseOutcome>;

export const securityE2e: SuiteRunner = Object.fromEntries(
  TABLES.map((table) => [table, tableOf(table, answered)]),
);

export function tableOf(table: string, answer: AnswerCase): TableRunner {
  return {
    fields: FIELDS,
    run: (test, folder) => runCase(test as E2eCase & ConformanceCase, { table, folder, answer }),
  };
}

async function runCase(
  test: E2eCase,
  {
    table,
    folder,
    answer,
  }: { readonly table: string; readonly folder: string; readonly answer: AnswerCase },
): Promise<CaseOutcome> {
  const policies = renderedPolicies(test, folder);
  const excluded = excludedBy(EXCLUSIONS[table] ?? [], { test, policies });
  if (excluded !== undefined) return excluded;
  const isProbed = isAboutProbes(test);
  const unknown = isProbed ? [] : [...unknownFields(test), ...unknownExpectations(test)];
  if (unknown.length > 0) return skipped(`fields not understood: ${unknown.join(", ")}`);
  try {
    if (isProbed) return await probedByKubelet(test, { policies, folder });
    if (isAboutEgress(test)) return await answeredOutside(test, { policies, folder });
    const all = [...policies, ...gatewaySecrets(test, folder)];
    return await answer(test, meshFor(test, { policies: all, folder }), folder);
  } catch (error) {
    if (error instanceof NotUnderstood) return skipped(`not understood: ${error.message}`);
    throw error;
  }
}

async function answered(test: E2eCase, mesh: CaseMesh, folder: string): Promise<CaseOutcome> {
  if (isPassThrough(test, mesh))
    return compareAnswer(test, await carryPassThrough(test, mesh), mesh.fixtures);
  if (test.from.external === true) {
    const tokenKeys = tokenKeysOf(folder, mesh.fixtures.jwksURI);
    const answer = await carriedByGateway(test, { mesh, folder, tokenKeys });
    return compareAnswer(test, answer, mesh.fixtures);
  }
  const hops = hopsOf(test, mesh);
  const isAsked = isAboutAuthorizers(hops, mesh);
  if (isAsked && !isSampleAuthorizer(test)) throw new NotUnderstood("setup.authorizer");
  if (isAsked || isAboutTokens(hops, mesh)) {
    const tokenKeys = tokenKeysOf(folder, mesh.fixtures.jwksURI);
    const content = test.to.port.protocol === "GRPC" ? "grpc" : "http";
    const answer = await carryRequest(hops, { ...mesh, tokenKeys, content });
    return compareAnswer(test, answer, mesh.fixtures);
  }
  const answer = answerOf(test, mesh);
  const found = isAboutCertificates(test) ? await carried(test, answer) : answer;
  return compareAnswer(test, found, mesh.fixtures);
}

/** What leaves the mesh is carried. */
async function answeredOutside(
  test: E2eCase,
  { policies, folder }: { readonly policies: readonly RenderedPolicy[]; readonly folder: string },
): Promise<CaseOutcome> {
  const mounted = await mountCertificates(folder);
  try {
    const added = [...policies, ...addedResources(test, folder)];
    const all = withMounted(added, mounted);
    const mesh = meshFor(test, { policies: all, folder, portsOf: withDestinationPort });
    const tokenKeys = tokenKeysOf(folder, mesh.fixtures.jwksURI);
    const answer = await carryEgress(test, { ...mesh, folder, tokenKeys, mounted });
    return compareAnswer(test, answer, mesh.fixtures);
  } finally {
    await rm(mounted, { recursive: true });
  }
}

/** Policies are judged; who shows which certificate, and whether it counts, is tried. */
async function carried(test: E2eCase, answer: JudgedAnswer): Promise<Answer> {
  if (answer.came === "bad request") return answer;
  const judgement = answer.came === "through" ? answer.last : answer.judgement;
  const isJudged = test.to["serverCertificate"] === undefined;
  if (isJudged && answer.came === "refused") return answer;
  const outcome = await carriedBySidecars(test, judgement);
  if (outcome.came === "through")
    return { came: "through", last: judgement, hops: 1, serverKey: outcome.serverKey };
  const { problem } = outcome;
  const reason = { because: "callee-not-verified", problem, origin: "default" } as const;
  return { came: "refused", reason, judgement };
}

function meshFor(
  test: E2eCase,
  {
    policies,
    folder,
    portsOf = (known) => known,
  }: {
    readonly policies: readonly RenderedPolicy[];
    readonly folder: string;
    readonly portsOf?: (topology: Topology, test: E2eCase) => Topology;
  },
): CaseMesh {
  const topology = portsOf(topologyOf(test, folder), test);
  const fixtures = tokenFixtures(folder);
  return { topology, policies, fixtures, snapshot: meshOfCase(test, { topology, policies }) };
}

function skipped(reason: string): CaseOutcome {
  return { outcome: "skipped", reason };
}
