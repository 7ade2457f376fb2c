/** The schema of each kind of Istio. */
import type { Schema } from "./schema.ts";

/** @returns undefined for a kind that is not Istio's */
export function schemaOfKind(kind: string): Schema | undefined {
  return SCHEMAS.get(kind);
}

const SCHEMAS: ReadonlyMap<string, Schema> = new Map();
