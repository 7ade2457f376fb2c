/** Which other control plane is believed, and how it is told who is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import {
  away,
  common,
  connected,
  follow,
  foreign,
  remoteCluster,
  serve,
  service,
} from "../../test/kit/remote-meshes.ts";
import { REMOTE_CONNECTION_LIMITS } from "./remote-cluster-connection.ts";

test("a foreign server: the log says which root its certificate leads to, and which are trusted here", async (context) => {
  const east = await serve(context, { authority: foreign });
  const west = await follow(context, east.port);
  await away(west);
  const [line] = west.log.find("remote cluster east is away");
  const ours = /trusted here is "O=common" \(SHA-256 [0-9a-f]{16}\)/;
  const theirs = /it leads to "O=foreign" \(/;
  assert.match(String(line?.fields["problem"]), ours);
  assert.match(String(line?.fields["problem"]), theirs);
  assert.match(west.state().problem ?? "", theirs);
  assert.deepEqual(west.endpoints(), []);
});

test("a foreign client: the server's log says which root its certificate leads to", async (context) => {
  const east = await serve(context);
  const rootsPem = [common.rootPem]; // it would believe the server
  const west = await follow(context, east.port, { authority: foreign, rootsPem });
  await away(west);
  const [line] = east.log.find("client certificate refused");
  const reason = String(line?.fields["reason"]);
  assert.match(reason, /it leads to "O=foreign" .*trusted here is "O=common" \(SHA-256/);
  assert.deepEqual(east.log.find("another cluster watches"), []);
  assert.match(west.state().problem ?? "", /perhaps it does not trust the root of this mesh/);
  assert.deepEqual(west.endpoints(), []);
});

test("two meshes of one name refuse each other in words, whoever asks", async (context) => {
  const words = /both meshes call themselves Kubernetes: give one of them --cluster/;
  const east = await serve(context, { cluster: "Kubernetes" });
  const own = { cluster: "Kubernetes" };
  const remote = remoteCluster(east.port, { name: "Kubernetes" });
  const named = await follow(context, east.port, { ...own, remote });
  await away(named);
  assert.match(named.state().problem ?? "", words);
  assert.deepEqual(east.log.lines, [], "nobody is asked who cannot be another");
  const other = await follow(context, east.port, own);
  await away(other);
  assert.match(other.state().problem ?? "", words);
  assert.match(String(east.log.find("services refused")[0]?.fields["reason"]), words);
});

test("a server that is another cluster than was asked for is not believed", async (context) => {
  const north = await serve(context, { cluster: "north" });
  const west = await follow(context, north.port);
  await away(west);
  assert.match(west.state().problem ?? "", /calls itself "north"; expected "east"/);
  assert.deepEqual(west.endpoints(), []);
});

test("CA-55: two trust domains: each must have the other's as an alias, and is refused in words without", async (context) => {
  const domains = { trustDomain: "west.example" };
  const refusing = await serve(context, { trustDomain: "east.example" });
  const more = ", trustDomain: east.example";
  const remote = remoteCluster(refusing.port, { more });
  const refused = await follow(context, 0, { ...domains, aliases: "east.example", remote });
  await away(refused);
  assert.match(
    refused.state().problem ?? "",
    /does not take spiffe:\/\/west.example\/.*its log says/,
  );
  const [line] = refusing.log.find("services refused");
  assert.match(
    String(line?.fields["reason"]),
    /west.example.* is not one of spiffe:\/\/east.example/,
  );

  const east = await serve(context, { trustDomain: "east.example", aliases: "west.example" });
  const there = remoteCluster(east.port, { more });
  const unaliased = await follow(context, 0, { ...domains, remote: there });
  await connected(unaliased);
  assert.deepEqual(unaliased.endpoints(), []);
  assert.match(unaliased.state().refusals.join(), /"east.example" is not one of this mesh/);
  assert.equal(unaliased.log.find("not all that remote cluster east says is taken over").length, 1);
  unaliased.resources.set(resourcesOf(service("web", "west.example", "east.example") + there));
  assert.deepEqual(unaliased.endpoints(), [8080]);

  const mistaken = await follow(context, east.port, { ...domains, aliases: "east.example" });
  await away(mistaken);
  assert.match(
    mistaken.state().problem ?? "",
    /trust domain is "east.example"; expected "west.example"/,
  );
});

test("an alias that is taken away ends the stream", async (context) => {
  const east = await serve(context, { trustDomain: "east.example", aliases: "west.example" });
  const remote = remoteCluster(east.port, { more: ", trustDomain: east.example" });
  const west = await follow(context, 0, {
    trustDomain: "west.example",
    aliases: "east.example",
    remote,
  });
  await connected(west);
  east.snapshots.set(snapshotOf(service("api", "east.example")));
  await away(west);
  assert.match(west.state().problem ?? "", /does not take/);
});

test("more than a message may have is not taken", async (context) => {
  const east = await serve(context);
  const limits = { ...REMOTE_CONNECTION_LIMITS, messageBytes: 100 };
  const west = await follow(context, east.port, { limits });
  await away(west);
  assert.match(west.state().problem ?? "", /larger than max/);
});
