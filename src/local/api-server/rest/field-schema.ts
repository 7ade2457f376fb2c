/** Which fields an object of a kind may have, as far as that is known. */
import type { ServedKind } from "../kinds/served-kind.ts";

export interface FieldSchema {
  /** Absent: whatever the user likes. */
  readonly fields?: Readonly<Record<string, FieldSchema>>;
  /** Of a map's values. */
  readonly value?: FieldSchema;
  /** Of a list's items. */
  readonly item?: FieldSchema;
}

/** @returns undefined where nothing is known */
export function fieldSchemaOf(_kind: ServedKind): FieldSchema | undefined {
  return undefined;
}
