/** The tables of policies, tokens, authorizers, paths and reachability, every case carried by real proxies, of a kind that is chosen. */

import type { CaseOutcome, SuiteRunner } from "../suite-runner.ts";
import { excludedTable } from "../table-runner.ts";
import { isSampleAuthorizer } from "./authorizer.ts";
import { carriedByGateway } from "./carried-by-gateway.ts";
import { CarriedMesh } from "./carried-by-proxies.ts";
import { isAboutAuthorizers, tokenKeysOf } from "./carried-requests.ts";
import type { StartProxy } from "./data-planes.ts";
import type { E2eCase } from "./e2e-case.ts";
import { compareAnswer } from "./expectation.ts";
import { type CaseMesh, hopsOf } from "./hops-of-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import { securityE2e, tableOf } from "./security-e2e.ts";

const CARRIED: readonly string[] = [
  "authz",
  "ext-authz",
  "jwt",
  "mtls-reachability",
  "normalization",
];
const NOT_CARRIED = "carried with sidecars of our own only";

export interface SuiteByProxies {
  readonly runner: SuiteRunner;
  close(): Promise<void>;
}

export function securityE2eByProxies(startProxy: StartProxy): SuiteByProxies {
  const carried = new CarriedMesh(startProxy);
  const answered = async (test: E2eCase, mesh: CaseMesh, folder: string): Promise<CaseOutcome> => {
    const { fixtures } = mesh;
    const tokenKeys = tokenKeysOf(folder, fixtures.jwksURI);
    if (test.from.external === true) {
      const answer = await carriedByGateway(test, { mesh, folder, tokenKeys, startProxy });
      return compareAnswer(test, answer, fixtures);
    }
    const [hop, ...others] = hopsOf(test, mesh);
    if (hop === undefined || others.length > 0) throw new NotUnderstood("several proxies");
    if (isAboutAuthorizers([hop], mesh) && !isSampleAuthorizer(test))
      throw new NotUnderstood("setup.authorizer");
    return compareAnswer(test, await carried.carry(hop, { ...mesh, tokenKeys }), fixtures);
  };
  const runner = Object.fromEntries(
    Object.keys(securityE2e).map((table) => [
      table,
      CARRIED.includes(table) ? tableOf(table, answered) : excludedTable(NOT_CARRIED),
    ]),
  );
  return { runner, close: () => carried.close() };
}
