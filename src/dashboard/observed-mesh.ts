/** A mesh as the dashboard sees it: asked again when somebody looks, and at most once in so long. */
import type { Clock } from "../runtime/clock.ts";
import { CallCounts, WINDOW_MINUTES } from "./call-counts.ts";
import { EndedPods } from "./ended-pods.ts";
import type { LoggedCall, MeshFacts, MeshSource } from "./mesh-source.ts";
import { RecentDenials } from "./recent-denials.ts";
import { ServiceNames } from "./service-names.ts";
import {
  type DenialsView,
  type GraphView,
  graphView,
  type WorkloadsView,
  workloadsView,
} from "./views.ts";

/** Each look asks every sidecar for its certificate. */
const FRESH_MS = 1_000;

export class ObservedMesh {
  readonly #source: MeshSource;
  readonly #clock: Clock;
  readonly #counts: CallCounts = new CallCounts();
  readonly #ended: EndedPods = new EndedPods();
  readonly #denials: RecentDenials = new RecentDenials();
  #look: { readonly at: number; readonly facts: Promise<MeshFacts> } | undefined;

  constructor(source: MeshSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  async graph(): Promise<GraphView> {
    const facts = await this.#facts();
    return graphView(facts, this.#counts.edges(this.#clock.now()), WINDOW_MINUTES);
  }

  async workloads(): Promise<WorkloadsView> {
    return workloadsView(await this.#facts(), this.#clock.now());
  }

  async denials(): Promise<DenialsView> {
    await this.#facts();
    return { denials: this.#denials.newest() };
  }

  /** Whoever asks while a look is under way, or soon after, is told the same. */
  #facts(): Promise<MeshFacts> {
    const at = this.#clock.now().getTime();
    const age = this.#look === undefined ? FRESH_MS : at - this.#look.at;
    if (this.#look !== undefined && age >= 0 && age < FRESH_MS) return this.#look.facts;
    const before = this.#look?.facts.catch(() => undefined);
    const facts = Promise.resolve(before).then(() => this.#observe());
    this.#look = { at, facts };
    return facts;
  }

  async #observe(): Promise<MeshFacts> {
    const facts = await this.#source.status();
    const now = this.#clock.now();
    const names = new ServiceNames(facts.pods, this.#ended.among(facts.pods, now));
    await this.#source.readLogs((logged) => this.#note(logged, { names, now }));
    return facts;
  }

  #note(
    logged: LoggedCall,
    { names, now }: { readonly names: ServiceNames; readonly now: Date },
  ): void {
    const { entry } = logged;
    const refused = entry.decision?.verdict === "deny";
    const ends = names.endsOf(logged);
    if (ends !== undefined)
      this.#counts.count(ends, { time: new Date(entry.start_time), refused, now });
    if (!refused) return;
    this.#denials.add(this.#source.summaryOf(logged), {
      time: entry.start_time,
      explain: () => this.#source.explanationOf(logged),
    });
  }
}
