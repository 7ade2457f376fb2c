/**
 * What is asked of single requests, in a real Envoy: tokens, external authorizers, and what is logged of them.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AppliedAuthorizer } from "../../src/policy/applied-authorizers.ts";
import { custom, grpc, http } from "../kit/authorizer-stage.ts";
import { ask, RecordingApplication, say } from "../kit/envoy-callers.ts";
import { bearer, type Changes, ISSUER, issuer, stagesOf, tokenRule } from "../kit/envoy-stage.ts";
import { eventually } from "../kit/eventually.ts";
import { allowing, denying, grpcAuthorizer } from "../kit/grpc-authorizer.ts";
import { sampleAuthorizer } from "../kit/sample-authorizer.ts";
import { destination, policy, type workloadView } from "../kit/sidecar-fixture.ts";
import { tokenIssuer } from "../kit/token-issuer.ts";

let application: RecordingApplication;
before(async () => {
  application = await RecordingApplication.start();
});
after(() => application.close());

const stage = stagesOf(() => application);

test("JWT-1..JWT-75: tokens are verified, policies see their claims, applications what they are to see", async (context) => {
  const tokenRules = [
    tokenRule({
      audiences: ["shop"],
      outputPayloadToHeader: "x-payload",
      outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
    }),
  ];
  const policies = [
    policy("DENY", "nobody", {
      from: [{ notRequestPrincipals: ["*"] }],
      to: [{ paths: ["/users/*"] }],
    }),
    policy("DENY", "guests", {
      to: [{ paths: ["/scoped"] }],
      when: [{ key: "request.auth.claims[scope]", values: [], notValues: ["write"] }],
    }),
  ];
  const { plain } = await stage(context, { tokenRules, policies });
  const good = await issuer.sign({ sub: "ann", aud: "shop", scope: "read write" });
  const past = Math.floor(Date.now() / 1000) - 3_600;
  const expired = await issuer.sign({ sub: "ann", aud: "shop", exp: past });
  const elsewhere = await issuer.sign({ sub: "ann", aud: "bank" });
  const forged = await tokenIssuer(ISSUER).sign({ sub: "ann", aud: "shop" });
  const foreign = await tokenIssuer("https://else.example").sign({ sub: "ann", aud: "shop" });
  const asked: readonly [string, string, readonly string[], number, RegExp?][] = [
    ["no token, no demand", "/", [], 200],
    ["no token (AP)", "/users/1", [], 403],
    ["a good one", "/users/1", [bearer(good)], 200],
    ["in the query", `/users/1?access_token=${good}`, [], 200],
    ["an expired one (JWT-42)", "/", [bearer(expired)], 401, /Jwt is expired/],
    [
      "another audience (JWT-44)",
      "/",
      [bearer(elsewhere)],
      403,
      /Audiences in Jwt are not allowed/,
    ],
    ["a forged one (JWT-45)", "/", [bearer(forged)], 401, /Jwt verification fails/],
    ["another issuer (JWT-40)", "/", [bearer(foreign)], 401, /Jwt issuer is not configured/],
    ["no token to Envoy's eyes (JWT-13)", "/", [`Authorization: bearer ${forged}`], 200],
    ["words of one claim (JWT-65)", "/scoped", [bearer(good)], 200],
    ["no such word", "/scoped", [bearer(await issuer.sign({ aud: "shop", scope: "read" }))], 403],
  ];
  for (const [what, path, fields, status, text] of asked) {
    const answer = await ask(plain, path, fields);
    assert.equal(answer.status, status, what);
    if (text) assert.match(answer.text, text, what);
  }
  application.taken();
  await ask(plain, "/told", [bearer(good), "x-sub: mallory", "X-Payload: forged"]);
  const told = application.taken();
  assert.match(told, /x-sub: ann/i);
  assert.doesNotMatch(told, /mallory|forged|authorization/i);
  await ask(plain, "/untold", ["x-sub: mallory"]);
  assert.doesNotMatch(application.taken(), /mallory/, "JWT-74: nor without a token");
});

test("JWT-22, JWT-74: a preflight needs no token, and says nothing in the name of one", async (context) => {
  const output = [{ header: "x-sub", claim: "sub" }];
  const { plain } = await stage(context, {
    tokenRules: [tokenRule({ presence: "REQUIRED", outputClaimToHeaders: output })],
  });
  assert.equal((await ask(plain, "/")).status, 401, "JWT-9");
  application.taken();
  const preflight = `OPTIONS / HTTP/1.1\r\nHost: api\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\nx-sub: mallory\r\n\r\n`;
  assert.match(await say(plain, preflight), /200 OK/);
  assert.doesNotMatch(application.taken(), /mallory/);
});

test("JWT-83: while keys could not be fetched no token is good", async (context) => {
  const { jwks: _, ...unfetched } = tokenRule();
  const { plain } = await stage(context, { tokenRules: [unfetched] });
  assert.equal((await ask(plain, "/", [bearer(await issuer.sign({ sub: "a" }))])).status, 401);
  assert.equal((await ask(plain, "/")).status, 200);
});

function asking(
  authorizers: readonly AppliedAuthorizer[],
  ports: Readonly<Record<string, number>>,
): { readonly options: Partial<Parameters<typeof workloadView>[0]>; readonly change: Changes } {
  const destinations = Object.entries(ports).map(([name, port]) =>
    destination({
      name,
      port,
      protocol: name.startsWith("http") ? "http" : "http2",
      mutualTls: false,
    }),
  );
  return {
    options: { destinations },
    change: (view) => ({ ...view, inbound: { ...view.inbound, authorizers } }),
  };
}

test("EA-3..EA-32: authorizers over HTTP and gRPC are asked about what their rules match, each for itself", async (context) => {
  const sample = await sampleAuthorizer();
  context.after(() => sample.close());
  const { options, change } = asking(
    [
      grpc("grpc"),
      http("http", {
        requestHeaders: ["x-ext-authz"],
        additionalHeaders: { "x-ext-authz-additional-header-override": "ours" },
        headersToUpstreamOnAllow: [
          "x-ext-authz-check-result",
          "x-ext-authz-additional-header-override",
        ],
        headersToDownstreamOnDeny: ["x-ext-authz-check-result"],
      }),
      { name: "nobody", kind: "unusable", problem: "it is not defined" },
    ],
    { grpc: sample.ports.grpc, http: sample.ports.http },
  );
  const policies = [
    custom("grpc", {}, { to: [{ paths: ["/grpc/*", "/both/*"] }] }),
    custom("http", {}, { to: [{ paths: ["/http/*", "/both/*"] }] }),
    custom("nobody", {}, { to: [{ paths: ["/bad/*"] }] }),
    policy("DENY", "never", { to: [{ paths: ["/grpc/never"] }] }),
  ];
  const { plain } = await stage(context, { ...options, policies }, change);
  const ALLOW = ["x-ext-authz: allow"];
  const DENY = ["x-ext-authz: deny"];
  const asked: readonly [string, string, readonly string[], number][] = [
    ["whom nobody is asked about", "/free", DENY, 200],
    ["by gRPC", "/grpc/a", ALLOW, 200],
    ["refused by gRPC", "/grpc/a", DENY, 403],
    ["by HTTP", "/http/a", ALLOW, 200],
    ["refused by HTTP", "/http/a", DENY, 403],
    ["by both", "/both/a", ALLOW, 200],
    ["refused by both", "/both/a", DENY, 403],
    ["AP-120: nobody to ask", "/bad/a", ALLOW, 403],
    ["AP-126: allowed, and denied all the same", "/grpc/never", ALLOW, 403],
  ];
  for (const [what, path, fields, status] of asked)
    assert.equal((await ask(plain, path, fields)).status, status, what);
  application.taken();
  await ask(plain, "/http/told", [...ALLOW, "x-ext-authz-check-result: forged"]);
  const told = application.taken();
  assert.match(told, /x-ext-authz-check-result: allowed/i, "EA-13");
  assert.match(told, /x-ext-authz-additional-header-override: ours/i, "EA-12");
  assert.doesNotMatch(told, /forged/);
  const denial = await ask(plain, "/http/told", DENY);
  assert.match(denial.text, /x-ext-authz-check-result: denied/i, "EA-14");
});

test("a header that comes twice, or holds a list, triggers the question as in our own sidecars", async (context) => {
  const authorizer = await grpcAuthorizer(context, denying());
  const { options, change } = asking([grpc("grpc")], { grpc: authorizer.port });
  const when = [{ key: "request.headers[x-role]", values: ["admin"], notValues: [] }];
  const policies = [custom("grpc", {}, { when })];
  const { plain } = await stage(context, { ...options, policies }, change);
  const asked: readonly [readonly string[], number][] = [
    [["x-role: user"], 200],
    [["x-role: admin"], 403],
    [["x-role: user", "x-role: admin"], 403],
    [["x-role: user,admin"], 403],
  ];
  for (const [fields, status] of asked)
    assert.equal((await ask(plain, "/", fields)).status, status, fields.join("; "));
});

test("methods that nobody knows are judged, and go on", async (context) => {
  const policies = [policy("DENY", "x", { to: [{ methods: ["PURGE-ALL"] }] })];
  const { plain } = await stage(context, { policies });
  const asked: readonly [string, string, number][] = [
    ["M-SEARCH", "/", 200],
    ["PURGE-ALL", "/", 403],
  ];
  for (const [method, path, status] of asked) {
    const answer = await say(plain, `${method} ${path} HTTP/1.1\r\nHost: api\r\n\r\n`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status}`), method);
  }
});

test("EA-4, EA-5, EA-7, EA-26: an authorizer that does not answer, and a body that is too long", async (context) => {
  const closed = await grpcAuthorizer(context);
  closed.stop();
  const open = await grpcAuthorizer(context, allowing());
  const body = { maxBytes: 4, allowPartial: false, packAsBytes: false };
  const { options, change } = asking(
    [
      grpc("closed", { statusOnError: 503 }),
      grpc("lenient", { failOpen: true }),
      grpc("open", { requestBody: body, failOpen: true }),
    ],
    { closed: closed.port, lenient: closed.port, open: open.port },
  );
  const policies = ["closed", "lenient", "open"].map((name) =>
    custom(name, {}, { to: [{ paths: [`/${name}`] }] }),
  );
  const { plain } = await stage(context, { ...options, policies }, change);
  assert.equal((await ask(plain, "/closed")).status, 503);
  assert.equal((await ask(plain, "/lenient")).status, 200);
  const post = (text: string): string =>
    `POST /open HTTP/1.1\r\nHost: api\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  assert.match(await say(plain, post("four")), /^HTTP\/1\.1 200/);
  assert.equal(open.questions.at(-1)?.request?.http?.body, "four");
  assert.match(await say(plain, post("fiver")), /^HTTP\/1\.1 413/, "QK-75");
});

test("AP-62, EA-25: an authorizer is asked about connections, and refuses them", async (context) => {
  const authorizer = await grpcAuthorizer(context, ({ source }) =>
    source.principal.endsWith("/frontend") ? allowing() : denying(),
  );
  const { options, change } = asking([grpc("grpc")], { grpc: authorizer.port });
  const policies = [custom("grpc", {}, { to: [{ paths: ["/only/http"] }] })];
  const { frontend: friend, other: stranger } = await stage(
    context,
    { ...options, policies },
    change,
    "tcp",
  );
  assert.equal((await ask(stranger, "/")).status, 0);
  assert.equal((await ask(friend, "/")).status, 200);
});

test("OBS-1, OBS-12: lines of users' access logs, with filters", async (context) => {
  const format = {
    encoding: "JSON",
    template: '{"path":"%REQ(:PATH)%","code":"%RESPONSE_CODE%","why":"%RESPONSE_CODE_DETAILS%"}',
  } as const;
  const tree = { is: "constant", type: "bool", text: "true" } as const; // Envoy reads the expression
  const filter = { expression: "response.code >= 400", tree };
  const inbound = [{ provider: "envoy", path: "/dev/stdout", format, filter }];
  const policies = [policy("DENY", "x", { to: [{ paths: ["/no"] }] })];
  const { plain, envoy } = await stage(context, { policies }, (view) => ({
    ...view,
    telemetry: { inbound, outbound: [] },
  }));
  await ask(plain, "/yes");
  await ask(plain, "/no");
  const line = await eventually("a line", () => envoy.lines.find((one) => one.startsWith("{")));
  const { path, code, why } = JSON.parse(line);
  assert.equal(`${path} ${code}`, "/no 403");
  assert.match(why, /^rbac_access_denied_matched_policy\[/, "AP-131");
});
