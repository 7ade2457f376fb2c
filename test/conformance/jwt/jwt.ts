/** Tokens, the keys that verify them and where those are fetched, against the tests of Istio, of Envoy and of Wycheproof. */
import type { SuiteRunner } from "../suite-runner.ts";
import { claimRouting } from "./claim-routing.ts";
import { envoyJwtExtract } from "./envoy-jwt-extract.ts";
import { envoyJwtRequirements } from "./envoy-jwt-requirements.ts";
import { fieldValidation } from "./field-validation.ts";
import { jwks } from "./jwks.ts";
import { requestAuthentication } from "./request-authentication.ts";
import { envoyJwtVerify, tokenVerification } from "./token-verification.ts";
import { wycheproof } from "./wycheproof.ts";

export const jwt: SuiteRunner = {
  "request-authentication": requestAuthentication,
  jwks,
  "field-validation": fieldValidation,
  "claim-routing": claimRouting,
  "token-verification": tokenVerification,
  "wycheproof-jws": wycheproof("wycheproof-jws"),
  "wycheproof-jwk": wycheproof("wycheproof-jwk"),
  "wycheproof-jwc": wycheproof("wycheproof-jwc"),
  "envoy-jwt-verify": envoyJwtVerify,
  "envoy-jwt-extract": envoyJwtExtract,
  "envoy-jwt-requirements": envoyJwtRequirements,
};
