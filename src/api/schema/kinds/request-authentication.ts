/**
 * The structure of a RequestAuthentication.
 * Source: https://istio.io/latest/docs/reference/config/security/request_authentication/
 */

import { duration } from "../duration.ts";
import { targetRef, targetRefs } from "../parts/target-reference.ts";
import { workloadSelector } from "../parts/workload-selector.ts";
import { HTTP_URL, KEYS_OR_WHERE, SELECTOR_OR_TARGETS } from "../rules.ts";
import { choice, flag, list, type ObjectSchema, object, resource, text } from "../schema.ts";

const jwtRule = object(
  {
    audiences: list(text({ minLength: 1 })),
    forwardOriginalToken: flag(),
    fromCookies: list(text({ minLength: 1 })),
    fromHeaders: list(
      object({ name: text({ minLength: 1 }), prefix: text() }, { required: ["name"] }),
    ),
    fromParams: list(text({ minLength: 1 })),
    issuer: text({ minLength: 1 }),
    jwks: text(),
    jwks_uri: text({ minLength: 1, maxLength: 2048, rules: [HTTP_URL] }),
    jwksUri: text({ minLength: 1, maxLength: 2048, rules: [HTTP_URL] }),
    outputClaimToHeaders: list(
      object(
        {
          claim: text({ minLength: 1 }),
          header: text({ minLength: 1, pattern: /^[-_A-Za-z0-9]+$/ }),
        },
        { required: ["header", "claim"] },
      ),
    ),
    outputPayloadToHeader: text(),
    presence: choice(["OPTIONAL", "REQUIRED"]),
    spaceDelimitedClaims: list(text({ minLength: 1 }), { maxItems: 64 }),
    timeout: duration,
  },
  { rules: [KEYS_OR_WHERE] },
);

const spec = object(
  {
    jwtRules: list(jwtRule, { maxItems: 4096 }),
    selector: workloadSelector,
    targetRef,
    targetRefs,
  },
  { rules: [SELECTOR_OR_TARGETS] },
);

export const requestAuthenticationSchema: ObjectSchema = resource(spec, "optional");
