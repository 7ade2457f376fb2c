/** What istiod's webhook demands of a WasmPlugin, and what it warns of. */
import type { Fields } from "../decoder.ts";
import { checkWorkloadSelector } from "../label-selector.ts";
import { quoted } from "../quoted.ts";
import { checkTargetRefs } from "../target-refs.ts";
import { portNumberProblem } from "./port.ts";
import { requestUriScheme } from "./request-uri.ts";
import type { WebhookRequest } from "./webhook.ts";
import { numberIn, textIn } from "./written-values.ts";

const SCHEMES = ["", "file", "http", "https", "oci"];
const SHA256 = /^[a-f0-9]{64}$/;
/** In bytes. */
const LONGEST_SECRET_NAME = 253;
const LONGEST_NAME = 256;

export function validateWasmPlugin({ spec }: WebhookRequest): void {
  checkTargetRefs(spec);
  checkWorkloadSelector(spec);
  checkUrl(spec);
  const sha256 = textIn(spec, "sha256");
  if (sha256 !== "" && !SHA256.test(sha256)) {
    spec.report("sha256", `${quoted(sha256)} is not a SHA-256; expected 64 of 0-9 and a-f`);
  }
  checkLength(spec, { field: "imagePullSecret", most: LONGEST_SECRET_NAME });
  checkLength(spec, { field: "pluginName", most: LONGEST_NAME });
  checkVariables(spec.section("vmConfig"));
  for (const selector of spec.list("match")) checkPorts(selector);
}

/** An image may be written without its scheme, `registry.example.com/filter:v1`. */
function checkUrl(spec: Fields): void {
  const url = textIn(spec, "url");
  if (url === "") {
    spec.report("url", "is missing");
    return;
  }
  const scheme = requestUriScheme(url) ?? requestUriScheme(`http://${url}`);
  if (scheme === undefined) spec.report("url", `${quoted(url)} is not a URL`);
  else if (!SCHEMES.includes(scheme)) {
    const known = SCHEMES.filter((name) => name !== "").join(", ");
    spec.report("url", `${quoted(url)} has the scheme ${quoted(scheme)}; expected one of ${known}`);
  }
}

function checkVariables(vmConfig: Fields): void {
  const names = new Set<string>();
  for (const variable of vmConfig.list("env")) {
    const name = textIn(variable, "name");
    if (name === "") variable.report("name", "is missing");
    checkLength(variable, { field: "name", most: LONGEST_NAME });
    if (names.has(name)) variable.report("name", `${quoted(name)} is given twice`);
    names.add(name);
    const source = textIn(variable, "valueFrom") || "INLINE";
    if (source !== "INLINE" && textIn(variable, "value") !== "") {
      variable.report("value", `must not be given when valueFrom is ${source}`);
    }
  }
}

function checkPorts(selector: Fields): void {
  for (const port of selector.list("ports")) {
    const problem = portNumberProblem(numberIn(port, "number"));
    if (problem !== undefined) port.report("number", problem);
  }
}

function checkLength(
  fields: Fields,
  { field, most }: { readonly field: string; readonly most: number },
): void {
  const length = new TextEncoder().encode(textIn(fields, field)).length;
  if (length > most) fields.report(field, `has ${length} bytes; at most ${most} are allowed`);
}
