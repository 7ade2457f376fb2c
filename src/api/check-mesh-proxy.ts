/** What istiod demands of a mesh's `defaultConfig` beyond its structure, and what it warns of. */
import { isIP } from "node:net";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { checkClientTlsSettings } from "./webhook/client-tls-settings.ts";
import { checkDuration, parseDuration } from "./webhook/duration.ts";
import { hostNameProblem } from "./webhook/host-name.ts";
import { portNumberProblem } from "./webhook/port.ts";
import { numberIn, textIn } from "./webhook/written-values.ts";

const NANOSECONDS_PER_SECOND = 1e9;
/** The address of the machine, filled in when a sidecar starts. */
const HOST_IP = "$(HOST_IP)";
/** The mesh's configuration is in none, so that no config map is its own. */
const NO_NAMESPACE = "";

export function checkMeshProxy(proxy: Fields): void {
  for (const name of ["configPath", "binaryPath", "serviceCluster", "discoveryAddress"]) {
    if (proxy.has(name) && textIn(proxy, name) === "") proxy.report(name, "must not be empty");
  }
  checkDrain(proxy);
  for (const name of ["discoveryAddress", "statsdUdpAddress", "envoyMetricsServiceAddress"]) {
    checkAddress(proxy, name);
  }
  checkAddress(proxy.section("envoyMetricsService"), "address");
  checkAddress(proxy.section("envoyAccessLogService"), "address");
  for (const name of ["proxyAdminPort", "statusPort"]) {
    const problem = portNumberProblem(numberIn(proxy, name));
    if (proxy.has(name) && problem !== undefined) proxy.report(name, problem);
  }
  if (textIn(proxy, "controlPlaneAuthPolicy") === "INHERIT") {
    proxy.report("controlPlaneAuthPolicy", "is INHERIT; expected NONE or MUTUAL_TLS");
  }
  checkTracing(proxy.section("tracing"));
  checkOffload(proxy);
  checkConnections(proxy.section("connectionSettings"));
  if (proxy.section("proxyMetadata").has("ISTIO_META_DNS_AUTO_ALLOCATE")) {
    proxy.section("proxyMetadata").notice("ISTIO_META_DNS_AUTO_ALLOCATE", "is deprecated");
  }
}

function checkDrain(proxy: Fields): void {
  checkDuration(proxy, "drainDuration");
  const drain = parseDuration(textIn(proxy, "drainDuration")) ?? 0;
  if (drain % NANOSECONDS_PER_SECOND !== 0) {
    proxy.report("drainDuration", "must be a whole number of seconds");
  }
}

function checkTracing(tracing: Fields): void {
  for (const name of ["zipkin", "lightstep", "datadog"]) {
    if (!tracing.has(name)) continue;
    const tracer = tracing.section(name);
    if (textIn(tracer, "address") === "") tracer.report("address", "is missing");
    checkAddress(tracer, "address");
    if (name === "lightstep" && textIn(tracer, "accessToken") === "") {
      tracer.report("accessToken", "is missing");
    }
  }
  checkClientTlsSettings(tracing.section("tlsSettings"), NO_NAMESPACE);
  const tags = tracing.section("customTags");
  for (const name of tags.names())
    if (!tags.has(name)) tags.report(name, "is empty; expected a map");
}

/** Cryptography that other hardware does. */
function checkOffload(proxy: Fields): void {
  if (!proxy.has("privateKeyProvider")) return;
  const provider = proxy.section("privateKeyProvider");
  const kind = ["cryptomb", "qat"].find((name) => provider.has(name));
  if (kind === undefined) proxy.report("privateKeyProvider", "needs cryptomb or qat");
  else checkPollDelay(provider.section(kind));
}

function checkPollDelay(settings: Fields): void {
  const delay = parseDuration(textIn(settings, "pollDelay"));
  if (delay === undefined || delay === 0) {
    settings.report("pollDelay", 'is missing: it must be a duration such as "10ms"');
  }
}

/** The least that each setting may be. */
const LEAST: Readonly<Record<string, number>> = {
  listenerPerConnectionBufferLimitBytes: 0,
  clusterPerConnectionBufferLimitBytes: 0,
  httpMaxConcurrentStreams: 1,
  http2InitialStreamWindowSize: 65_535,
  http2InitialConnectionWindowSize: 65_535,
  listenerConnectionLimit: 1,
  globalDownstreamConnectionLimit: 1,
};
const TIMEOUTS = [
  "httpIdleTimeout",
  "httpMaxConnectionDuration",
  "httpDrainTimeout",
  "httpRequestTimeout",
  "httpRequestHeadersTimeout",
  "httpStreamIdleTimeout",
  "httpMaxStreamDuration",
];

function checkConnections(settings: Fields): void {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = numberIn(settings, name);
    if (settings.has(name) && value < least) {
      settings.report(name, `is ${value}; expected at least ${least}`);
    }
  }
  for (const name of TIMEOUTS) {
    if (!settings.has(name)) continue;
    const timeout = parseDuration(textIn(settings, name));
    if (timeout === undefined || timeout < 0) {
      settings.report(
        name,
        `is ${quoted(textIn(settings, name))}; expected a duration, 0s or more`,
      );
    }
  }
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
function checkAddress(fields: Fields, name: string): void {
  const text = textIn(fields, name);
  if (text === "") return;
  const written = text.replace(HOST_IP, "127.0.0.1");
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(written) ?? [];
  const host = bracketed ?? plain ?? "";
  const good =
    portNumberProblem(Number(port)) === undefined &&
    (hostNameProblem(host) === undefined || isIP(host) !== 0);
  if (!good) fields.report(name, `${quoted(text)} is not an address; expected HOST:PORT`);
}
