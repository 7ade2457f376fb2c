/** Callers of a certificate service in another process, each with a token of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceAccountTokens } from "../../../src/ca/service-account-tokens.ts";
import { CONTROL_PLANE_NAME } from "../../../src/identity/certificate-client.ts";
import { createCertificateRequest } from "../../../src/identity/certificate-request.ts";
import { IstioCertificateService } from "../../../src/wire/gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "../../../src/wire/grpc-client.ts";
import type { FromService, ToService } from "./service-messages.ts";

const MAX_RECEIVE_BYTES = 1_048_576;
const TIMEOUT_MS = 60_000;
const TOKEN_LIFETIME_MS = 3_600_000;

/** What one caller brings; made before anything is measured. */
export interface Bid {
  readonly token: string;
  readonly csrPem: string;
}

export interface Cost {
  readonly seconds: number;
  /** Of the serving process, all threads. */
  readonly cpuSeconds: number;
}

export class MeasuredService {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #rootPem: string;
  readonly #port: number;
  private constructor(
    child: ChildProcess,
    at: { readonly directory: string; readonly rootPem: string; readonly port: number },
  ) {
    this.#child = child;
    this.#directory = at.directory;
    this.#rootPem = at.rootPem;
    this.#port = at.port;
  }

  /** @param authority PEM of a self-signed one */
  static async start(
    authority: { readonly certificatePem: string; readonly privateKeyPem: string },
    bids: Bids,
  ): Promise<MeasuredService> {
    const directory = await mkdtemp(join(tmpdir(), "hauberk-bench-"));
    const child = fork(join(import.meta.dirname, "service-process.ts"));
    const { pods, tokenKeyPem } = bids;
    send(child, { type: "start", ...authority, tokenKeyPem, pods, directory });
    const answer = await receive(child);
    if (answer.type !== "serving") throw new Error("the service did not start");
    const rootPem = authority.certificatePem;
    return new MeasuredService(child, { directory, rootPem, port: answer.port });
  }

  /**
   * Each bid once, by so many callers at a time.
   *
   * @param connections "kept": one for each caller; "new": one for each bid, as after a restart
   */
  async measure(
    bids: readonly Bid[],
    { callers, connections }: { readonly callers: number; readonly connections: "kept" | "new" },
  ): Promise<Cost> {
    const left = [...bids];
    const started = performance.now();
    const cpuBefore = await this.#cpuSeconds();
    const call = async (): Promise<void> => {
      let client = this.#connect();
      for (let bid = left.pop(); bid !== undefined; bid = left.pop()) {
        await ask(client, bid);
        if (connections === "kept") continue;
        client.close();
        client = this.#connect();
      }
      client.close();
    };
    await Promise.all(Array.from({ length: callers }, call));
    const seconds = (performance.now() - started) / 1000;
    return { seconds, cpuSeconds: (await this.#cpuSeconds()) - cpuBefore };
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
    await rm(this.#directory, { recursive: true });
  }

  #connect(): GrpcClient {
    return new GrpcClient({
      address: `127.0.0.1:${this.#port}`,
      serverName: CONTROL_PLANE_NAME,
      rootsPem: [this.#rootPem],
      maxReceiveBytes: MAX_RECEIVE_BYTES,
    });
  }

  async #cpuSeconds(): Promise<number> {
    send(this.#child, { type: "usage" });
    const answer = await receive(this.#child);
    return answer.type === "usage" ? answer.cpuSeconds : 0;
  }
}

/** Tokens and requests, all different. */
export interface Bids {
  readonly pods: readonly string[];
  readonly tokenKeyPem: string;
  /** @returns so many that were not taken before */
  take(count: number): readonly Bid[];
}

export async function prepareBids(count: number): Promise<Bids> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tokens = new ServiceAccountTokens(privateKey);
  const pods = Array.from({ length: count }, (_, index) => `pod-${index}`);
  const now = new Date();
  const bids: Bid[] = [];
  for (const podName of pods) {
    const bearer = { namespace: "bench", podName, podUid: podName, serviceAccount: podName };
    const token = await tokens.issue({ ...bearer, now, lifetimeMs: TOKEN_LIFETIME_MS });
    bids.push({ token, csrPem: createCertificateRequest().csrPem });
  }
  const tokenKeyPem = createPublicKey(privateKey).export({ type: "spki", format: "pem" });
  return { pods, tokenKeyPem: tokenKeyPem.toString(), take: (some) => bids.splice(0, some) };
}

async function ask(client: GrpcClient, { token, csrPem }: Bid): Promise<void> {
  const { certChain } = await client.unary(
    IstioCertificateService.method.createCertificate,
    { csr: csrPem, validityDuration: 0n },
    { timeoutMs: TIMEOUT_MS, headers: { authorization: `Bearer ${token}` } },
  );
  if (certChain.length < 2) throw new Error("the answer holds no certificate");
}

function send(child: ChildProcess, message: ToService): void {
  child.send(message);
}

async function receive(child: ChildProcess): Promise<FromService> {
  const [message] = (await once(child, "message")) as [FromService];
  return message;
}
