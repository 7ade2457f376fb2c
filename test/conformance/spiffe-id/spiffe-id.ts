/** SPIFFE identities, the documents that prove them and the bundles that vouch for those, as go-spiffe and Istio have them. */
import type { SuiteRunner } from "../suite-runner.ts";
import { bundles } from "./bundles.ts";
import { istioIdentity } from "./istio-identity.ts";
import { jwtSvidRules } from "./jwt-svid-rules.ts";
import { match } from "./match.ts";
import { parseId } from "./parse-id.ts";
import { pathOperations } from "./path-operations.ts";
import { trustDomain } from "./trust-domain.ts";
import { x509SvidParse } from "./x509-svid-parse.ts";
import { x509SvidRules } from "./x509-svid-rules.ts";

export const spiffeId: SuiteRunner = {
  "parse-id": parseId,
  "trust-domain": trustDomain,
  "path-operations": pathOperations,
  match,
  "istio-identity": istioIdentity,
  "x509-svid-parse": x509SvidParse,
  "x509-svid-rules": x509SvidRules,
  "jwt-svid-rules": jwtSvidRules,
  bundles,
};
