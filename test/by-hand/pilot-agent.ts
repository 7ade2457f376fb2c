/** Istio's own agent in a folder of its own, as a container of an injected pod would have it: a token, and the roots. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../kit/free-port.ts";
import { istioProgram } from "./istio-programs.ts";

export interface PilotAgentOptions {
  /** `address:port` */
  readonly controlPlane: string;
  readonly namespace: string;
  readonly pod: string;
  readonly serviceAccount: string;
  /** For `istio-ca`, bound to the pod. */
  readonly token: string;
  /** PEM, as `istio-ca-root-cert` has them. */
  readonly roots: string;
  /** As Go writes a duration. */
  readonly certificateLifetime: string;
  /** What it starts with it, in a network of its own; absent: none. */
  readonly envoy?: {
    /** Path of the program. */
    readonly program: string;
    /** Path of Istio's template of Envoy's bootstrap. */
    readonly bootstrapTemplate: string;
  };
}

export class PilotAgent {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #said: Buffer[] = [];

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    for (const output of [child.stdout, child.stderr])
      output?.on("data", (part: Buffer) => this.#said.push(part));
  }

  static async start(options: PilotAgentOptions): Promise<PilotAgent> {
    const program = await istioProgram("pilot-agent");
    const folder = await mkdtemp(join(tmpdir(), "hauberk-pilot-agent-"));
    const { namespace, pod, serviceAccount, controlPlane, certificateLifetime, envoy } = options;
    for (const path of FOLDERS) await mkdir(join(folder, path), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, TOKEN), options.token, { mode: 0o600 });
    await writeFile(join(folder, ROOTS), options.roots);
    const starter = join(folder, "start-envoy");
    if (envoy !== undefined) await writeFile(starter, inOwnNetwork(envoy.program), { mode: 0o700 });
    await writeFile(join(folder, "http-proxy-users"), "nobody:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n");
    const proxyConfig = {
      discoveryAddress: controlPlane,
      statusPort: await freePort(),
      ...(envoy && {
        binaryPath: starter,
        proxyBootstrapTemplatePath: envoy.bootstrapTemplate,
        concurrency: 1,
      }),
    };
    const child = spawn(program, ["proxy", "sidecar", "--log_output_level=default:debug"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        PROXY_CONFIG: JSON.stringify(proxyConfig),
        CA_ADDR: controlPlane,
        PILOT_CERT_PROVIDER: "istiod",
        ISTIO_META_CLUSTER_ID: "Kubernetes",
        POD_NAMESPACE: namespace,
        POD_NAME: pod,
        SERVICE_ACCOUNT: serviceAccount,
        INSTANCE_IP: "127.0.0.1",
        SECRET_TTL: certificateLifetime,
        OUTPUT_CERTS: join(folder, "certificates"),
        GRPC_XDS_BOOTSTRAP: join(folder, "grpc-bootstrap.json"),
        DISABLE_ENVOY: String(envoy === undefined),
      },
    });
    return new PilotAgent(child, folder);
  }

  /** Both outputs so far. */
  get said(): string {
    return Buffer.concat(this.#said).toString("utf8");
  }

  /** What it wrote of its certificate; undefined before. */
  certificate(file: "cert-chain.pem" | "key.pem" | "root-cert.pem"): Promise<string | undefined> {
    return readFile(join(this.#folder, "certificates", file), "utf8").catch(() => undefined);
  }

  /** What Envoy answers on its port 15000; undefined before it does. */
  async askEnvoy(path: string): Promise<string | undefined> {
    const processId = await readFile(join(this.#folder, "envoy.pid"), "utf8").catch(
      () => undefined,
    );
    if (processId === undefined) return undefined;
    const asked = ["-t", processId.trim(), "-n", "curl", "-sf", `127.0.0.1:15000${path}`];
    const { status, stdout } = spawnSync("nsenter", asked, { encoding: "utf8" });
    return status === 0 ? stdout : undefined;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The last one is of Envoy, for ports that the agent of a pod holds. */
const FOLDERS = ["var/run/secrets/tokens", "var/run/secrets/istio", "certificates", "calls"];
const TOKEN = "var/run/secrets/tokens/istio-token";
const ROOTS = "var/run/secrets/istio/root-cert.pem";

/** The ports that it is told to open are those of a pod that runs. */
function inOwnNetwork(program: string): string {
  return `#!/bin/sh
echo $$ > envoy.pid
exec unshare -n sh -c 'ip link set lo up && exec "$0" "$@"' '${program}' "$@"
`;
}
