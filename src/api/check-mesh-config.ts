/** What istiod demands of a mesh configuration beyond its structure, and what it warns of; a fault refuses all of it (VAL-75). */
import { checkExtensionProviders } from "./check-extension-provider.ts";
import { checkMeshProxy } from "./check-mesh-proxy.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { checkConnectionPool } from "./webhook/connection-pool.ts";
import { checkDuration, parseDuration } from "./webhook/duration.ts";
import { isDnsLabel, wildcardHostProblem } from "./webhook/host-name.ts";
import { checkRetries } from "./webhook/http-retry.ts";
import {
  checkLocalityLoadBalancing,
  checkZoneAwareLoadBalancing,
} from "./webhook/locality-load-balancing.ts";
import { checkOutlierDetection } from "./webhook/outlier-detection.ts";
import { portNumberProblem } from "./webhook/port.ts";
import { numberIn, textIn, textsIn } from "./webhook/written-values.ts";

const MAX_CONNECT_TIMEOUT_NS = 3600e9;
const NANOSECONDS_PER_MS = 1e6;
const CURVES: ReadonlySet<string> = new Set([
  "",
  "P-224",
  "P-256",
  "P-521",
  "P-384",
  "X25519",
  "X25519Kyber768Draft00",
  "X25519MLKEM768",
]);

export function checkMeshConfig(config: Fields): void {
  checkIdentity(config);
  checkTls(config);
  checkTimes(config);
  checkLoad(config);
  checkExtensionProviders(config);
  if (config.has("defaultConfig")) checkMeshProxy(config.section("defaultConfig"));
  if (config.has("proxyListenPort")) {
    const problem = portNumberProblem(numberIn(config, "proxyListenPort"));
    if (problem !== undefined) config.report("proxyListenPort", problem);
  }
  for (const settings of config.list("serviceSettings")) {
    for (const [item, host] of textsIn(settings, "hosts").entries()) {
      const problem = wildcardHostProblem(host);
      if (problem !== undefined) settings.report({ name: "hosts", item }, problem);
    }
  }
}

function checkIdentity(config: Fields): void {
  config.text("trustDomain", trustDomainProblem);
  config.texts("trustDomainAliases", trustDomainProblem);
}

/** Lower case, as SPIFFE demands (section 2.1); the rest is Istio's. */
export function trustDomainProblem(text: string): string | undefined {
  const labels = text.replace(/(?<=.)\.$/, "").split(".");
  const wellFormed = labels.every(isDnsLabel) && text.length <= 255;
  if (wellFormed && text === text.toLowerCase()) return undefined;
  return `${quoted(text)} is not a trust domain: at most 255 lower case letters, digits, "-" and "."`;
}

function checkTls(config: Fields): void {
  const mesh = config.section("meshMTLS");
  if (mesh.itemCount("ecdhCurves") > 0) {
    mesh.report("ecdhCurves", "cannot be chosen for mutual TLS; tlsDefaults has them");
  }
  const defaults = config.section("tlsDefaults");
  const curves = textsIn(defaults, "ecdhCurves");
  for (const [item, curve] of curves.entries()) {
    const at = { name: "ecdhCurves", item };
    if (!CURVES.has(curve)) defaults.notice(at, `${quoted(curve)} is not a known curve`);
    else if (curves.indexOf(curve) < item) defaults.notice(at, `${quoted(curve)} is given twice`);
  }
}

function checkTimes(config: Fields): void {
  checkDuration(config, "connectTimeout");
  const connect = parseDuration(textIn(config, "connectTimeout")) ?? 0;
  if (connect > MAX_CONNECT_TIMEOUT_NS) config.report("connectTimeout", "must be at most 1h");
  checkSpans(config, ["dnsRefreshRate", "hboneIdleTimeout", "protocolDetectionTimeout"]);
  const detection = parseDuration(textIn(config, "protocolDetectionTimeout")) ?? 0;
  if (detection % NANOSECONDS_PER_MS !== 0) {
    config.report("protocolDetectionTimeout", "must be a whole number of milliseconds");
  }
}

/** Durations of any length. */
function checkSpans(fields: Fields, names: readonly string[]): void {
  for (const name of names) {
    if (!fields.has(name) || parseDuration(textIn(fields, name)) !== undefined) continue;
    const text = textIn(fields, name);
    fields.report(name, `${quoted(text)} is not a duration; expected one such as "1.5s"`);
  }
}

function checkLoad(config: Fields): void {
  const surroundings = { outlierDetection: "given", warnings: "passed on" } as const;
  checkLocalityLoadBalancing(config.section("localityLbSetting"), surroundings);
  checkZoneAwareLoadBalancing(config.section("zoneAwareLbSetting"), surroundings);
  const traffic = config.section("defaultTrafficPolicy");
  checkConnectionPool(traffic);
  checkOutlierDetection(traffic, "dropped");
  if (config.has("defaultInboundHttpRetryPolicy")) checkInboundRetries(config);
}

/** There is one application behind a sidecar: nothing that chooses between hosts matters. */
function checkInboundRetries(config: Fields): void {
  const name = "defaultInboundHttpRetryPolicy";
  checkRetries(config, name);
  const retries = config.section(name);
  if (numberIn(retries, "attempts") === 0 && retries.has("backoff")) {
    retries.report("backoff", "must not be given with attempts: 0, which turns retries off");
  }
  for (const field of ["perTryTimeout", "retryRemoteLocalities", "retryIgnorePreviousHosts"]) {
    if (retries.has(field)) retries.notice(field, "has no effect on what comes in");
  }
}
