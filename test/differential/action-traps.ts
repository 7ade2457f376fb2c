/** Sets written by hand in which policies of all four actions apply, some of them on trial: who is asked, and what counts. */
import { CHECKED } from "./authorizers.ts";
import type { WireRequest } from "./question.ts";
import { ALL, as, calls, NOBODY, PLAINTEXT, type Trap, tcpCalls } from "./trap.ts";

type Sent = Partial<WireRequest>;

const sends = (...headers: WireRequest["headers"]): Sent => ({ headers });
const TOKEN = { iss: "iss", sub: "a" };
const CHECKS = [{}, sends([CHECKED, "allow"]), sends([CHECKED, "deny"])];

export const ACTION_TRAPS: readonly Trap[] = [
  // All actions together: whoever is asked is asked first, AUDIT and trials change nothing.
  ...(["opa", "opa-2", "nobody"] as const).flatMap((provider) => [
    {
      policies: { custom: { [provider]: [{ to: [{ paths: ["/c*"] }] }] } },
      calls: [
        ...calls(
          [as("a"), as("b"), PLAINTEXT],
          ...CHECKS,
          ...CHECKS.map((sent) => ({ ...sent, path: "/c" })),
        ),
        ...tcpCalls(as("a"), PLAINTEXT),
      ],
    },
    {
      policies: {
        custom: { [provider]: [ALL] },
        audit: [ALL],
        deny: [{ to: [{ methods: ["POST"] }] }],
        allow: [{ from: [{ principals: ["cluster.local/ns/default/sa/a"] }] }],
      },
      calls: [
        ...calls(
          [as("a"), as("b"), NOBODY],
          ...CHECKS,
          ...CHECKS.map((sent) => ({ ...sent, method: "POST" })),
        ),
        ...tcpCalls(as("a"), as("b"), PLAINTEXT),
      ],
    },
  ]),
  {
    policies: {
      custom: { opa: [{ to: [{ ports: ["8080"] }] }], "opa-2": [{ to: [{ ports: ["8443"] }] }] },
    },
    frame: { tokens: "verified" },
    calls: [
      ...calls([as("a"), as("b")], ...CHECKS, {
        ...CHECKS[1],
        token: { payload: TOKEN, flaw: "forged" },
      }),
      ...tcpCalls(as("a"), as("b")),
    ],
  },
  { policies: { audit: [ALL] }, calls: [...calls([as("a")], {}), ...tcpCalls(as("a"))] },
  { policies: { trial: [ALL] }, calls: [...calls([as("a")], {}), ...tcpCalls(as("a"))] },
  {
    policies: { trial: [ALL], allow: [{ to: [{ methods: ["GET"] }] }] },
    calls: calls([as("a")], {}, { method: "POST" }),
  },
];
