/** The global limits of one sidecar. */
import type { X509Svid } from "../../identity/x509-svid.ts";
import { rateLimitDomain } from "../../policy/global-limit-descriptor.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import { GlobalConnection } from "./global-connection.ts";
import type { GlobalLimiter } from "./global-limiter.ts";
import { GlobalLimits } from "./global-limits.ts";

export interface OpenGlobalLimitsOptions {
  /** `host:port`; absent: nobody counts for the mesh, and all of it is unavailable. */
  readonly controlPlane?: string | undefined;
  /** PEM of the roots that the control plane's certificate must chain to, as known when a connection starts. */
  readonly rootsPem?: (() => readonly string[]) | undefined;
  readonly svid: Watched<X509Svid | undefined>;
  /** Of the view in force. */
  readonly trustDomain: () => string;
  readonly log: Log;
}

/** Resolves when the service is connected, or cannot be for now. */
export async function openGlobalLimits(options: OpenGlobalLimitsOptions): Promise<GlobalLimiter> {
  const { controlPlane, rootsPem, svid, trustDomain, log } = options;
  const domain = (): string => rateLimitDomain(trustDomain());
  const now = (): number => performance.now();
  if (controlPlane === undefined || rootsPem === undefined) {
    const ask = async (): Promise<never> => {
      throw new Error("there is no control plane to ask");
    };
    return new GlobalLimits({ ask, domain, log, now });
  }
  const connection = new GlobalConnection({ controlPlane, rootsPem, svid });
  const { ask } = connection;
  await connection.open().catch(() => undefined); // the first question will say why
  return new GlobalLimits({ ask, domain, log, now }, () => connection.close());
}
