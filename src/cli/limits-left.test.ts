/** What `hauberk explain` tells is left of global limits: as the control plane of the mesh counts, or why nobody says. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { whileAnswering } from "../../test/kit/answering-control-plane.ts";
import { serviceYaml } from "../../test/kit/service-yaml.ts";
import { type ToldByCommand, toldByCommand } from "../../test/kit/told-by-command.ts";
import type { ControlReply, ControlRequest } from "../control/control-socket-messages.ts";
import { hashedEntry } from "../policy/global-limit-descriptor.ts";
import { explainCommand } from "./commands/explain.ts";

const MESH = `${serviceYaml("cart", { http: 80 })}---
apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  limits:
  - {name: here, requests: 5, per: 1m}
  - {name: per-user, requests: 10, per: 1m, key: ["request.headers[x-user]"], scope: Global}
  - {name: shared, requests: 10, per: 1m, fair: true, scope: Global}
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-limits-"));
  await writeFile(join(folder, "mesh.yaml"), MESH);
});
after(() => rm(folder, { recursive: true }));

async function explain(json = false): Promise<ToldByCommand> {
  const asked = {
    from: "shop/cart",
    to: "shop/cart:80",
    request: "GET /",
    header: ["x-user: ann"],
  };
  const options = { file: [join(folder, "mesh.yaml")], data: folder, json, ...asked };
  return toldByCommand((print) => explainCommand(options, { print, warn: print }));
}

test("the control plane is asked for this caller's counts, and what it says is told", async () => {
  const asked: ControlRequest[] = [];
  const left = [
    { left: 7, waitMs: 0 },
    { left: 0, waitMs: 1_500 },
  ];
  const { text } = await whileAnswering(
    folder,
    (request) => {
      asked.push(request);
      return { type: "limits-left", left };
    },
    () => explain(),
  );
  assert.match(text, /limit per-user .*; 7 left now$/m);
  assert.match(text, /limit shared .*; none left now, room again in 1500 ms$/m);
  assert.deepEqual(asked, [
    {
      type: "limits-left",
      counters: [
        { limit: "shop/cart/per-user", key: hashedEntry("ann"), identity: "" },
        {
          limit: "shop/cart/shared",
          key: "",
          identity: hashedEntry("spiffe://cluster.local/ns/shop/sa/default"),
        },
      ],
    },
  ]);
});

const untold: [what: string, reply: ControlReply, told: RegExp][] = [
  ["it cannot say", { type: "refused", problem: "Redis is away" }, /: Redis is away$/m],
  [
    "it has no such limit",
    { type: "limits-left", left: [null, null] },
    /: the mesh that runs has no such limit$/m,
  ],
  ["it is of another release", { type: "metrics", text: "" }, /: it answers something else$/m],
];
for (const [what, reply, told] of untold) {
  test(`where ${what}, that is told`, async () => {
    const { text } = await whileAnswering(
      folder,
      () => reply,
      () => explain(),
    );
    assert.match(text, told);
    assert.match(text, /; asked of the control plane: /);
  });
}

test("without a mesh it says so, and of local limits who knows", async () => {
  const { code, text } = await explain();
  assert.equal(code, 0);
  const told = text.match(/; asked of the control plane: no mesh runs here$/gm);
  assert.equal(told?.length, 2, text);
  assert.match(text, /^ {2}note {7}what is left of a limit is known to those who count: /m);
  const { limits } = JSON.parse((await explain(true)).text);
  assert.deepEqual(
    limits.map(({ untold }: { untold?: string }) => untold),
    [undefined, "no mesh runs here", "no mesh runs here"],
  );
});
