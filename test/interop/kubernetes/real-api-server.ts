/** A real kube-apiserver with its etcd, on the loopback, in a folder of its own that goes with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../../kit/eventually.ts";
import { freePort } from "../../kit/free-port.ts";
import { buildGoModule } from "../../kit/go-program.ts";

export interface RealAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** JSON, or text where it is none. */
  readonly body: unknown;
}

export interface RealCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

export interface RealApiServer {
  readonly url: string;
  readonly token: string;
  call(call: RealCall): Promise<RealAnswer>;
  stop(): Promise<void>;
}

/** Of a first start, which makes certificates and bootstraps its own objects. */
const START_MS = 120_000;

/** @throws Error when it cannot be built, or does not become ready */
export async function startRealApiServer(): Promise<RealApiServer> {
  const [etcd, server] = [await built("etcd"), await built("kube-apiserver")];
  const folder = await mkdtemp(join(tmpdir(), "hauberk-kubernetes-"));
  const token = randomBytes(16).toString("hex");
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = privateKey.export({ type: "pkcs1", format: "pem" });
  await writeFile(join(folder, "accounts.key"), key, { mode: 0o600 });
  const users = `${token},recorder,recorder,system:masters\n`;
  await writeFile(join(folder, "tokens.csv"), users, { mode: 0o600 });
  const programs = [
    start(folder, "etcd", etcd, [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
      `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      "--unsafe-no-fsync",
    ]),
    start(folder, "kube-apiserver", server, [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, "certificates")}`,
      `--token-auth-file=${join(folder, "tokens.csv")}`,
      `--service-account-key-file=${join(folder, "accounts.key")}`,
      `--service-account-signing-key-file=${join(folder, "accounts.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--authorization-mode=RBAC",
      // Nothing here makes the service accounts and tokens that it would ask for.
      "--disable-admission-plugins=ServiceAccount",
    ]),
  ];
  const real: RealApiServer = {
    url: `https://127.0.0.1:${port}`,
    token,
    call: (call) => ask(port, token, call),
    stop: async () => {
      await Promise.all(programs.map(end));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await eventually(
      `a kube-apiserver that is ready; its log is in ${folder}`,
      async () => {
        if (programs.some((program) => program.exitCode !== null)) throw new Error(folder);
        return (
          (await real.call({ method: "GET", path: "/readyz" }).catch(() => undefined))?.status ===
          200
        );
      },
      { withinMs: START_MS },
    );
  } catch (error) {
    await Promise.all(programs.map(end));
    throw new Error("a kube-apiserver did not start", { cause: error });
  }
  return real;
}

async function built(name: string): Promise<string> {
  const folder = await buildGoModule(fileURLToPath(new URL(`./${name}`, import.meta.url)));
  return join(folder, name);
}

function start(folder: string, name: string, program: string, parameters: string[]): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), "w", 0o600);
  return spawn(program, parameters, { stdio: ["ignore", log, log] });
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, "exit");
  program.kill("SIGKILL");
  await ended;
}

/** Its certificate was made for this start: nobody else knows the token's other end. */
function ask(port: number, token: string, call: RealCall): Promise<RealAnswer> {
  const { method, path, body, accept = "application/json" } = call;
  const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        rejectUnauthorized: false,
        headers: {
          authorization: `Bearer ${token}`,
          accept,
          "user-agent": "recorder",
          ...(text !== undefined && { "content-type": call.contentType ?? "application/json" }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const { statusCode: status = 0, headers } = answer;
          resolve({ status, headers, body: parsed(Buffer.concat(chunks).toString()) });
        });
      },
    );
    asked.on("error", reject);
    asked.end(text);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
