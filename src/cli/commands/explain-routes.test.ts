import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type AuthzCheckOptions, authzCheckCommand } from "./authz-check.ts";
import { type ExplainOptions, explainCommand } from "./explain.ts";

function deployment(name: string, port: number, labels = `app: ${name}`): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {${labels}}}
  template:
    metadata: {labels: {${labels}}}
    spec: {serviceAccountName: ${name}, containers: [{name: a, image: x, ports: [{containerPort: ${port}}]}]}
`;
}

function service(name: string, port: number, selector = `app: ${name}`): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {${selector}}, ports: [{name: http, port: ${port}, targetPort: 8080}]}
`;
}

/** Only GET /cart of the cart service proper gets in; of the new one nothing does that is not of tests. */
const MESH = [
  `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
`,
  deployment("frontend", 9000),
  deployment("cart", 8080, "app: cart, version: v1"),
  deployment("cart-canary", 8080, "app: cart, version: v2"),
  deployment("cart-new", 8080),
  service("cart", 80, "app: cart"),
  service("cart-new", 81),
  `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cart, namespace: shop}
spec:
  host: cart
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}, trafficPolicy: {tls: {mode: DISABLE}}}
`,
  `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart-readers, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
  - from: [{source: {principals: ["cluster.local/ns/shop/sa/frontend"]}}]
    to: [{operation: {methods: [GET], paths: [/cart]}}]
`,
  `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: new-for-tests, namespace: shop}
spec:
  selector: {matchLabels: {app: cart-new}}
  rules:
  - to: [{operation: {paths: [/cart], hosts: [new.example.com]}}]
    when: [{key: "request.headers[x-test]", values: ["yes"]}]
`,
  `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
  - match: [{uri: {prefix: /old/}}]
    redirect: {authority: shop.example.com}
  - match: [{uri: {prefix: /closed}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 403}}
    route: [{destination: {host: cart}}]
  - match: [{uri: {prefix: /v2/}}]
    rewrite: {uri: /, authority: new.example.com}
    route: [{destination: {host: cart-new, port: {number: 81}}, headers: {request: {set: {x-test: "yes"}}}}]
  - match: [{uri: {prefix: /untested/}}]
    rewrite: {uri: /, authority: new.example.com}
    route: [{destination: {host: cart-new, port: {number: 81}}}]
  - match: [{uri: {prefix: /shared/}}]
    rewrite: {uri: /}
    route:
    - {destination: {host: cart, subset: v1}, weight: 90}
    - {destination: {host: cart, subset: v2}, weight: 10}
  - match: [{uri: {prefix: /nowhere}}]
    route: [{destination: {host: nobody, port: {number: 1}}}]
  - match: [{uri: {exact: /cart}}]
    route: [{destination: {host: cart, subset: v1}}]
`,
].join("---\n");

/** In front of the same: one host in plaintext, one that wants TLS, and one that only some may ask for. */
const EDGE = [
  `apiVersion: v1
kind: Namespace
metadata: {name: edge, labels: {istio-injection: enabled}}
`,
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: edge}
spec:
  selector: {matchLabels: {istio: front}}
  template:
    metadata: {annotations: {inject.istio.io/templates: gateway}, labels: {istio: front}}
    spec: {serviceAccountName: front, containers: [{name: istio-proxy, image: auto}]}
`,
  `apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec: {selector: {istio: front}, ports: [{name: http, port: 80, targetPort: 8080}]}
`,
  `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: front}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com, closed.example.com]}
  - {port: {number: 80, name: safe, protocol: HTTP}, hosts: [safe.example.com], tls: {httpsRedirect: true}}
`,
  `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec:
  hosts: [shop.example.com, safe.example.com, closed.example.com]
  gateways: [edge/front]
  http:
  - match: [{uri: {prefix: /open/}}]
    rewrite: {uri: /, authority: new.example.com}
    route: [{destination: {host: cart-new, port: {number: 81}}, headers: {request: {set: {x-test: "yes"}}}}]
  - match: [{uri: {prefix: /}}]
    route: [{destination: {host: cart}}]
`,
  `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: edge}
spec:
  action: DENY
  rules: [{to: [{operation: {hosts: [closed.example.com]}}]}]
`,
].join("---\n");

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-explain-"));
  await writeFile(join(folder, "mesh.yaml"), MESH);
  await writeFile(join(folder, "edge.yaml"), EDGE);
});
after(() => rm(folder, { recursive: true }));

interface Told {
  readonly code: number;
  readonly text: string;
}

async function told(run: (print: (line: string) => void) => Promise<number>): Promise<Told> {
  const lines: string[] = [];
  const code = await run((line) => lines.push(line));
  return { code, text: lines.join("\n") };
}

function explain(options: Partial<ExplainOptions>): Promise<Told> {
  const asked = { file: [folder], from: "shop/frontend", to: "shop/cart:80" };
  return told((print) => explainCommand({ ...asked, ...options }, { print, warn: print }));
}

function check(workload: string, options: AuthzCheckOptions): Promise<Told> {
  const asked = { file: [folder], from: "shop/frontend" };
  return told((print) =>
    authzCheckCommand(workload, { ...asked, ...options }, { print, warn: print }),
  );
}

const FOLLOWED: readonly (readonly [
  what: string,
  path: string,
  code: number,
  told: readonly RegExp[],
])[] = [
  [
    "to another service, rewritten, with the header that its policy asks for",
    "/v2/cart",
    0,
    [
      /^ALLOWED {2}GET \/cart$/m,
      /callee +shop\/cart-new-0, .* as port 81 of Service shop\/cart-new$/m,
      /headers +host: new\.example\.com$/m,
      /route +VirtualService shop\/cart \(.*mesh\.yaml:\d+\): \/v2\/\* goes to cart-new\.shop\.svc\.cluster\.local:81/,
      /because +.*new-for-tests/,
    ],
  ],
  [
    "to the same service without that header",
    "/untested/cart",
    2,
    [/^DENIED {2}GET \/cart {2}403/m, /x-test/, /new-for-tests/],
  ],
  [
    "to a subset of itself",
    "/cart",
    0,
    [/^ALLOWED {2}GET \/cart$/m, /callee +shop\/cart-0,/, /subset v1/],
  ],
  [
    "to two subsets, one of them by plaintext",
    "/shared/cart",
    2,
    [
      /^ALLOWED {2}GET \/cart\n[\s\S]*callee +shop\/cart-0,/,
      /90 % of these requests go to cart\.shop\.svc\.cluster\.local:80 subset v1: this one$/m,
      /^DENIED {2}GET \/cart {2}403[\s\S]*callee +shop\/cart-canary-0,/m,
      /10 % of these requests go to .* subset v2: this one\n +transport +plaintext/,
    ],
  ],
  [
    "to nobody: redirected",
    "/old/cart",
    2,
    [
      /^ANSWERED {2}GET \/old\/cart {2}301 to http:\/\/shop\.example\.com\/old\/cart$/m,
      /because +the caller's sidecar answers by its routes/,
    ],
  ],
  ["to nobody: closed by a fault", "/closed", 2, [/^ANSWERED {2}GET \/closed {2}403$/m]],
  [
    "to nobody: no route is for it",
    "/other",
    2,
    [
      /^ANSWERED {2}GET \/other {2}404$/m,
      /route +none of those for cart\.shop\.svc\.cluster\.local is for this request$/m,
    ],
  ],
  [
    "to a destination that is none",
    "/nowhere",
    2,
    [
      /^ANSWERED {2}GET \/nowhere {2}503$/m,
      /because +nobody\.shop.*: there is no such destination/,
    ],
  ],
];
for (const [what, path, code, patterns] of FOLLOWED) {
  test(`with --host the route of the caller's sidecar is followed ${what}`, async () => {
    const answer = await explain({ request: `GET ${path}`, host: "cart" });
    for (const pattern of patterns) assert.match(answer.text, pattern);
    assert.equal(answer.code, code, answer.text);
  });
}

test("a header Host is as good as --host, and a longer name as a short one", async () => {
  const request = "GET /v2/cart";
  const header = await explain({ request, header: ["Host: cart.shop.svc.cluster.local"] });
  assert.match(header.text, /^ALLOWED {2}GET \/cart\n[\s\S]*callee +shop\/cart-new-0/);
});

test("a host of another service changes nothing: a sidecar goes by the address that is called", async () => {
  const { text } = await explain({
    request: "GET /v2/cart",
    host: "nobody.shop.svc.cluster.local",
  });
  assert.match(text, /callee +shop\/cart-new-0/);
});

test("without a host the callee is judged as asked, and it is said what the route does with the request", async () => {
  const { code, text } = await explain({ request: "GET /v2/cart" });
  assert.equal(code, 2);
  assert.match(text, /^DENIED {2}GET \/v2\/cart {2}403/);
  assert.match(text, /callee +shop\/cart-0,/);
  assert.match(text, /route +VirtualService shop\/cart \(.*\): \/v2\/\* goes to cart-new/);
  assert.match(
    text,
    /note +this is what that callee says, .* not followed: --host cart follows it$/m,
  );
  const there = await explain({ request: "GET /cart" });
  assert.doesNotMatch(there.text, /^ {2}route|--host/m, "the route leads just there");
});

test("a caller without a sidecar follows no route", async () => {
  const { text } = await explain({ from: "outside", request: "GET /v2/cart", host: "cart" });
  assert.match(text, /^DENIED {2}GET \/v2\/cart/);
  assert.doesNotMatch(text, /^ {2}route/m);
});

test("as JSON: which route, whether it was followed, and the other answers", async () => {
  const shared = JSON.parse(
    (await explain({ request: "GET /shared/cart", host: "cart", json: true })).text,
  );
  assert.equal(shared.route.followed, true);
  assert.equal(shared.route.ref.name, "cart");
  assert.deepEqual(shared.route.to, {
    host: "cart.shop.svc.cluster.local",
    port: 80,
    subset: "v1",
    percent: 90,
  });
  assert.equal(shared.decision.verdict, "allow");
  assert.equal(shared.also.length, 1);
  assert.equal(shared.also[0].decision.verdict, "deny");
  const old = JSON.parse(
    (await explain({ request: "GET /old/cart", host: "cart", json: true })).text,
  );
  assert.deepEqual(old.route.answered, {
    status: 301,
    location: "http://shop.example.com/old/cart",
  });
  const unfollowed = JSON.parse((await explain({ request: "GET /v2/cart", json: true })).text);
  assert.equal(unfollowed.route.followed, false);
});

const CHECKED: readonly (readonly [path: string, code: number, told: RegExp])[] = [
  [
    "/v2/cart",
    0,
    /^route: VirtualService shop\/cart .*\nshop\/cart-new-0: allowed: ALLOW shop\/new-for-tests/,
  ],
  ["/shared/cart", 2, /^route: .*\nshop\/cart-0: allowed: .*\nshop\/cart-canary-0: denied: /],
  [
    "/old/cart",
    2,
    /\nthe caller's sidecar: answered 301 to http:\/\/shop\.example\.com\/old\/cart: /,
  ],
  ["/nowhere", 2, /\nnobody\.shop.*:1: answered 503: there is no such destination$/],
];
for (const [path, code, pattern] of CHECKED) {
  test(`authz check --host follows it too: ${path}`, async () => {
    const answer = await check("shop/cart:80", { request: `GET ${path}`, host: "cart" });
    assert.match(answer.text, pattern);
    assert.equal(answer.code, code);
  });
}

const AT_THE_EDGE: readonly (readonly [
  what: string,
  path: string,
  host: string,
  code: number,
  told: RegExp,
])[] = [
  [
    "to an application that takes it from the gateway",
    "/open/cart",
    "shop.example.com",
    0,
    /^ALLOWED {2}GET \/open\/cart\n[\s\S]*\nALLOWED {2}GET \/cart\n\n {2}caller +edge\/front-0, with a sidecar\n {2}callee +shop\/cart-new-0/,
  ],
  [
    "to one that does not know the gateway",
    "/cart",
    "shop.example.com",
    2,
    /^ALLOWED [\s\S]*\nDENIED {2}GET \/cart {2}403[\s\S]*headers +host: shop\.example\.com\n +x-forwarded-for: 127\.0\.0\.1\n[\s\S]*principals: expected .*\/sa\/frontend; got .*ns\/edge\/sa\/front/,
  ],
  [
    "to https",
    "/cart",
    "safe.example.com",
    2,
    /\nANSWERED {2}GET \/cart {2}301 to https:\/\/safe\.example\.com\/cart\n[\s\S]*wants TLS for safe\.example\.com/,
  ],
  ["nowhere, where its own policy refuses", "/cart", "closed.example.com", 2, /^DENIED .*403/],
];
for (const [what, path, host, code, pattern] of AT_THE_EDGE) {
  test(`of a gateway the route is followed ${what}`, async () => {
    const asked = { from: "outside", to: "edge/front:80", request: `GET ${path}`, host };
    const { text, ...answer } = await explain(asked);
    assert.match(text, pattern);
    assert.equal(answer.code, code);
    if (host.startsWith("closed")) assert.doesNotMatch(text, /^ {2}route/m);
  });
}

test("authz check tells the gateway's verdict, then that of whom it sends the request to", async () => {
  const asked = { from: "outside", request: "GET /cart", host: "shop.example.com" };
  const { code, text } = await check("edge/front:80", asked);
  assert.match(text, /^allowed: .*\nroute: VirtualService shop\/edge .*\n/);
  assert.match(text, /\nshop\/cart-0: denied: [\s\S]*\nshop\/cart-canary-0: denied: /);
  assert.equal(code, 2);
});

test("without a host a gateway's own answer is told, and that its route is not followed", async () => {
  const { code, text } = await explain({
    ...{ from: "outside", to: "edge/front:80", request: "GET /open/cart" },
  });
  assert.equal(code, 0);
  assert.match(text, /note +this is the gateway's own answer, .*--host shop\.example\.com/);
});
