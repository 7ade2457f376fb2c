import assert from "node:assert/strict";
import { test } from "node:test";
import { type PodFileInputs, podFiles } from "./pod-files.ts";

function files(
  accounts: PodFileInputs["accounts"],
  named: Partial<PodFileInputs> = {},
): Map<string, string> {
  const written = podFiles({
    namespace: "shop",
    hostname: "api-0",
    addresses: { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" },
    home: "/home/me",
    accounts,
    ...named,
  });
  return new Map(written.map(({ target, content }) => [target, content]));
}
const NONE = { passwd: "", group: "" };

test("names are asked of the gateway, as in Kubernetes", () => {
  assert.equal(
    files(NONE).get("/etc/resolv.conf"),
    "nameserver 10.244.0.1\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n",
  );
});

test("a pod knows its own name", () => {
  assert.equal(files(NONE).get("/etc/hostname"), "api-0\n");
  assert.match(files(NONE).get("/etc/hosts") ?? "", /^10\.244\.0\.2\tapi-0$/m);
  assert.match(files(NONE).get("/etc/hosts") ?? "", /^127\.0\.0\.1\tlocalhost$/m);
});

test("a member of a StatefulSet knows its full name, at both addresses, before it is ready", () => {
  const hosts = files(NONE, { hostname: "etcd-0", serviceName: "etcd" }).get("/etc/hosts") ?? "";
  const names = "\tetcd-0.etcd.shop.svc.cluster.local\tetcd-0\n";
  assert.ok(hosts.includes(`10.244.0.2${names}`), hosts);
  assert.ok(hosts.includes(`fd00:10:244::2${names}`), hosts);
});

test("the application's user has an account", () => {
  const written = files({ passwd: "root:x:0:0:root:/root:/bin/bash\n", group: "root:x:0:\n" });
  assert.equal(
    written.get("/etc/passwd"),
    "root:x:0:0:root:/root:/bin/bash\napp:x:1000:1000::/home/me:/bin/sh\n",
  );
  assert.equal(written.get("/etc/group"), "root:x:0:\napp:x:1000:\n");
});

test("an account of the same number keeps its name, and is at home where the container is", () => {
  const written = files({ passwd: "me:x:1000:100:Me:/somewhere:/bin/zsh", group: "users:x:1000:" });
  assert.equal(written.get("/etc/passwd"), "me:x:1000:1000:Me:/home/me:/bin/sh\n");
  assert.equal(written.get("/etc/group"), "users:x:1000:\n");
});
