import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { after, test } from "node:test";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { FetchDocumentError, type FetchDocumentOptions, fetchDocument } from "./fetch-document.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function serve(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener): Promise<number> => serve(createServer(listener));

const OPTIONS: FetchDocumentOptions = {
  timeoutMs: 2_000,
  addressProblem: () => undefined,
  findHost: () => undefined,
  extraRootsPem: [],
};

/** One that answers for `localhost`, and not for its address. */
function secure(listener: RequestListener): {
  readonly port: Promise<number>;
  readonly rootPem: string;
} {
  const { rootPem, serverCertificate } = createThrowawayAuthority();
  const { certificateChainPem, privateKeyPem } = serverCertificate({
    dnsNames: ["localhost"],
    ipAddresses: [],
  });
  const server = createSecureServer({ cert: certificateChainPem, key: privateKeyPem }, listener);
  return { port: serve(server), rootPem };
}

const refusal = (expected: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FetchDocumentError);
  assert.match(error.message, expected);
  return true;
};

test("fetches over HTTP, asking for JSON, without keeping the connection", async () => {
  const port = await http((request, response) => {
    const { host, accept, connection } = request.headers;
    response.end(JSON.stringify({ url: request.url, host, accept, connection }));
  });
  const text = await fetchDocument(`http://localhost:${port}/keys?x=1`, OPTIONS);
  assert.deepEqual(JSON.parse(text), {
    url: "/keys?x=1",
    host: `localhost:${port}`,
    accept: "application/json",
    connection: "close",
  });
});

test("JWT-86: over HTTPS the server's name is verified, against the system's roots and those given", async () => {
  const { rootPem, ...server } = secure((_, response) => response.end("{}"));
  const port = await server.port;
  const trusting = { ...OPTIONS, extraRootsPem: [rootPem] };
  assert.equal(await fetchDocument(`https://localhost:${port}/`, trusting), "{}");
  await assert.rejects(
    fetchDocument(`https://localhost:${port}/`, OPTIONS),
    refusal(/certificate/),
  );
  await assert.rejects(
    fetchDocument(`https://127.0.0.1:${port}/`, trusting),
    refusal(/IP|altnames/),
  );
});

test("JWT-86: a host that the mesh puts elsewhere is asked there, by its own name, and each address is looked at", async () => {
  const { rootPem, ...server } = secure((request, response) => response.end(request.headers.host));
  const port = await server.port;
  const asked: string[] = [];
  const elsewhere: FetchDocumentOptions = {
    ...OPTIONS,
    extraRootsPem: [rootPem],
    findHost: (host, wanted) => {
      asked.push(`${host}:${wanted}`);
      if (host === "localhost") return [{ address: "127.0.0.1", port }];
      return host === "login.example" ? [{ address: "nowhere.invalid", port }] : undefined;
    },
  };
  assert.equal(await fetchDocument("https://LOCALHOST/keys", elsewhere), "localhost");
  assert.deepEqual(asked, ["localhost:443"]);
  const careful = { ...elsewhere, addressProblem: (address: string) => `${address} is not listed` };
  await assert.rejects(
    fetchDocument("https://localhost/", careful),
    refusal(/^127.0.0.1 is not listed$/),
  );
  await assert.rejects(
    fetchDocument("https://login.example/", elsewhere),
    refusal(/nowhere\.invalid/),
  );
});

test("of several places one whose name nobody knows, or where nobody listens, is passed by", async () => {
  const port = await http((_, response) => response.end("found"));
  const places = ["nowhere.invalid", "127.0.0.1"].map((address) => ({ address, port }));
  const findHost = () => [{ address: "127.0.0.1", port: 1 }, ...places];
  const fetched = fetchDocument("http://login.example/", { ...OPTIONS, findHost });
  assert.equal(await fetched, "found");
});

const moved =
  (location: string | undefined): RequestListener =>
  (_, response) => {
    response.writeHead(302, location === undefined ? {} : { location }).end();
  };

test("follows redirects, and checks the address of each hop", async () => {
  const last = await http((_, response) => response.end("found"));
  const first = await http(moved(`http://localhost:${last}/`));
  assert.equal(await fetchDocument(`http://127.0.0.1:${first}/`, OPTIONS), "found");

  const asked: string[] = [];
  const careful = {
    ...OPTIONS,
    addressProblem: (address: string) => {
      asked.push(address);
      return address === "169.254.169.254" ? "never there" : undefined;
    },
  };
  const trap = await http(moved("http://169.254.169.254/latest/meta-data/"));
  await assert.rejects(
    fetchDocument(`http://127.0.0.1:${trap}/`, careful),
    refusal(/^never there$/),
  );
  assert.ok(asked.includes("127.0.0.1"));
});

test("an address that must not be asked is not connected to", async () => {
  let connections = 0;
  const server = createServer();
  server.on("connection", () => connections++);
  const port = await serve(server);
  const careful = { ...OPTIONS, addressProblem: (address: string) => `${address} is not allowed` };
  for (const host of ["127.0.0.1", "localhost", "2130706433", "0x7f.1"])
    await assert.rejects(
      fetchDocument(`http://${host}:${port}/`, careful),
      refusal(/is not allowed$/),
    );
  assert.equal(connections, 0);
});

const faults: [what: string, listener: RequestListener, expected: RegExp][] = [
  ["another status", (_, response) => response.writeHead(404).end(), /answers 404, expected 200$/],
  ["a redirect to nowhere", moved(undefined), /redirects to nowhere$/],
  ["a redirect to a file", moved("file:///etc/passwd"), /file: is neither https nor http$/],
  ["redirects without end", moved("/"), /more than 3 redirects$/],
  ["a name and password", moved("http://a:b@localhost/"), /holds a name or a password$/],
  [
    "more than 1 MiB",
    (_, response) => response.end("x".repeat(1_048_577)),
    /longer than 1048576 bytes$/,
  ],
  [
    "a huge head",
    (_, response) => response.writeHead(200, { a: "x".repeat(20_000) }).end(),
    /Header overflow|Parse Error/,
  ],
  [
    "an end in the middle",
    (_, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("x");
      setImmediate(() => response.destroy());
    },
    /aborted/,
  ],
];
for (const [what, listener, expected] of faults) {
  test(`refuses ${what}`, async () => {
    const port = await http(listener);
    await assert.rejects(fetchDocument(`http://127.0.0.1:${port}/`, OPTIONS), refusal(expected));
  });
}

test("does not wait for ever: for an answer, for the rest of one, for a redirect", async () => {
  const silent = await http(() => {});
  const halting = await http((_, response) => response.write("{"));
  const slow = await http((_, response) => setTimeout(() => moved("/")(_, response), 150));
  for (const port of [silent, halting, slow]) {
    const fetched = fetchDocument(`http://127.0.0.1:${port}/`, { ...OPTIONS, timeoutMs: 300 });
    await assert.rejects(fetched, refusal(/^no answer within 300 ms$/));
  }
});

test("does not wait for ever for a TLS handshake, or for one that is cut off", async () => {
  const silent = await serve(createTcpServer((socket) => socket.on("error", () => {})));
  const fetched = fetchDocument(`https://127.0.0.1:${silent}/`, { ...OPTIONS, timeoutMs: 300 });
  await assert.rejects(fetched, refusal(/^no answer within 300 ms$/));
  const ending = await serve(createTcpServer((socket) => socket.end()));
  await assert.rejects(
    fetchDocument(`https://127.0.0.1:${ending}/`, OPTIONS),
    refusal(/disconnected|ends the connection|ECONNRESET/),
  );
});

test("nobody listens", async () => {
  const server = createServer();
  const port = await serve(server);
  server.close();
  await assert.rejects(
    fetchDocument(`http://127.0.0.1:${port}/`, OPTIONS),
    refusal(/ECONNREFUSED/),
  );
});

test("no redirect from HTTPS to HTTP", async () => {
  const plain = await http((_, response) => response.end("{}"));
  const { rootPem, ...server } = secure(moved(`http://localhost:${plain}/`));
  const port = await server.port;
  const fetched = fetchDocument(`https://localhost:${port}/`, {
    ...OPTIONS,
    extraRootsPem: [rootPem],
  });
  await assert.rejects(fetched, refusal(/redirects from https to http:/));
});
