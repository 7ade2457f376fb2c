/** AuthorizationPolicy, against the unit tables of Istio's own translation. */
import type { SuiteRunner } from "../suite-runner.ts";
import { builder } from "./builder.ts";
import { generators } from "./generators.ts";
import { matchers } from "./matchers.ts";
import { model } from "./model.ts";
import { parsing } from "./parsing.ts";
import { policySelection } from "./policy-selection.ts";
import { serviceAccountMatch } from "./service-account-match.ts";
import { trustDomain } from "./trust-domain.ts";

export const authzGolden: SuiteRunner = {
  "policy-selection": policySelection,
  "trust-domain": trustDomain,
  parsing,
  "service-account-match": serviceAccountMatch,
  builder,
  generators,
  matchers,
  model,
};
