/** Programs in four languages that know of no mesh and no proxy, each in a pod of its own, led by the kernel alone. */
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { after, before, describe, test } from "node:test";
import { parseIpAddress } from "../../../src/api/cidr.ts";
import type { IpAddresses } from "../../../src/policy/workload.ts";
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import { buildGoProgram } from "../../kit/go-program.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";
import {
  OUTSIDE_ADDRESS,
  type OutsideServers,
  openOutsideServers,
} from "../../kit/outside-servers.ts";
import { until } from "../../kit/until.ts";
import { writtenEntries } from "../../kit/written-entries.ts";

const FOLDER = "test/meshes/namespaces-clients";

const CLIENTS = [
  { name: "node", command: ["node", "client.mjs"], skip: false },
  { name: "python", command: ["python3", "client.py"], skip: missingParts("python3") },
  { name: "curl", command: ["sh", "client.sh"], skip: missingParts("curl") },
  { name: "go", command: ["./client"], skip: missingParts("go") },
] as const;
type Client = (typeof CLIENTS)[number];

const NO_OUTSIDE = OUTSIDE_ADDRESS === undefined && "this machine has no address but its loopback";

/** The host's own. */
const RESOLVER = new Resolver({ timeout: 1_000, tries: 1 });
const KNOWN_NAME = await firstKnown(["registry.npmjs.org", "deb.debian.org", "example.com"]);
const NO_RESOLVER = KNOWN_NAME === undefined && "this machine has no resolver that answers";

async function firstKnown(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const addresses = await RESOLVER.resolve4(name).catch(() => []);
    if (addresses.length > 0) return name;
  }
  return undefined;
}

const API = "api-0, on port 8080";
const WEB = "web-0, on port 8080";
const FRONT = "front, on port 80";

interface Way {
  readonly url: string;
  readonly answer: string;
  /** The family of a pod's address that no headless service has: nobody can know whom to expect there. */
  readonly plaintext?: keyof IpAddresses;
}

let mesh: MeshInNamespaces;
let outside: OutsideServers | undefined;
let api: IpAddresses;
let web: IpAddresses;
/** Of the service `api`. */
let service: IpAddresses;

async function start(): Promise<void> {
  if (OUTSIDE_ADDRESS !== undefined) outside = await openOutsideServers(OUTSIDE_ADDRESS);
  const built = missingParts("go") ? [] : [await buildGoProgram(`${FOLDER}/client.go`)];
  mesh = await MeshInNamespaces.start({
    folders: [FOLDER, "test/meshes/agents", ...built],
    texts: { "host-ca.pem": outside?.rootPem ?? "" },
  });
  const services = ["http://api:8080/", "http://web:8080/", "http://front/"];
  await until("every server to be ready", async () =>
    (await callAll(CLIENTS[0], services)).every((line) => line.startsWith("200 ")),
  );
  api = await mesh.addresses("production/api-0");
  web = await mesh.addresses("production/web-0");
  const found = [...(await mesh.agent("production/node-0").lookUp("api.production"))];
  const [ipv4 = "", ipv6 = ""] = [".", ":"].map((mark) => found.find((one) => one.includes(mark)));
  service = { ipv4, ipv6 };
}

async function stop(): Promise<void> {
  await mesh?.remove();
  outside?.close();
}

/** @returns a line for each URL: status and body, or what failed */
async function callAll(client: Client, urls: readonly string[]): Promise<readonly string[]> {
  const agent = mesh.agent(`production/${client.name}-0`);
  const { code, output, errors } = await agent.run(...client.command, ...urls);
  assert.equal(code, 0, errors);
  return output.trimEnd().split("\n");
}

/** Each way to a server, and what answers there. */
function waysOf(client: string): readonly Way[] {
  return [
    { url: `http://api.production:8080/${client}/short`, answer: API },
    { url: `http://api:8080/${client}/own-namespace`, answer: API },
    { url: `http://api.production.svc.cluster.local:8080/${client}/full`, answer: API },
    { url: `http://${service.ipv4}:8080/${client}/service-ipv4`, answer: API },
    { url: `http://[${service.ipv6}]:8080/${client}/service-ipv6`, answer: API },
    { url: `http://api-pods:8080/${client}/headless`, answer: API },
    { url: `http://${api.ipv4}:8080/${client}/pod-ipv4`, answer: API },
    { url: `http://[${api.ipv6}]:8080/${client}/pod-ipv6`, answer: API },
    { url: `http://web:8080/${client}/own-namespace`, answer: WEB },
    { url: `http://${web.ipv4}:8080/${client}/pod-ipv4`, answer: WEB, plaintext: "ipv4" },
    { url: `http://[${web.ipv6}]:8080/${client}/pod-ipv6`, answer: WEB, plaintext: "ipv6" },
    { url: "http://front/", answer: FRONT },
    { url: "http://front.production:80/", answer: FRONT },
  ];
}

const principal = (name: string): string => `spiffe://cluster.local/ns/production/sa/${name}`;

const authority = (address: string): string =>
  address.includes(":") ? `[${address}]:8080` : `${address}:8080`;

const hostOf = (address = ""): string => address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

/** What is to be in the callee's log about a call. */
function told(
  { url, plaintext }: Way,
  who: { readonly caller: string; readonly own: IpAddresses; readonly callee: IpAddresses },
): readonly unknown[] {
  const { caller, own, callee } = who;
  const family = plaintext ?? "ipv4"; // sidecars speak IPv4 with one another, however they were called
  const to = authority(callee[family]);
  const source = plaintext === undefined ? principal(caller) : null;
  return [new URL(url).pathname, "destination", source, own[family], to, to];
}

function inShort(entry: AccessLogEntry): readonly unknown[] {
  const { path, reporter, source_principal, upstream_host } = entry;
  const from = hostOf(entry.downstream_remote_address ?? "");
  return [path, reporter, source_principal, from, entry.downstream_local_address, upstream_host];
}

const sorted = (all: readonly (readonly unknown[])[]): readonly string[] =>
  all.map((one) => one.join(" ")).sort();

/** One request from this machine, in plain HTTP. */
async function getFromHere(url: string): Promise<string> {
  const request = get(url, { agent: false, timeout: 5_000 });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let body = "";
    for await (const part of response) body += part;
    return `${response.statusCode} ${body.trimEnd()}`;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Where the host's loopback offers a service. */
function published(name: string): string {
  const line = new RegExp(`${name} from this machine: ([\\d.:]+),`).exec(mesh.said);
  return `http://${line?.[1] ?? assert.fail(mesh.said)}`;
}

const isPlaintextRefused = ({ decision }: AccessLogEntry): boolean =>
  decision?.reason.because === "plaintext-refused";
const CLOSED = /^failed: (ECONNRESET|UND_ERR_SOCKET)$/;

describe("clients without any setting", {
  skip: (await namespacesMissing()) || missingParts("python3"),
}, () => {
  before(start);
  after(stop);

  for (const client of CLIENTS) {
    const { name, skip } = client;

    test(`${name}: two servers on 8080 and one on 80, by name and by address`, {
      skip,
    }, async () => {
      const ways = waysOf(name);
      const urls = ways.map(({ url }) => url);
      const heard = await callAll(client, urls);
      assert.deepEqual(
        urls.map((url, at) => `${url} ${heard[at]}`),
        ways.map(({ url, answer }) => `${url} 200 ${answer}`),
      );
    });

    test(`${name}: the callee's log names it, its pod and port 8080, whichever way it came`, {
      skip,
    }, async () => {
      const own = await mesh.addresses(`production/${name}-0`);
      for (const [answer, callee] of [[API, api] as const, [WEB, web] as const]) {
        const ways = waysOf(name).filter((way) => way.answer === answer);
        const entries = await writtenEntries(mesh, {
          pod: `production/${answer.split(",")[0]}`,
          matches: ({ path }) => ways.some(({ url }) => new URL(url).pathname === path),
          count: ways.length,
        });
        const expected = ways.map((way) => told(way, { caller: name, own, callee }));
        assert.deepEqual(sorted(entries.map(inShort)), sorted(expected));
        assert.doesNotMatch(JSON.stringify(entries), /:150\d\d"/);
      }
    });

    test(`${name}: HTTP and HTTPS servers outside the mesh`, {
      skip: skip || NO_OUTSIDE,
    }, async () => {
      const { http, https, answer } = outside ?? assert.fail();
      assert.deepEqual(await callAll(client, [http, https]), [`200 ${answer}`, `200 ${answer}`]);
    });

    test(`${name}: no proxy variable is in its environment`, { skip }, async () => {
      const { output } = await mesh.agent(`production/${name}-0`).run("env");
      const names = output.split("\n").map((line) => line.split("=")[0] ?? "");
      assert.ok(names.includes("PATH"), output);
      assert.deepEqual(
        names.filter((one) => /proxy/i.test(one)),
        [],
      );
    });
  }

  test("PA-37: a pod's address that no headless service has is called in plaintext, which STRICT refuses", async () => {
    const front = await mesh.addresses("production/front-0");
    const [line = ""] = await callAll(CLIENTS[0], [`http://${front.ipv4}/`]);
    assert.match(line, CLOSED);
    await writtenEntries(mesh, { pod: "production/front-0", matches: isPlaintextRefused });
  });

  test("an exec probe is in its pod's network, and as shut in as its container", async () => {
    const told = await mesh.read("pods/production/front-0/tmp/probed");
    assert.match(told, /^user 1000, host front-0$/m);
    assert.match(told, /^NoNewPrivs:\s+1$/m);
    const capabilities = told.match(/^Cap\w+:\s+(?<set>\w+)$/gm) ?? [];
    assert.equal(capabilities.length, 5, told);
    for (const line of capabilities) assert.match(line, /\s0+$/);
    const { ipv6 } = await mesh.addresses("production/front-0");
    const address = Buffer.from(parseIpAddress(ipv6) ?? []).toString("hex");
    assert.ok(address.length === 32 && told.includes(`\n${address}\n`), told);
  });

  test("getent finds a service, and says so when there is none", async () => {
    const agent = mesh.agent("production/curl-0");
    const { output } = await agent.run("getent", "ahosts", "api.production");
    const addresses = output.split("\n").flatMap((line) => line.split(/\s+/)[0] || []);
    assert.deepEqual([...new Set(addresses)].sort(), Object.values(service).sort());
    const missing = await agent.run("getent", "hosts", "no-such-service.production");
    assert.deepEqual([missing.code, missing.output], [2, ""]);
  });

  test("so does Python's resolver", async () => {
    const script =
      'import socket; print(*{found[4][0] for found in socket.getaddrinfo("api.production", 8080)})';
    const { output } = await mesh.agent("production/python-0").run("python3", "-c", script);
    assert.deepEqual(output.trim().split(" ").sort(), Object.values(service).sort());
  });

  test("names of the outside are those of the host's own resolver", {
    skip: NO_RESOLVER,
  }, async () => {
    const found = await mesh.agent("production/node-0").lookUp(KNOWN_NAME ?? "");
    const known = await RESOLVER.resolve4(KNOWN_NAME ?? "");
    assert.ok(
      [...found].some((one) => known.includes(one)),
      `${found}; here ${known}`,
    );
  });

  test("PA-30: from the host's loopback, a PERMISSIVE service answers plain HTTP", async () => {
    assert.equal(await getFromHere(`${published("production/web:8080")}/from-host`), `200 ${WEB}`);
    const [entry] = await writtenEntries(mesh, {
      pod: "production/web-0",
      matches: ({ path }) => path === "/from-host",
    });
    assert.deepEqual([entry?.source_principal, entry?.decision?.verdict], [null, "allow"]);
  });

  test("PA-37: from the host's loopback, a STRICT service is closed, and its log says why", async () => {
    assert.equal(await getFromHere(`${published("production/api:8080")}/`), "ECONNRESET");
    const [entry] = await writtenEntries(mesh, {
      pod: "production/api-0",
      matches: isPlaintextRefused,
    });
    assert.deepEqual(
      [entry?.source_principal, entry?.downstream_local_address],
      [null, `${api.ipv4}:8080`],
    );
  });

  test("a pod without sidecar is led to a ready pod, and has no identity there", async () => {
    const urls = ["http://web.production:8080/outsider", "http://api.production:8080/outsider"];
    const { output } = await mesh.agent("legacy/outsider-0").run("node", "client.mjs", ...urls);
    const [allowed, refused = ""] = output.split("\n");
    assert.equal(allowed, `200 ${WEB}`);
    assert.match(refused, CLOSED);
    const [entry] = await writtenEntries(mesh, {
      pod: "production/web-0",
      matches: ({ path }) => path === "/outsider",
    });
    const own = await mesh.addresses("legacy/outsider-0");
    assert.equal(entry?.source_principal, null);
    assert.ok(Object.values(own).includes(hostOf(entry?.downstream_remote_address ?? "")));
  });

  test("outboundTrafficPolicy REGISTRY_ONLY: nobody gets out, and the log says why", {
    skip: NO_OUTSIDE,
  }, async () => {
    const { http, https, answer } = outside ?? assert.fail();
    const present = CLIENTS.filter(({ skip }) => skip === false);
    await mesh.change("mesh-config.yaml", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n");
    for (const client of present) {
      const [first, second, third] = await callAll(client, [http, https, "http://api:8080/"]);
      assert.match(first ?? "", /^(502 |failed: )/);
      assert.match(second ?? "", /^failed: /);
      assert.equal(third, `200 ${API}`);
      const refused = await writtenEntries(mesh, {
        pod: `production/${client.name}-0`,
        matches: ({ decision }) => decision?.reason.because === "unknown-destination",
        count: 2,
      });
      for (const { decision, reporter } of refused) {
        assert.deepEqual([decision?.verdict, reporter], ["deny", "source"]);
      }
    }
    await mesh.change("mesh-config.yaml");
    for (const client of present) {
      assert.deepEqual(await callAll(client, [http]), [`200 ${answer}`]);
    }
  });
});
