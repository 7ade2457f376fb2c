/** Why a token is not believed. */
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Its message never holds the token. */
export class InvalidTokenError extends HauberkError {
  readonly code = "HAUBERK_INVALID_TOKEN";
}
