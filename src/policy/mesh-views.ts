/**
 * The views of all workloads as the mesh changes: what a change does not concern stays the same object, from whole views down to
 * single destinations, and is not made anew where that can be told beforehand.
 */
import { CALLEE_FIELDS, type Callers, compileCallers, viewsOf } from "./build-workload-view.ts";
import { keepAuthorization } from "./keep-authorization.ts";
import { keepEqual, keepEqualByKey } from "./keep-equal.ts";
import { keepSnapshot } from "./keep-snapshot.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type {
  Destination,
  DestinationSubset,
  EffectiveAuthorization,
  Inbound,
  Outbound,
  WorkloadView,
} from "./workload-view.ts";

interface Known {
  readonly snapshot: MeshSnapshot;
  readonly callers: Callers;
  readonly views: ReadonlyMap<string, WorkloadView>;
}

export class MeshViews {
  #known: Known | undefined;

  /** @returns as `buildWorkloadViews` does: the same map where nothing has changed */
  build(next: MeshSnapshot): ReadonlyMap<string, WorkloadView> {
    const before = this.#known;
    const snapshot = before === undefined ? next : keepSnapshot(before.snapshot, next);
    const callers =
      before !== undefined && callLikeBefore(before.snapshot, snapshot)
        ? before.callers
        : compileCallers(snapshot);
    const built = viewsOf(snapshot, callers);
    const views = before === undefined ? built : keepViews(before.views, built);
    this.#known = { snapshot, callers, views };
    return views;
  }
}

function callLikeBefore(before: MeshSnapshot, next: MeshSnapshot): boolean {
  const fields = Object.keys({ ...before, ...next }) as (keyof MeshSnapshot)[];
  return fields.every((field) => CALLEE_FIELDS.has(field) || before[field] === next[field]);
}

function keepViews(
  before: ReadonlyMap<string, WorkloadView>,
  next: ReadonlyMap<string, WorkloadView>,
): ReadonlyMap<string, WorkloadView> {
  const keeping = {
    outbound: keepingOutbounds(),
    authorization: once(keepAuthorization),
    small: once(keepEqual<object>),
  };
  const kept = new Map<string, WorkloadView>();
  let isSame = before.size === next.size;
  for (const [name, view] of next) {
    const old = before.get(name);
    const own = old === undefined ? view : keepView(old, view, keeping);
    kept.set(name, own);
    if (own !== old) isSame = false;
  }
  return isSame ? before : kept;
}

type KeepOutbound = (before: Outbound, next: Outbound) => Outbound;

/** What many views share is compared once, and shared afterwards, too. */
interface Keeping {
  readonly outbound: KeepOutbound;
  readonly authorization: (
    before: EffectiveAuthorization,
    next: EffectiveAuthorization,
  ) => EffectiveAuthorization;
  readonly small: <Part extends object>(before: Part, next: Part) => Part;
}

function keepView(before: WorkloadView, next: WorkloadView, keeping: Keeping): WorkloadView {
  const { trust, outbound, inbound, interception, telemetry, ...own } = next;
  const kept: WorkloadView = {
    ...next, // in its order, by which versions are made
    ...keepEach(before, own),
    trust: keeping.small(before.trust, trust),
    inbound: keepInbound(before.inbound, inbound, keeping),
    outbound: keeping.outbound(before.outbound, outbound),
    ...(interception && { interception: keepPart(before.interception, interception, keeping) }),
    ...(telemetry && { telemetry: keepPart(before.telemetry, telemetry, keeping) }),
  };
  return haveSameFields(before, kept) ? before : kept;
}

function keepInbound(before: Inbound, next: Inbound, keeping: Keeping): Inbound {
  const { authorization, ...own } = next;
  const kept: Inbound = {
    ...next, // in its order, by which versions are made
    ...keepEach(before, own),
    authorization: keeping.authorization(before.authorization, authorization),
  };
  return haveSameFields(before, kept) ? before : kept;
}

/** What is each view's own. */
function keepEach<Own extends object>(before: Own, own: Own): Own {
  const fields = Object.entries(own).map(([field, value]) => [
    field,
    keepEqual(before[field as keyof Own], value),
  ]);
  return Object.fromEntries(fields) as Own;
}

function keepPart<Part extends object>(
  before: Part | undefined,
  next: Part,
  { small }: Keeping,
): Part {
  return before === undefined ? next : small(before, next);
}

/** By identity: what is shared was compared already, and comparing it for each view anew would be most of the work. */
function haveSameFields<Part extends object>(one: Part, other: Part): boolean {
  const fields = Object.keys(other) as (keyof Part)[];
  return (
    Object.keys(one).length === fields.length &&
    fields.every((field) => one[field] === other[field])
  );
}

/** Of many views that share an outbound, or destinations, each is compared once. */
function keepingOutbounds(): KeepOutbound {
  const keptDestination = once((old: Destination, one: Destination) => keepEqual(old, one));
  const keepList = once<readonly Destination[]>((before, next) =>
    keepEqualByKey(before, next, { keyOf, keep: keptDestination }),
  );
  return once((before: Outbound, next: Outbound) =>
    keepEqual(before, {
      ...next,
      destinations: keepList(before.destinations, next.destinations),
      ...(next.subsets && { subsets: keepList(before.subsets ?? [], next.subsets) }),
    }),
  );
}

function once<T extends object>(
  keep: (before: T, next: T) => T,
): <Own extends T>(before: Own, next: Own) => Own {
  const known = new Map<T, { readonly before: T; readonly kept: T }>();
  return <Own extends T>(before: Own, next: Own): Own => {
    if (before === next) return next;
    const found = known.get(next);
    if (found?.before === before) return found.kept as Own;
    const kept = keep(before, next);
    if (found === undefined) known.set(next, { before, kept });
    // What was another before is shared from now on.
    return (found === undefined || kept === before ? kept : found.kept) as Own;
  };
}

function keyOf({
  host,
  servicePort,
  subset = "",
}: Destination & Partial<DestinationSubset>): string {
  return `${host} ${servicePort} ${subset}`;
}
