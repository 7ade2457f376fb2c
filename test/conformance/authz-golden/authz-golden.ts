/** AuthorizationPolicy, against the unit tables of Istio's own translation. */
import type { SuiteRunner } from "../suite-runner.ts";
import { excludedTable } from "../table-runner.ts";
import { parsing } from "./parsing.ts";
import { policySelection } from "./policy-selection.ts";
import { serviceAccountMatch } from "./service-account-match.ts";
import { trustDomain } from "./trust-domain.ts";

const ENVOY =
  "expects Envoy's configuration; translation for Envoy is a later issue's (AP-2, AP-8)";

export const authzGolden: SuiteRunner = {
  "policy-selection": policySelection,
  "trust-domain": trustDomain,
  parsing,
  "service-account-match": serviceAccountMatch,
  builder: excludedTable(ENVOY),
  generators: excludedTable(ENVOY),
  matchers: excludedTable(ENVOY),
  model: excludedTable(ENVOY),
};
