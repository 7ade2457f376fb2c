/** What the rules of istiod's webhook are given, and how they answer: faults as issues, warnings as notices. */
import type { Fields } from "../decoder.ts";
import type { Labels } from "../resource.ts";

export interface WebhookRequest {
  readonly name: string;
  readonly namespace: string;
  readonly annotations: Labels;
  /** The whole document. Its structure is the schema's matter: what is of another type reads as absent. */
  readonly root: Fields;
  readonly spec: Fields;
}

export type Webhook = (request: WebhookRequest) => void;
