/** A block of code of one of the two articles: what it says to do, what is asked then, and what that proves. */
import type { ArticleMesh } from "./article-mesh.ts";

/** A command as the article prints it, or, where its block is YAML, what applies that. */
export interface Deed {
  readonly run: string;
  /** As a pattern of both outputs; absent: it must end with exit code 0, whatever it says. */
  readonly fails?: RegExp;
}

/** A command that is asked again until it answers as it must. */
export interface Question {
  readonly ask: string;
  /** Of its standard output. */
  readonly answer?: RegExp;
  /** What it must not say. */
  readonly never?: RegExp;
  /** Of its last part; 0 unless given. */
  readonly code?: readonly number[];
  /** Why it cannot be run here: it is not. */
  readonly marked?: string;
}

/** "closed": no byte is answered, or there is no connection at all. "answered": bytes, over TCP. */
export type Outcome = number | "closed" | "answered";

export interface Call {
  /** `namespace/deployment`. */
  readonly from: string;
  /** URL; of a TCP port too. */
  readonly to: string;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly gives: Outcome;
  /** Of the body. */
  readonly body?: RegExp;
}

/** Breaks what the block brought about, so that its questions and calls must fail. */
export interface Mutation {
  readonly name: string;
  readonly run: string;
  /** Before the deed of this index; absent: after all. */
  readonly before?: number;
}

export interface ArticleBlock {
  readonly article: 0 | 1;
  /** Among the article's blocks of commands and of YAML, from 1. */
  readonly block: number;
  /** In our own words. */
  readonly proves: string;
  /** What has to be there that the block does not bring itself. */
  readonly given?: readonly string[];
  readonly prepare?: (mesh: ArticleMesh) => Promise<void>;
  readonly deeds?: readonly Deed[];
  /** Said before any question: so that there is something to be found in logs. */
  readonly calls?: readonly Call[] | ((mesh: ArticleMesh) => Promise<readonly Call[]>);
  readonly questions?: readonly Question[];
  /** Why it cannot be run where pods share the machine's loopback: it is not. */
  readonly needsNamespaces?: string;
  readonly afterwards?: readonly string[];
  readonly mutations?: readonly Mutation[];
}

/** @returns such as `article 0, block 7` */
export function titleOf({ article, block }: ArticleBlock): string {
  return `article ${article}, block ${block}`;
}

/** What a block of YAML does: one of `examples/seeds`, which are the articles' own. */
export function apply(seed: string): Deed {
  return { run: `kubectl apply -f seeds/${seed}.yaml` };
}

export function remove(seed: string): string {
  return `kubectl delete --ignore-not-found --wait=true -f seeds/${seed}.yaml`;
}

/** Of one field of an Istio resource. */
export function flip(
  kind: string,
  [namespace, name]: readonly [string, string],
  patch: object,
): string {
  return `kubectl patch ${kind} ${name} -n ${namespace} --type merge -p '${JSON.stringify(patch)}'`;
}
