import { HauberkError } from "../../runtime/hauberk-error.ts";

/** The kernel, or a tool that speaks to it, refuses a part of the mesh's network; the message has the tool's own words. */
export class FabricError extends HauberkError {
  readonly code = "HAUBERK_FABRIC";
}
