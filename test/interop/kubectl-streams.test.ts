/** kubectl logs, exec, cp and port-forward against a mesh that runs, on the protocols of new and of older clients. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Kubectl } from "../kit/kubectl-program.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const skip = missingParts("kubectl");
const IN_SHOP = ["-n", "shop"];
/** Each client has both, and is told which to use. */
const PROTOCOLS = [
  { name: "WebSocket", environment: {} },
  {
    name: "SPDY",
    environment: {
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false",
      KUBECTL_PORT_FORWARD_WEBSOCKETS: "false",
    },
  },
];

describe("kubectl and pods that run", { skip }, () => {
  let folder: string;
  let mesh: RunningMesh;
  let kubectl: Kubectl;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-kubectl-"));
    mesh = await runMesh(["test/meshes/kubectl"]);
    kubectl = await Kubectl.of(mesh.data);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const logs = async (...parameters: string[]): Promise<string> => {
    const { code, output, errors } = await kubectl.run(["logs", ...IN_SHOP, ...parameters]);
    assert.equal(code, 0, errors);
    return output.toString("utf8");
  };
  const exec = (...parameters: string[]): string[] => ["exec", ...IN_SHOP, ...parameters];

  test("AP-131, AP-135 a denial is found in the log of istio-proxy in Istio's words", async () => {
    const denials = await until("both replicas' denials", async () => {
      const both = await Promise.all(
        ["callee-0", "callee-1"].map((pod) => logs(pod, "-c", "istio-proxy")),
      );
      const lines = both.join("").split("\n");
      const of = (text: string): string[] => lines.filter((line) => line.includes(text));
      const found = {
        denied: of("rbac_access_denied"),
        enforced: of(
          "\tenforced denied, matched policy ns[shop]-policy[no-denied]-rule[0], enforced_policy=",
        ),
        shadow: of("shadow denied, matched policy ns[shop]-policy[on-trial]-rule[0]"),
      };
      return found.denied.length > 0 && found.shadow.length > 0 && found;
    });
    const [access = ""] = denials.denied.filter((line) => line.startsWith("["));
    assert.match(
      access,
      /^\[\S+Z\] "GET \/denied HTTP\/\S+" 403 - rbac_access_denied_matched_policy\[ns\[shop\]-policy\[no-denied\]-rule\[0\]\] /,
    );
    assert.equal(denials.enforced.length, 1);
    assert.match(denials.shadow[0] ?? "", /enforced allowed, enforced_policy=none$/);
  });

  test("an application's lines: the last ones, by time, with times, cut short", async () => {
    await until("ten lines", async () => (await logs("deploy/caller")).split("\n").length > 10);
    const isTally = /^\{"sent":\d+,"answered":\d+,"failures":\{/;
    const last = (await logs("deploy/caller", "--tail=3")).trimEnd().split("\n");
    assert.equal(last.length, 3);
    for (const line of last) assert.match(line, isTally);
    const recent = (await logs("deploy/caller", "--since=2s")).trimEnd().split("\n");
    assert.ok(recent.length >= 2 && recent.length <= 7, `${recent.length} lines in 2 s`);
    const [timed = ""] = (await logs("deploy/caller", "--timestamps", "--tail=1")).split("\n");
    const [time = "", line = ""] = timed.split(" ", 2);
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 5_000, time);
    assert.match(line, isTally);
    assert.equal((await logs("deploy/caller", "--limit-bytes=7")).length, 7);
    assert.equal(await logs("deploy/caller", "--tail=0"), "");
  });

  test("a log is followed while it grows, and no longer than its program runs", async () => {
    const followed = kubectl.start(["logs", ...IN_SHOP, "-f", "--tail=1", "deploy/caller"]);
    await until("four lines", async () => followed.said().split("\n").length > 4);
    followed.child.kill();
    await followed.ended;
    // It ends after two seconds, and is started again later: the run is over.
    await until("a fresh run", async () => !(await logs("deploy/fickle")).includes("three"));
    const run = await logs("-f", "deploy/fickle");
    assert.equal(run, "one\ntwo\nthree\n");
    assert.equal(await logs("--previous", "deploy/fickle"), run);
  });

  test("the control plane's log is that of istiod, and unknown containers are told", async () => {
    const { output } = await kubectl.run(["logs", "-n", "istio-system", "deploy/istiod"]);
    assert.match(output.toString(), /"message":"certificate signed"/);
    const none = await kubectl.run(["logs", ...IN_SHOP, "--previous", "deploy/caller"]);
    assert.match(none.errors, /previous terminated container "caller" in pod "caller-0" not found/);
  });

  for (const { name, environment } of PROTOCOLS) {
    test(`${name}: a command has its own streams, the container's folder and environment, and an exit code`, async () => {
      const script = "cat; echo $PORT; echo oh >&2; exit 3";
      const { code, output, errors } = await kubectl.run(
        exec("-i", "deploy/callee", "-c", "callee", "--", "sh", "-c", script),
        { input: "hello\n", environment },
      );
      const port = mesh.workload("callee").ports[0]?.application.port;
      assert.equal(output.toString(), `hello\n${port}\n`);
      assert.match(errors, /^oh\n/);
      assert.equal(code, 3);
    });

    test(`${name}: megabytes go both ways unchanged`, async () => {
      const input = randomBytes(5 * 1024 * 1024);
      const { output } = await kubectl.run(exec("-i", "callee-0", "-c", "callee", "--", "cat"), {
        input,
        environment,
      });
      assert.ok(output.equals(input), `${output.length} of ${input.length} bytes`);
    });

    test(`${name}: what a client leaves behind ends`, async () => {
      const seconds = `${3_000 + Math.floor(Math.random() * 1_000)}.5`;
      const started = kubectl.start(
        exec("callee-0", "-c", "callee", "--", "sh", "-c", `echo begun; sleep ${seconds}`),
        environment,
      );
      await until("its beginning", async () => started.said().includes("begun"));
      assert.equal(await isRunning(seconds), true);
      started.child.kill("SIGKILL");
      await until("its end", async () => !(await isRunning(seconds)));
    });

    test(`${name}: ports lead to the application, past its sidecar, and to the sidecar's administration`, async () => {
      const forward = kubectl.start(
        ["port-forward", ...IN_SHOP, "callee-0", ":8080", ":15000"],
        environment,
      );
      try {
        const ports = await until("two ports", async () => {
          const all = [...forward.said().matchAll(/127\.0\.0\.1:(\d+) -> (\d+)/g)];
          return all.length === 2 && new Map(all.map(([, local, remote]) => [remote, local]));
        });
        const url = (port: string, path: string): string =>
          `http://127.0.0.1:${ports.get(port)}${path}`;
        const texts = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            fetch(url("8080", `/${index}`)).then((answer) => answer.text()),
          ),
        );
        assert.deepEqual(
          texts,
          texts.map((_, index) => `ok /${index}\n`),
        );
        assert.equal((await (await fetch(url("15000", "/ready"))).text()).trim(), "ready");
        // As istioctl asks an Envoy.
        const dump = await fetch(url("15000", "/config_dump?mask=dynamic_listeners"));
        assert.match(
          await dump.text(),
          /^\{"configs":\[\{"@type":"type\.googleapis\.com\/envoy\.admin/,
        );
        // Whoever says nothing is closed with the client's end.
        const idle = connect(Number(ports.get("8080")), "127.0.0.1");
        await once(idle, "connect");
        idle.end();
        idle.resume();
        await once(idle, "close");
      } finally {
        forward.child.kill();
        await forward.ended;
      }
    });
  }

  test("a port that nobody listens on is told, and the others go on", async () => {
    const forward = kubectl.start(["port-forward", ...IN_SHOP, "callee-0", ":1"]);
    try {
      const port = await until(
        "a port",
        async () => /127\.0\.0\.1:(\d+)/.exec(forward.said())?.[1],
      );
      await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
      await until("the reason", async () => /ECONNREFUSED/.test(forward.said()));
    } finally {
      forward.child.kill();
      await forward.ended;
    }
  });

  test("files are copied into a container, and out of it", async () => {
    const content = randomBytes(100_000);
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await writeFile(from, content);
    const inside = join(folder, "inside");
    for (const [source, target] of [
      [from, `callee-0:${inside}`],
      [`callee-0:${inside}`, to],
    ] as const) {
      const { code, errors } = await kubectl.run([
        "cp",
        ...IN_SHOP,
        "-c",
        "callee",
        source,
        target,
      ]);
      assert.equal(code, 0, errors);
    }
    assert.ok((await readFile(to)).equals(content));
  });

  test("istio-proxy: openssl reaches a service as the article writes it", async () => {
    const { output, errors } = await kubectl.run(
      exec("deploy/caller", "-c", "istio-proxy", "--", "openssl", "s_client").concat(
        "-connect",
        "callee.shop:8080",
        "-servername",
        "callee.shop",
      ),
    );
    assert.match(output.toString(), /Certificate chain\n 0 s:/);
    assert.match(errors, /^hauberk: callee\.shop:8080 is 127\.0\.0\.1:\d+ here$/m);
  });

  for (const words of [
    ["pilot-agent", "request", "GET", "ready"],
    ["curl", "-s", "http://localhost:15000/ready"],
    ["curl", "-sS", "localhost:15021/healthz/ready"],
  ]) {
    test(`istio-proxy: ${words.join(" ")}`, async () => {
      const { output } = await kubectl.run(
        exec("deploy/caller", "-c", "istio-proxy", "--", ...words),
      );
      assert.equal(output.toString().trim(), "ready");
    });
  }

  test("CA-52: istio-ca-root-cert has the roots, and comes back", async () => {
    const words = ["configmap", "istio-ca-root-cert", ...IN_SHOP];
    const roots = async (): Promise<string> => {
      const path = "jsonpath={.data.root-cert\\.pem}";
      return (await kubectl.run(["get", ...words, "-o", path])).output.toString();
    };
    const rootPem = await mesh.rootPem();
    assert.equal((await roots()).trim(), rootPem.trim());
    const { code, errors } = await kubectl.run(["delete", ...words]);
    assert.equal(code, 0, errors);
    await until("the roots", async () => (await roots()).trim() === rootPem.trim());
    const mine = JSON.stringify({ data: { "root-cert.pem": "mine" } });
    const patched = await kubectl.run(["patch", ...words, "--type", "merge", "-p", mine]);
    assert.equal(patched.code, 0, patched.errors);
    await until("the roots again", async () => (await roots()).trim() === rootPem.trim());
  });

  test("a terminal has the client's size, and its shell may be told to end", async () => {
    const words = exec("-it", "callee-0", "-c", "callee", "--", "sh").join(" ");
    const { output } = await runInTerminal(`stty rows 33 cols 101; kubectl ${words}`, {
      kubeconfig: join(mesh.data, "kubeconfig"),
      typed: "stty size; exit 5\n",
    });
    assert.match(output, /^33 101\r?$/m);
    assert.match(output, /exit code 5/);
  });
});

async function isRunning(seconds: string): Promise<boolean> {
  for (const processId of await readdir("/proc")) {
    const words = await readFile(`/proc/${processId}/cmdline`, "latin1").catch(() => "");
    if (words.startsWith("sleep\0") && words.includes(seconds)) return true;
  }
  return false;
}

/** @param typed once the command has said something */
async function runInTerminal(
  command: string,
  { kubeconfig, typed }: { readonly kubeconfig: string; readonly typed: string },
): Promise<{ readonly output: string }> {
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: { ...process.env, KUBECONFIG: kubeconfig, SHELL: "/bin/sh" },
    stdio: "pipe",
  });
  let output = "";
  child.stdout.on("data", (part: Buffer) => {
    output += part.toString();
  });
  await until("a prompt", async () => /[#$] /.test(output));
  child.stdin.write(typed);
  await once(child, "close");
  return { output };
}
