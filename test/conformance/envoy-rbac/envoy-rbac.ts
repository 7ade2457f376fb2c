/** Envoy's matchers and RBAC engine, through the field of AuthorizationPolicy that means each. */
import type { SuiteRunner } from "../suite-runner.ts";
import { pathMatcher } from "./path-matcher.ts";
import { pathNormalization } from "./path-normalization.ts";
import { rbacEngine } from "./rbac-engine.ts";
import { rbacMatchers } from "./rbac-matchers.ts";
import { stringMatcher } from "./string-matcher.ts";
import { uriTemplate } from "./uri-template.ts";
import { xfcc } from "./xfcc.ts";

export const envoyRbac: SuiteRunner = {
  "string-matcher": stringMatcher,
  "path-matcher": pathMatcher,
  "uri-template": uriTemplate,
  "path-normalization": pathNormalization,
  "rbac-matchers": rbacMatchers,
  "rbac-engine": rbacEngine,
  xfcc,
};
