/** What users' routes have to do with a call that is asked about, for people and for programs. Pure. */
import { formatLocation, formatRef } from "../api/resource.ts";
import type { LedOutcome, LedRequest, LedTo } from "../policy/led-request.ts";
import type { Question } from "../policy/question.ts";
import { routeSentence } from "../policy/routes/route-sentence.ts";
import type { LabelledRow } from "./transport-in-words.ts";

export interface RouteWords {
  readonly rows: readonly LabelledRow[];
  readonly notes: readonly string[];
  readonly data: object;
}

/** @param leg where the request goes of which the answer is */
export function routeInWords(led: LedRequest, leg?: LedTo): RouteWords {
  const rows: readonly LabelledRow[] = [["route", routeOf(led)], ...legRows(led, leg)];
  return { rows, notes: [], data: { ...asData(led), followed: true, ...(leg && legData(leg)) } };
}

/**
 * Of a call that was judged as its callee gets it, though a route has a say.
 *
 * @returns undefined where the route leads just there
 */
export function unfollowedRoute(
  led: LedRequest,
  { asked, authority }: { readonly asked: Question; readonly authority: string | undefined },
): RouteWords | undefined {
  if (leadsThere(led.outcome, { asked, authority })) return undefined;
  const host = authority ?? led.host;
  const meant = led.by === "gateway" ? "the gateway's own answer" : "what that callee says";
  const note = `this is ${meant}, and the route is not followed: --host ${host} follows it`;
  return {
    rows: [["route", routeOf(led)]],
    notes: [note],
    data: { ...asData(led), followed: false },
  };
}

/** `VirtualService shop/cart (mesh.yaml:12): /v2* goes to cart-v2.shop.svc.cluster.local:80` */
function routeOf({ host, route, httpsRedirect }: LedRequest): string {
  if (httpsRedirect) return `the Gateway wants TLS for ${host} (httpsRedirect)`;
  if (route === undefined) return `none of those for ${host} is for this request`;
  const { ref, source } = route.origin;
  return `${formatRef(ref)} (${formatLocation(source)}): ${routeSentence(route)}`;
}

function legRows({ outcome }: LedRequest, leg: LedTo | undefined): readonly LabelledRow[] {
  if (leg === undefined || outcome.is !== "sent" || outcome.to.length < 2) return [];
  return [["", `${rounded(leg.percent)} % of these requests go to ${targetOf(leg)}: this one`]];
}

/** `cart-v2.shop.svc.cluster.local:80 subset v2` */
export function targetOf({ host, port, subset }: LedTo): string {
  return `${host}:${port}${subset === undefined ? "" : ` subset ${subset}`}`;
}

function rounded(percent: number): number {
  return Math.round(percent * 100) / 100;
}

/** `301 to https://shop.example.com/` */
export function answeredInWords({
  status,
  location,
}: Extract<LedOutcome, { is: "answered" }>): string {
  const words = typeof status === "number" ? String(status) : `grpc-status ${status.grpc}`;
  return location === undefined ? words : `${words} to ${location}`;
}

function asData({ by, host, route, httpsRedirect, outcome }: LedRequest): object {
  return {
    by,
    host,
    ...(httpsRedirect && { httpsRedirect }),
    ...(route && { ...route.origin, ...(route.name !== undefined && { name: route.name }) }),
    ...(route && { does: routeSentence(route) }),
    ...(outcome.is === "answered" && {
      answered: {
        status: outcome.status,
        ...(outcome.location !== undefined && { location: outcome.location }),
      },
    }),
  };
}

function legData({ host, port, subset, percent }: LedTo): object {
  return { to: { host, port, ...(subset !== undefined && { subset }), percent: rounded(percent) } };
}

function leadsThere(
  outcome: LedOutcome,
  { asked, authority }: { readonly asked: Question; readonly authority: string | undefined },
): boolean {
  if (outcome.is === "answered") return false;
  return outcome.to.every(
    ({ unasked, questions }) =>
      unasked === undefined &&
      questions.every(
        ({ to, containerPort, request }) =>
          to.namespace === asked.to.namespace &&
          to.ownerKind === asked.to.ownerKind &&
          to.owner === asked.to.owner &&
          containerPort === asked.containerPort &&
          request?.path === asked.request?.path &&
          request?.headers.get("host") === authority,
      ),
  );
}
