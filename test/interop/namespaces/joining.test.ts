/** `hauberk run` in a mesh whose pods have networks of their own: unmodified programs of the user's, on their terminal. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../kit/eventually.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { type OrdinaryUser, ordinaryUser } from "../../kit/ordinary-user.ts";

describe("a program that joins a mesh of network namespaces", {
  skip: await namespacesMissing(),
}, () => {
  let user: OrdinaryUser;
  let mesh: MeshInNamespaces;
  const started: ChildProcess[] = [];

  interface Ran {
    readonly code: number | null;
    readonly output: string;
    readonly errors: string;
  }

  function start(parameters: readonly string[]): { child: ChildProcess; said: () => string } {
    const [file, ...first] = user.hauberk;
    const child = spawn(file, [...first, ...parameters], {
      cwd: user.folder,
      env: user.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.push(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (part: Buffer) => {
        said += part.toString();
      });
    }
    return { child, said: () => said };
  }

  async function run(parameters: readonly string[]): Promise<Ran> {
    const { child } = start(parameters);
    let output = "";
    let errors = "";
    child.stdout?.on("data", (part: Buffer) => {
      output += part.toString();
    });
    child.stderr?.on("data", (part: Buffer) => {
      errors += part.toString();
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output, errors };
  }

  const as = (name: string, ...options: readonly string[]): readonly string[] => [
    ...["run", "--name", name, "--namespace", "production", "--service-account", name],
    ...["--data", mesh.data, ...options, "--"],
  ];

  before(async () => {
    user = await ordinaryUser();
    mesh = await MeshInNamespaces.start({ folders: ["test/meshes/join"] });
    const server = start([
      ...as("billing", "--port", "http:8080"),
      "python3",
      "-u",
      "-m",
      "http.server",
      "8080",
    ]);
    await eventually(
      () => `a server in: ${server.said()}`,
      () => /Serving HTTP/.test(server.said()),
    );
  });

  after(async () => {
    for (const child of started) {
      child.kill("SIGTERM"); // its program's, too
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
    await mesh?.remove();
    await user.remove();
  });

  test("is called on its own port, under the policies of the mesh, by name and without a proxy", async () => {
    const script =
      'env | grep -ci _proxy; id -u; curl -s -o /dev/null -o /dev/null -w "%{http_code} " http://billing:8080/ http://billing.production.svc.cluster.local:8080/';
    const teller = await run([...as("teller"), "sh", "-c", script]);
    const uid = process.getuid?.() === 0 ? 65_534 : process.getuid?.();
    assert.equal(teller.output, `0\n${uid}\n200 200 `, teller.errors);
    const stranger = await run([
      ...as("stranger"),
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "http://billing:8080/",
    ]);
    assert.equal(stranger.output, "403", stranger.errors);
  });

  test("cannot mark its traffic as the sidecar's, or change the rules", async () => {
    const mark = "import socket; socket.socket().setsockopt(1, 36, 1337)";
    const marked = await run([...as("teller"), "python3", "-c", mark]);
    assert.notEqual(marked.code, 0);
    assert.match(marked.errors, /Operation not permitted/);
    const changed = await run([...as("teller"), "ip", "link", "set", "eth0", "down"]);
    assert.notEqual(changed.code, 0);
  });

  test("ends as it ends, and is signalled as it would be", async () => {
    assert.equal((await run([...as("teller"), "sh", "-c", "exit 7"])).code, 7);
    const { child, said } = start([
      ...as("sleeper"),
      ...["sh", "-c", "trap 'echo asked; exit 9' TERM; echo waiting; while :; do sleep 0.1; done"],
    ]);
    await eventually(
      () => `a program in: ${said()}`,
      () => /waiting/.test(said()),
    );
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number | null];
    assert.deepEqual([code, /asked/.test(said())], [9, true]);
  });

  test("has its ports where it says, and no others", async () => {
    const moved = await run([...as("moved", "--port", "9090", "--listens-on", "9091"), "true"]);
    assert.equal(moved.code, 125);
    assert.match(moved.errors, /the program's own in this mesh/);
  });

  test("is shown with its address and its memory", async () => {
    const { output } = await run(["status", "--data", mesh.data]);
    assert.match(
      output,
      /^production\/billing-0 +run +running .* \d+ MiB +8080 at 10\.244\.\d+\.\d+:8080 STRICT$/m,
    );
    assert.match(output, /^all is well$/m);
  });
});
