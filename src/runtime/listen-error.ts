import { HauberkError } from "./hauberk-error.ts";

/** A port could not be opened, as when another process has it. */
export class ListenError extends HauberkError {
  readonly code = "HAUBERK_LISTEN";
}
