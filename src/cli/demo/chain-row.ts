/** One request from outside through every layer: its id is found in the log of each sidecar that it passes. */
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { type Actor, type Callee, identityOf } from "./actor.ts";
import { compareDecision, differs } from "./decision-expectation.ts";
import { httpOrder } from "./http-row.ts";
import type { Row } from "./row.ts";

interface Chain {
  readonly visitor: Actor;
  /** In the order in which the request passes them; each calls the next. */
  readonly layers: readonly [Callee, ...Callee[]];
  readonly request: string;
  /** What only the last of all, behind the layers, knows. */
  readonly answer: string;
  readonly expected: string;
}

export function chainRow({ visitor, layers, request, answer, expected }: Chain): Row {
  const [first] = layers;
  const names = layers.map(({ owner }) => owner);
  return {
    caller: visitor.owner,
    callee: `${first.owner}:${first.port}`,
    request: `${request}, through all layers`,
    expected,
    async play(stage) {
      const order = httpOrder({ caller: visitor, callee: first, request }, stage);
      const outcome = await stage.order(visitor, order);
      const entries = await Promise.all(
        layers.map((layer) =>
          stage.accessEntry(
            layer,
            ({ request_id, reporter }) =>
              request_id === order.requestId && reporter === "destination",
          ),
        ),
      );
      const found = entries.filter((entry) => entry !== undefined).length;
      const surprises = [
        ...differs("status at the visitor", outcome.status, 200),
        ...differs("the answer is the last layer's", outcome.body?.includes(answer), true),
        ...layers.flatMap((layer, index) => {
          const caller = layers[index - 1] ?? visitor;
          return surprisesAt(layer, { caller, entry: entries[index] });
        }),
      ];
      return {
        verdict: `${outcome.status === 200 ? "allowed" : "refused"} ${outcome.status ?? ""}`.trim(),
        because: `request ${order.requestId.slice(0, 8)}… is in ${found} logs: ${names.join(", ")}`,
        identities: [visitor, ...layers]
          .map(({ serviceAccount }) => serviceAccount ?? "nobody")
          .join(" -> "),
        surprises,
      };
    },
  };
}

function surprisesAt(
  layer: Callee,
  { caller, entry }: { readonly caller: Actor; readonly entry: AccessLogEntry | undefined },
): string[] {
  if (entry === undefined) return [`no log line of ${layer.owner}'s sidecar is about this call`];
  return [
    ...compareDecision(entry.decision, { because: "matched-allow" }),
    ...differs(`who called ${layer.owner}`, entry.source_principal, identityOf(caller)),
  ].map((surprise) => `${layer.owner}: ${surprise}`);
}
