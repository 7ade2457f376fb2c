/**
 * The compromised pod: everything that it tries is stopped. Each technique is also tried where it must succeed, with the
 * same code, so that none fails only because it is broken.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ServiceAccountTokens } from "../../../src/ca/service-account-tokens.ts";
import { type AttackAims, readAttackAims } from "../../../src/cli/demo/attack-aims.ts";
import { type Attempt, judgeAttempt } from "../../../src/cli/demo/attack-attempt.ts";
import { ATTACKS } from "../../../src/cli/demo/attack-attempts.ts";
import { API_ID, certificateRequestMessage } from "../../../src/cli/demo/attack-on-mesh.ts";
import { DataDirectory } from "../../../src/local/data-directory.ts";
import { Intruder, type Place, type Try } from "../../kit/intruder.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";

/** The issue asks for 25. */
const LEAST_ATTEMPTS = 80;
const PYTHON = "/usr/bin/python3";
const MEMORY_KEY = 0x48_41_55_42;
const ISSUE = {
  address: "10.244.0.1:15012",
  path: "/istio.v1.auth.IstioCertificateService/CreateCertificate",
};
const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: hidden, namespace: monitoring}
stringData: {password: of no use to anybody else}
`;

let mesh: MeshInNamespaces;
let intruder: Intruder;
let aims: AttackAims;
let token: string;
let controls: Readonly<Record<string, Control>>;
/** Of this mesh, and of others that run meanwhile. */
let gateFolders: readonly string[];
let gateSockets: readonly string[];

async function start(): Promise<void> {
  mesh = await MeshInNamespaces.start({
    folders: ["examples/production"],
    texts: { "secret.yaml": SECRET },
    data: "manifests/.hauberk", // where it is by default: in a folder that pods see
  });
  intruder = new Intruder(mesh);
  const { manifests } = mesh;
  aims = await readAttackAims(new DataDirectory(mesh.data), { manifests, home: intruder.folder });
  await mkdir(join(intruder.folder, ".ssh"));
  await writeFile(join(intruder.folder, ".ssh", "id"), "a key of the user\n");
  await Promise.all([intruder.enter("frontend"), intruder.enter("compromised")]);
  gateFolders = await findGates();
  const inside = gateFolders.map(async (folder) =>
    (await readdir(folder)).map((name) => join(folder, name)),
  );
  gateSockets = (await Promise.all(inside)).flat();
  assert.ok(gateSockets.length >= 3, "ways out and in, and the API server's");
  token = await ownToken();
  controls = controlsByTechnique();
}

/** Whoever is outside sees the sockets that are bound there. */
async function findGates(): Promise<readonly string[]> {
  const bound = await readFile("/proc/net/unix", "utf8");
  const sockets = bound
    .split("\n")
    .flatMap((line) => /(\/\S*hauberk-gate-\S+)$/.exec(line)?.[1] ?? []);
  return [...new Set(sockets.map((socket) => dirname(socket)))];
}

async function stop(): Promise<void> {
  intruder?.leave();
  spawnSync("ipcrm", ["-M", String(MEMORY_KEY)], { stdio: "ignore" });
  await mesh?.remove();
}

/** As the pod's sidecar has it. */
async function ownToken(): Promise<string> {
  const { workloads } = await mesh.state();
  const own = workloads.find(({ owner }) => owner === "compromised");
  assert.ok(own?.serviceAccount);
  const { namespace, name: podName, uid: podUid, serviceAccount } = own;
  const key = createPrivateKey(await mesh.read("service-account/private.pem"));
  const bearer = { namespace, podName, podUid, serviceAccount };
  const issued = { ...bearer, now: new Date(), lifetimeMs: 600_000 };
  return new ServiceAccountTokens(key).issue(issued);
}

/** Beyond those of the demo: what only a test can prepare. */
function furtherAttempts(): readonly Attempt[] {
  const text = "GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
  return [
    {
      what: "the folder of the host's gate, with the socket of the API server",
      technique: "read",
      aim: { paths: gateFolders },
    },
    {
      what: "the sockets of the host's gate, where they are on the host",
      technique: "sayToSockets",
      aim: { paths: gateSockets, text },
    },
    {
      what: "a certificate in api's name, with its own sidecar's token",
      technique: "askControlPlane",
      aim: { ...ISSUE, body: certificateRequestMessage(API_ID), token },
    },
    {
      what: "the manifest of another namespace's Secret",
      technique: "read",
      aim: { paths: [join(mesh.manifests, "secret.yaml")] },
    },
    {
      what: "the user's own files",
      technique: "read",
      aim: { paths: [join(intruder.folder, ".ssh", "id"), join(intruder.folder, ".ssh")] },
    },
    {
      what: "shared memory of the user's",
      technique: "python",
      aim: { call: "read_shared_memory", key: MEMORY_KEY },
    },
  ];
}

interface Control extends Try {
  readonly where: Place;
  readonly proof: RegExp;
}

const ANYTHING = /\S/;
const inPod = (technique: string, aim: Try["aim"]): Control => ({
  where: "compromised",
  technique,
  aim,
  proof: ANYTHING,
});
const asRoot = (call: string, aim: Try["aim"] = {}): Control => ({
  where: "namespaces",
  technique: "python",
  aim: { call, ...aim },
  proof: ANYTHING,
});
const shell = (script: string): Control => ({
  where: "namespaces",
  technique: "run",
  aim: { command: ["sh", "-c", `${script} && echo done`] },
  proof: /done/,
});

/** By technique: where it succeeds. What is run in a shell is run as it is, in namespaces of its own, if not here. */
function controlsByTechnique(): Readonly<Record<string, Control>> {
  const text = "GET /healthz HTTP/1.1\r\nhost: api:8080\r\nconnection: close\r\n\r\n";
  const server = { process_ids: ["SERVER"] };
  const anyOption = { mark: 1337, device: "lo", source: "127.0.0.9", transparent: true };
  const well = { where: "namespaces", proof: /well/ } as const;
  const terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const script = join(mesh.manifests, "programs", "attempts.py");
  return {
    say: {
      where: "frontend",
      technique: "say",
      aim: { host: "api", port: 8080, text },
      proof: /\bwell\b/,
    },
    sayInTls: { ...well, technique: "sayInTls", aim: { host: "127.0.0.1", port: 7443, text } },
    sayToSockets: { ...well, technique: "sayToSockets", aim: { paths: ["/mnt/socket"], text } },
    say_with: {
      ...well,
      technique: "python",
      aim: { call: "say_with", host: "127.0.0.1", port: 7000, text, ...anyOption },
    },
    askControlPlane: {
      ...inPod("askControlPlane", { ...ISSUE, body: certificateRequestMessage(), token }),
      proof: /BEGIN CERTIFICATE/,
    },
    read: inPod("read", { paths: [join(mesh.manifests, "frontend.yaml")] }),
    write: inPod("write", { folders: ["/tmp"] }),
    searchProcesses: inPod("searchProcesses", {
      entries: ["cmdline"],
      needle: "programs/compromised.js",
    }),
    findDescriptors: inPod("findDescriptors", { processIds: ["self"], own: "^$" }),
    open_raw: asRoot("open_raw"),
    trace: asRoot("trace", server),
    read_memory: asRoot("read_memory", server),
    signal: asRoot("signal", server),
    take_descriptors: asRoot("take_descriptors", server),
    join_namespaces: asRoot("join_namespaces", { process_ids: [] }),
    open_keyring: asRoot("open_keyring"),
    machine_socket: asRoot("machine_socket"),
    become: asRoot("become", { user: 0 }),
    read_shared_memory: { ...asRoot("read_shared_memory", { key: MEMORY_KEY }), where: "host" },
    open_terminal: {
      where: "host",
      technique: "run",
      aim: { command: [PYTHON, "-c", terminal, PYTHON, script, "open_terminal", "{}"] },
      proof: /opened the terminal/,
    },
    "taking its cover off": shell(`umount -l '${intruder.covered}'`),
    "flushing them in a user namespace of its own": shell("unshare -Urn nft flush ruleset"),
    "the pod's network, as root of a user namespace": shell("nsenter -t 1 -n true"),
    "writing to the machine's files": shell(
      "mount --bind /etc /etc && mount -o remount,rw,bind /etc",
    ),
  };
}

/** Kernels may lack them; then there is nothing to keep pods from. */
const OPTIONAL = ["machine_socket", "open_keyring"];

/** @returns why nothing can be proved by a control; false where it can */
async function lacking({ technique, aim }: Control): Promise<string | false> {
  const name = String(aim["call"]);
  if (!OPTIONAL.includes(name)) return false;
  const { stopped: lacks } = await intruder.attempt("host", { technique, aim });
  return lacks !== undefined && `this machine lacks it: ${lacks}`;
}

function controlOf(attempt: Attempt): Control {
  const { technique, aim, what, proof = ANYTHING } = attempt;
  const name = technique === "python" ? String(aim["call"]) : technique;
  const known = controls[technique === "run" ? what : name];
  if (known !== undefined) return known;
  assert.equal(technique, "run", `no control for ${name}`);
  return { where: "namespaces", technique, aim, proof };
}

const skip = namespacesMissing() || missingParts("python3", "nft", "ip", "unshare");

describe("the compromised pod", { skip }, () => {
  before(start);
  after(stop);

  test("there are enough attempts, each with a name of its own", () => {
    const names = ATTACKS.flatMap(({ target, attempts }) =>
      attempts(aims).map(({ what }) => `${target}: ${what}`),
    );
    assert.ok(names.length >= LEAST_ATTEMPTS, String(names.length));
    assert.equal(new Set(names).size, names.length);
  });

  for (const { object, target, attempts } of ATTACKS) {
    test(`nothing of ${object} is reached`, async (context) => {
      for (const attempt of attempts(aims)) {
        await context.test(`${target}: ${attempt.what}`, () => stopped(attempt));
      }
    });
  }

  test("nothing that a test has prepared is reached", async (context) => {
    const key = { call: "make_shared_memory", key: MEMORY_KEY };
    const { got } = await intruder.attempt("host", { technique: "python", aim: key });
    assert.ok(got);
    for (const attempt of furtherAttempts()) {
      await context.test(attempt.what, () => stopped(attempt));
    }
  });

  test("each technique succeeds where it may", async (context) => {
    const all = [...ATTACKS.flatMap(({ attempts }) => attempts(aims)), ...furtherAttempts()];
    const tried = new Map(all.map((attempt) => [JSON.stringify(controlOf(attempt).aim), attempt]));
    for (const attempt of tried.values()) {
      const control = controlOf(attempt);
      const name = `${attempt.what}: ${control.technique} in ${control.where}`;
      await context.test(name, { skip: await lacking(control) }, async () => {
        const outcome = await intruder.attempt(control.where, control);
        const result = judgeAttempt({ ...control, what: attempt.what }, outcome);
        assert.equal(result, "reached", JSON.stringify(outcome));
      });
    }
  });

  test("what is offered on the host is there to be reached from it", async () => {
    const text = "HEAD / HTTP/1.1\r\nhost: ingress\r\nconnection: close\r\n\r\n";
    const aim = { host: "127.0.0.1", port: aims.hostPort, text };
    const { got } = await intruder.attempt("host", { technique: "say", aim });
    assert.match(got ?? "", /^HTTP\//);
  });
});

/** An attempt that was not made is not stopped. */
async function stopped(attempt: Attempt): Promise<void> {
  const outcome = await intruder.attempt("compromised", attempt);
  assert.equal(judgeAttempt(attempt, outcome), "stopped", JSON.stringify(outcome));
}
