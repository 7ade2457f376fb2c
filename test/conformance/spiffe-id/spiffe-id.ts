/** SPIFFE identities, against the tables of go-spiffe and of Istio's own identities. */
import type { SuiteRunner } from "../suite-runner.ts";
import { excludedTable } from "../table-runner.ts";
import { istioIdentity } from "./istio-identity.ts";
import { match } from "./match.ts";
import { parseId } from "./parse-id.ts";
import { pathOperations } from "./path-operations.ts";
import { trustDomain } from "./trust-domain.ts";

const LATER =
  "identity documents and trust bundles are a later issue's (X509-SVID, JWT-SVID, SPIFFE bundle format)";

export const spiffeId: SuiteRunner = {
  "parse-id": parseId,
  "trust-domain": trustDomain,
  "path-operations": pathOperations,
  match,
  "istio-identity": istioIdentity,
  "x509-svid-parse": excludedTable(LATER),
  "x509-svid-rules": excludedTable(LATER),
  "jwt-svid-rules": excludedTable(LATER),
  bundles: excludedTable(LATER),
};
