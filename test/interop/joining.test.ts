/** `hauberk run`, `status`, `logs` and `down` against a real mesh, as people use them. */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DataDirectory } from "../../src/local/data-directory.ts";
import { MeshClient } from "../../src/local/joining/mesh-client.ts";
import type { MeshStatus, PodStatus } from "../../src/local/mesh-status.ts";
import { identifyProcess } from "../../src/runtime/process-identity.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import {
  type CommandResult,
  type RunningCommand,
  runHauberk,
  startHauberk,
  untilSaid,
} from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const SECOND_MS = 1_000;

/** Answers GET with the path, after saying where it listens. */
const SERVER = `
  const { PORT, HOST } = process.env;
  require("node:http")
    .createServer((request, response) => response.end("billed " + request.url + "\\n"))
    .listen(Number(process.argv[1] ?? PORT), HOST, () => console.log("listening"));
  process.on("SIGTERM", () => process.exit(7));
`;
/** One request through the sidecar's HTTP proxy; its exit code is the status less 200. */
const CALLER = `
  const proxy = new URL(process.env.http_proxy);
  const authorization = Buffer.from(proxy.username + ":" + proxy.password).toString("base64");
  const headers = { host: "billing.production:8080", "proxy-authorization": "Basic " + authorization };
  const target = "http://billing.production:8080/invoices";
  const { hostname: host, port } = proxy;
  require("node:http").get({ host, port, path: target, headers, agent: false }, (response) => {
    response.pipe(process.stdout);
    response.on("end", () => process.exit(response.statusCode - 200));
  });
`;
const BYSTANDER = "console.log('standing by'); setInterval(() => {}, 1000)";

const SELECTS_TELLER = `
apiVersion: v1
kind: Service
metadata: {name: tell, namespace: production}
spec: {selector: {app: teller}, ports: [{port: 80, targetPort: 7070}]}
`;
const IS_TELLER = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: teller, namespace: production}
spec:
  replicas: 0
  selector: {matchLabels: {app: teller}}
  template:
    metadata: {labels: {app: teller}}
    spec: {containers: [{name: teller, command: [node]}]}
`;

let mesh: RunningMesh;
/** A copy, so that it may change. */
let files: string;
const started: RunningCommand[] = [];

before(async () => {
  files = await mkdtemp(join(tmpdir(), "hauberk-"));
  await cp("test/meshes/join", files, { recursive: true });
  mesh = await runMesh([files]);
});
after(async () => {
  for (const one of started) one.stop();
  await mesh?.stop();
  await rm(files, { recursive: true });
});

interface Joining {
  readonly name: string;
  readonly options?: readonly string[];
}

const parametersOf = (
  { name, options = [] }: Joining,
  command: readonly string[],
): readonly string[] => [
  "run",
  ...["--name", name, "--namespace", "production", "--service-account", name],
  ...["--data", mesh.data, ...options, "--", ...command],
];

const joinWith = (joining: Joining, script: string): Promise<CommandResult> =>
  runHauberk(parametersOf(joining, ["node", "-e", script]));

async function keep(joining: Joining, command: readonly string[]): Promise<RunningCommand> {
  const running = startHauberk(parametersOf(joining, command));
  started.push(running);
  await untilSaid(running, /listening|standing by/);
  return running;
}

async function statusOf(data = mesh.data): Promise<MeshStatus> {
  const client = await MeshClient.connect(new DataDirectory(data));
  const reply = await client.ask({ type: "status" });
  client.close();
  assert.ok(reply.type === "status", JSON.stringify(reply));
  return reply.status;
}

async function findPod(name: string): Promise<PodStatus | undefined> {
  return (await statusOf()).pods.find((pod) => pod.name === name);
}

/** @returns how long it took, in milliseconds */
async function untilPod(
  name: string,
  holds: (pod: PodStatus | undefined) => boolean,
): Promise<number> {
  const since = performance.now();
  while (!holds(await findPod(name))) {
    const tookMs = performance.now() - since;
    assert.ok(tookMs < 10 * SECOND_MS, `waited in vain for ${name}`);
  }
  return performance.now() - since;
}

const untilGone = (name: string, sidecar: number): Promise<number> =>
  untilPod(name, (pod) => pod === undefined && !isAlive(sidecar));

/** No longer true of one that has ended and waits for its parent to notice. */
function isAlive(processId: number): boolean {
  return identifyProcess(processId) !== undefined;
}

async function sidecarOf(name: string): Promise<number> {
  const processId = (await findPod(name))?.sidecar?.processId;
  assert.ok(processId !== undefined, `no sidecar of ${name}`);
  return processId;
}

describe("a program that joins", () => {
  before(async () => {
    const server = await keep({ name: "billing", options: ["--port", "http:8080"] }, [
      "node",
      "-e",
      SERVER,
    ]);
    assert.match(
      server.errors(),
      /billing-0 joined the mesh as spiffe:\/\/cluster\.local\/ns\/production\/sa\/billing\n/,
    );
    assert.match(server.errors(), /others call it at http:\/\/billing\.production:8080\n/);
    assert.match(server.errors(), /port 8080: the program must listen on 127\.0\.0\.1:\d+: HOST/);
  });

  test("is called under the policies of the mesh; refusals are found in the logs", async () => {
    const following = startHauberk(["logs", "--follow", "--denied", "--data", mesh.data]);
    started.push(following);
    const [teller, stranger] = await Promise.all([
      joinWith({ name: "teller" }, CALLER),
      joinWith({ name: "stranger" }, CALLER),
    ]);
    assert.deepEqual([teller.code, teller.output], [0, "billed /invoices\n"], teller.errors);
    assert.equal(stranger.code, 403 - 200, stranger.errors);
    assert.doesNotMatch(stranger.output, /billed/);

    const denied = await runHauberk(["logs", "billing", "--denied", "--data", mesh.data]);
    assert.equal(denied.code, 0, denied.errors);
    const [line = "", ...explanation] = denied.output.trimEnd().split("\n");
    assert.match(
      line,
      /^\S+Z DENIED cluster\.local\/ns\/production\/sa\/stranger -> production\/billing-0:8080 GET \/invoices 403, no ALLOW rule matched; nearest production\/teller-reads-billing rules\[0\]/,
    );
    assert.match(explanation.join("\n"), /from\.source\.principals: expected .*teller.*; got /);
    await untilSaid(following, /DENIED [^\n]*sa\/stranger/);
    assert.doesNotMatch(following.output(), /allowed/);
    following.child.kill("SIGINT");
    assert.equal((await following.ended).code, 0);
    const all = await runHauberk(["logs", "--data", mesh.data]);
    assert.match(all.output, /Z allowed cluster\.local\/ns\/production\/sa\/teller -> /);
  });

  test("keeps its place when its sidecar is killed, or its pod replaced; files take its name", async () => {
    const script = `
      const { execFileSync } = require("node:child_process");
      const call = () => {
        try { return execFileSync(process.execPath, ["-e", ${JSON.stringify(CALLER)}]).toString(); }
        catch (error) { return "failed"; }
      };
      console.log(call());
      console.log("standing by");
      setInterval(() => console.log("again " + call()), 200);
    `;
    const teller = await keep({ name: "teller" }, ["node", "-e", script]);
    assert.match(teller.output(), /^billed/);
    process.kill(await sidecarOf("teller-0"), "SIGKILL");
    await eventually("a refused call", () => /again failed/.test(teller.output()));
    await eventually("a call that works again", () =>
      /again failed[\s\S]*again billed/.test(teller.output()),
    );

    const earlier = (await findPod("teller-0"))?.sidecar?.processId;
    const file = join(files, "later.yaml");
    await writeFile(file, SELECTS_TELLER);
    await untilPod("teller-0", (pod) => pod?.ports[0]?.containerPort === 7070);
    await untilPod("teller-0", (pod) => pod?.sidecar?.phase === "running");
    assert.notEqual((await findPod("teller-0"))?.sidecar?.processId, earlier);
    const calls = teller.output().length;
    await eventually("a call after the change", () =>
      /again billed/.test(teller.output().slice(calls)),
    );
    await writeFile(file, IS_TELLER);
    await untilSaid(teller, /a file now defines production\/teller; production\/teller-0 is gone/);
    await rm(file);
    teller.child.kill("SIGTERM");
    assert.equal((await teller.ended).code, 143);
  });

  test("is shown by status, and all is well", async () => {
    const { code, output } = await runHauberk(["status", "--data", mesh.data]);
    assert.equal(code, 0, output);
    assert.match(output, /^control plane running, at 127\.0\.0\.1:\d+, restarts 0$/m);
    assert.match(
      output,
      /^production\/billing-0 +run +running +process \d+ +0 +ns\/production\/sa\/billing +23 h \d+ min +\d+ MiB +8080 at 127\.0\.0\.1:\d+ STRICT$/m,
    );
    assert.match(output, /^all is well$/m);
    const json = await runHauberk(["status", "--json", "--data", mesh.data]);
    const { pods, troubles } = JSON.parse(json.output) as { pods: PodStatus[]; troubles: string[] };
    assert.deepEqual(troubles, []);
    assert.ok(pods.some(({ name, kind }) => name === "billing-0" && kind === "run"));
  });

  test("may listen where it likes, and say so", async () => {
    const port = String(await freePort());
    const options = ["--port", "9090", "--listens-on", port];
    await keep({ name: "fixed", options }, ["node", "-e", SERVER, port]);
    const pod = await findPod("fixed-0");
    assert.equal(pod?.ports[0]?.containerPort, 9090);
    const clash = await joinWith({ name: "other", options }, "");
    assert.equal(clash.code, 125);
    assert.match(clash.errors, new RegExp(`port ${port} belongs to production/fixed-0`));
  });
});

describe("the end of a program", () => {
  const ends: [how: string, script: string, code: number][] = [
    ["success", "process.exit(0)", 0],
    ["failure", "process.exit(1)", 1],
    ["kill -9", "process.kill(process.pid, 'SIGKILL')", 137],
    ["SIGTERM", "process.kill(process.pid, 'SIGTERM')", 143],
  ];
  test("pain 36: is the end of hauberk run", async () => {
    const codes = await Promise.all(
      ends.map(async ([, script], at) => (await joinWith({ name: `ending-${at}` }, script)).code),
    );
    assert.deepEqual(
      codes,
      ends.map(([, , code]) => code),
    );
    assert.equal(await findPod("ending-0"), undefined);
    const again = await joinWith({ name: "ending-0" }, "process.exit(3)");
    assert.equal(again.code, 3, "its name is free again at once");
  });

  test("a signal to hauberk run is the program's", async () => {
    const server = await keep({ name: "signalled", options: ["--port", "80"] }, [
      "node",
      "-e",
      SERVER,
    ]);
    server.child.stderr?.destroy();
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).code, 7, "even when nobody reads its remarks");
  });

  test("pain 36: its pod is gone within a second, however it ends", async () => {
    const [killed, orphaned] = await Promise.all(
      ["killed", "orphaned"].map((name) => keep({ name }, ["node", "-e", BYSTANDER])),
    );
    const [program] = (await findPod("killed-0"))?.joinedProcessIds.slice(-1) ?? [];
    const [orphan] = (await findPod("orphaned-0"))?.joinedProcessIds.slice(-1) ?? [];
    assert.ok(program !== undefined && orphan !== undefined);
    const sidecars = await Promise.all([sidecarOf("killed-0"), sidecarOf("orphaned-0")]);
    process.kill(program, "SIGKILL");
    orphaned?.child.kill("SIGKILL");
    const times = await Promise.all([
      untilGone("killed-0", sidecars[0]),
      untilGone("orphaned-0", sidecars[1]),
    ]);
    process.kill(orphan, "SIGKILL");
    assert.equal((await killed?.ended)?.code, 137);
    assert.ok(Math.max(...times) < SECOND_MS, `gone after ${times.join(" and ")} ms`);
  });
});

describe("what cannot join", () => {
  const refused: [what: string, parameters: readonly string[], reason: RegExp][] = [
    [
      "a name that a Deployment has",
      ["--name", "reserved", "-n", "production"],
      /production\/reserved is a Deployment of the mesh \(\S+\/mesh\.yaml:\d+\); choose another --name/,
    ],
    [
      "INJ-6: a namespace without sidecars",
      ["--name", "x", "-n", "plain"],
      /because the namespace is labelled istio-injection=disabled \(\S+\/mesh\.yaml:\d+\)/,
    ],
    ["INJ-11: a namespace of Kubernetes", ["--name", "x", "-n", "kube-system"], /never takes part/],
    [
      "a name that is none",
      ["--name", "No", "-n", "production"],
      /the name "No" is not a DNS label/,
    ],
    [
      "a label that is none",
      ["--name", "x", "-n", "production", "--label", "a b=c"],
      /is not a label key/,
    ],
    ["an option that is none", ["--name", "x", "--port", "udp:53"], /--port udp:53: expected PORT/],
  ];
  test("is told why", async () => {
    const results = await Promise.all(
      refused.map(([, parameters]) =>
        runHauberk(["run", ...parameters, "--data", mesh.data, "--", "node", "-e", "1"]),
      ),
    );
    for (const [at, [what, , reason]] of refused.entries()) {
      assert.equal(results[at]?.code, 125, what);
      assert.match(results[at]?.errors ?? "", reason);
    }
  });

  test("a name that another process has", async () => {
    const second = await joinWith({ name: "billing" }, "");
    assert.equal(second.code, 125);
    assert.match(second.errors, /production\/billing has joined already/);
  });

  test("a program that is not there", async () => {
    const missing = await runHauberk(parametersOf({ name: "missing" }, ["no-such-program"]));
    assert.equal(missing.code, 127);
    assert.match(missing.errors, /cannot run no-such-program/);
    assert.equal(await findPod("missing-0"), undefined);
  });

  test("where no mesh runs, each command says what to do next", async () => {
    const nowhere = ["--data", "no-such-folder"];
    const [run, status, logs, down] = await Promise.all([
      runHauberk(["run", "--name", "x", ...nowhere, "--", "node"]),
      runHauberk(["status", ...nowhere]),
      runHauberk(["logs", ...nowhere]),
      runHauberk(["down", ...nowhere]),
    ]);
    assert.deepEqual([run.code, status.code, logs.code, down.code], [125, 1, 1, 1]);
    for (const { errors } of [run, status, logs, down]) {
      assert.match(errors, /no mesh has its data in .*no-such-folder; start one with `hauberk up/);
    }
  });
});

describe("the supervisor's socket", () => {
  const speak = async (text: string): Promise<string | undefined> => {
    const socket = connect(mesh.state.socket);
    let answer = "";
    socket.on("data", (part: Buffer) => {
      answer += part.toString();
      socket.end();
    });
    socket.on("error", () => socket.destroy());
    socket.setTimeout(2 * SECOND_MS, () => assert.fail("neither answered nor closed"));
    socket.write(text);
    await new Promise((resolve) => socket.once("close", resolve));
    return answer === "" ? undefined : answer;
  };

  test("is closed to other users", async () => {
    assert.equal((await stat(mesh.state.socket)).mode & 0o777, 0o600);
    assert.equal((await stat(mesh.data)).mode & 0o777, 0o700);
  });

  const malformed: [what: string, text: string, answer: RegExp | undefined][] = [
    ["no JSON", "hello\n", undefined],
    ["no message", "[]\n", /message: expected an object/],
    ["an unknown message", '{"type":"shutdown"}\n', /type: expected join, processes/],
    ["process 1", '{"type":"processes","processIds":[1]}\n', /numbers above 1/],
    [
      "a join without a request",
      '{"type":"join","processIds":[]}\n',
      /request: expected an object/,
    ],
    ["processes of nobody", '{"type":"processes","processIds":[]}\n', /has not joined/],
    ["a line without end", `"${"x".repeat(200_000)}`, undefined],
  ];
  for (const [what, text, answer] of malformed) {
    test(`refuses ${what}`, async () => {
      const line = await speak(text);
      if (answer === undefined) assert.equal(line, undefined);
      else assert.match(line ?? "", answer);
    });
  }

  test("takes no process in that is a part of the mesh", async () => {
    const { controlPlane } = await statusOf();
    const client = await MeshClient.connect(new DataDirectory(mesh.data));
    const reply = await client.ask({
      type: "join",
      request: {
        name: "thief",
        namespace: "production",
        serviceAccount: "thief",
        labels: {},
        ports: [],
        program: "thief",
      },
      processIds: [controlPlane.processId ?? 0],
    });
    client.close();
    assert.deepEqual(reply, {
      type: "refused",
      problem: `process ${controlPlane.processId} cannot join`,
    });
  });
});

describe("hauberk down", () => {
  test("ends a mesh; a program that joined runs on and is told", async () => {
    const other = await runMesh(["test/meshes/join"]);
    const parameters = ["run", "--name", "survivor", "--data", other.data, "--", "node", "-e"];
    const survivor = startHauberk([...parameters, BYSTANDER]);
    started.push(survivor);
    await untilSaid(survivor, /standing by/);
    const running = (await statusOf(other.data)).pods.map(({ sidecar }) => sidecar?.processId ?? 0);
    assert.ok(running.length > 0);
    const down = await runHauberk(["down", "--data", other.data]);
    assert.equal(down.code, 0, down.errors);
    assert.match(down.output, /ended: the control plane and 1 pod\n/);
    assert.deepEqual(running.filter(isAlive), []);
    await untilSaid(survivor, /the mesh has ended; default\/survivor-0 is gone/);
    const status = await runHauberk(["status", "--data", other.data]);
    assert.match(status.errors, /has ended; start it again/);
    const again = await runHauberk(["down", "--data", other.data]);
    assert.deepEqual([again.code, /nothing runs/.test(again.output)], [0, true]);
    survivor.child.kill("SIGTERM");
    assert.equal((await survivor.ended).code, 143);
    await other.stop();
  });

  test("ends what a supervisor that was killed left", async () => {
    const other = await runMesh(["test/meshes/join"]);
    const [controlPlane] = (await other.currentState()).processes;
    process.kill(other.state.supervisor.processId, "SIGKILL");
    await eventually("the supervisor's end", () => !isAlive(other.state.supervisor.processId));
    const down = await runHauberk(["down", "--data", other.data]);
    assert.equal(down.code, 0, down.errors);
    assert.match(down.output, /ended what was left: control plane/);
    assert.equal(isAlive(controlPlane?.processId ?? 0), false);
    await other.stop();
  });
});
