/** A machine that does not allow pods networks of their own: it is said what is missing, and which command would help. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { findSystemProgram } from "../../../src/local/network/system-programs.ts";
import {
  type Account,
  namespacesForbidden,
  openAccount,
  type StartedCommand,
  startCommand,
  testUsers,
  untilCommandSays,
} from "../../kit/namespaces-mesh.ts";

const MESH = `apiVersion: apps/v1
kind: Deployment
metadata: {name: idle, namespace: default}
spec:
  selector: {matchLabels: {app: idle}}
  template:
    metadata: {labels: {app: idle}}
    spec:
      containers:
      - name: idle
        image: busybox
        command: ["sleep", "1000"]
`;

/** In a user namespace of its own, an ordinary user may make a machine poorer for what runs inside. */
const POORER = ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--"];
const AS_BEFORE = 'exec setpriv --inh-caps=-all --ambient-caps=-all -- "$@"';

interface PoorMachine {
  readonly lacks: string;
  /** Takes it away; the command then follows as parameters. */
  readonly script: string;
  /** What is said: what is missing, why, and the command. */
  readonly said: readonly RegExp[];
}

const hide = (program: string): string => `mount --bind /dev/null ${findSystemProgram(program)}`;

const machines: readonly PoorMachine[] = [
  {
    lacks: "nft",
    script: hide("nft"),
    said: [/^ {2}nftables: nft is not installed$/m, /^ {4}.*install.* nftables/m],
  },
  {
    lacks: "bwrap",
    script: hide("bwrap"),
    said: [/^ {2}bubblewrap: bwrap is not installed$/m, /^ {4}.*install.* bubblewrap/m],
  },
  {
    lacks: "user namespaces",
    script: "echo 0 > /proc/sys/user/max_user_namespaces",
    said: [
      /^ {2}namespaces of its own: .*unshare/m,
      /^ {4}sudo sysctl -w user\.max_user_namespaces=\d+$/m,
    ],
  },
];

let account: Account;
let forbidden: string | undefined;

before(async () => {
  account = await openAccount("ordinary");
  forbidden = await namespacesForbidden(account);
  const files = join(account.folder, "mesh");
  await mkdir(files);
  await writeFile(join(files, "mesh.yaml"), MESH);
  await account.own(files);
});
after(() => account.remove());

function upOn({ script }: PoorMachine, network: "namespaces" | "auto"): StartedCommand {
  const { folder: cwd, environment: env, prefix, hauberk } = account;
  const up = ["up", "-f", join(cwd, "mesh"), "--data", join(cwd, "data"), "--network", network];
  const around = [...POORER, "sh", "-euc", `${script}; ${AS_BEFORE}`, "poorer"];
  return startCommand([...prefix, ...around, ...hauberk.slice(prefix.length), ...up], { cwd, env });
}

function isSkipped(context: TestContext): boolean {
  if (forbidden !== undefined) context.skip(`this machine lacks more than that: ${forbidden}`);
  return forbidden !== undefined;
}

async function assertRunsOnLoopback(command: StartedCommand): Promise<void> {
  await untilCommandSays(command, /Ctrl-C stops it/);
  assert.match(command.said(), /^loopback mode: all programs run as one user/m);
  command.child.kill("SIGTERM");
  assert.deepEqual(await command.ended, { code: 0, signal: null }, command.said());
}

for (const machine of machines) {
  test(`without ${machine.lacks}, --network namespaces says what would help`, async (context) => {
    if (isSkipped(context)) return;
    const command = upOn(machine, "namespaces");
    context.after(() => command.child.kill("SIGKILL"));
    assert.equal((await command.ended).code, 1, command.said());
    assert.match(command.said(), /this machine does not allow --network namespaces:/);
    for (const words of machine.said) assert.match(command.said(), words);
    assert.doesNotMatch(command.said(), /the mesh is up/);
  });

  test(`without ${machine.lacks}, --network auto goes on in loopback mode and says why`, async (context) => {
    if (isSkipped(context)) return;
    const command = upOn(machine, "auto");
    context.after(() => command.child.kill("SIGKILL"));
    await assertRunsOnLoopback(command);
    assert.match(
      command.said(),
      /^loopback mode, since pods cannot have networks of their own here:/m,
    );
    for (const words of machine.said) assert.match(command.said(), words);
  });
}

test("as root, --network auto takes the loopback mode and says why", async (context) => {
  if (!testUsers.includes("root")) return context.skip("only root can try");
  const root = await openAccount("root");
  context.after(() => root.remove());
  const files = join(root.folder, "mesh");
  await mkdir(files);
  await writeFile(join(files, "mesh.yaml"), MESH);
  const command = root.start(["up", "-f", files, "--data", join(root.folder, "data")]);
  context.after(() => command.child.kill("SIGKILL"));
  await assertRunsOnLoopback(command);
  assert.match(command.said(), /^loopback mode, since this is root/m);
});
