/** How a listener of the Gateway API ends TLS, where it is more than a certificate of the server: one of its `options`. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import type { Labels } from "../resource.ts";

const OPTION = "gateway.istio.io/tls-terminate-mode";
const MODES = ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL"] as const;
export type TerminateMode = (typeof MODES)[number];

/** One that is not written is SIMPLE. */
export function terminateMode(options: Labels): TerminateMode {
  return MODES.find((mode) => mode === options[OPTION]) ?? "SIMPLE";
}

/** Istio takes a word that it does not know for SIMPLE: then no client would have to show what it was meant to. */
export function checkTerminateMode(options: Fields, written: Labels): void {
  const mode = written[OPTION];
  if (mode === undefined || MODES.some((known) => known === mode)) return;
  options.report(OPTION, `is ${quoted(mode)}; expected one of ${MODES.join(", ")}`);
}
