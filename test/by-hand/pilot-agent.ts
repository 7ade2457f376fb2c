/** Istio's own agent in a folder of its own, as a container of an injected pod would have it: a token, the roots, no Envoy. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  /** More of the environment. */
  readonly environment?: Readonly<Record<string, string>>;
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
    for (const path of ["var/run/secrets/tokens", "var/run/secrets/istio", "certificates"])
      await mkdir(join(folder, path), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, TOKEN), options.token, { mode: 0o600 });
    await writeFile(join(folder, ROOTS), options.roots);
    const { namespace, pod, serviceAccount, controlPlane, certificateLifetime } = options;
    const child = spawn(program, ["proxy", "sidecar", "--log_output_level=default:debug"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        PROXY_CONFIG: JSON.stringify({ discoveryAddress: controlPlane, statusPort: 0 }),
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
        DISABLE_ENVOY: "true",
        ...options.environment,
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

  /** Of its Unix socket, on which Envoy and gRPC programs ask for discovery. */
  get discoverySocket(): string {
    return join(this.#folder, "etc/istio/proxy/XDS");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const TOKEN = "var/run/secrets/tokens/istio-token";
const ROOTS = "var/run/secrets/istio/root-cert.pem";
