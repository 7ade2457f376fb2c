/** What Istio says of the fields of its kinds, as a value. Read when somebody asks. */
import { ISTIO_DESCRIPTIONS_TEXT } from "./istio-descriptions-text.ts";

/** By path of a field, as `spec.mtls.mode`; items of a list and values of a map have the path of their field. */
export type FieldDescriptions = ReadonlyMap<string, string>;

let known: ReadonlyMap<string, FieldDescriptions> | undefined;
const NONE: FieldDescriptions = new Map();

/** Empty for kinds that are not Istio's. */
export function fieldDescriptions({
  group,
  kind,
}: {
  readonly group: string;
  readonly kind: string;
}): FieldDescriptions {
  known ??= new Map(
    ISTIO_DESCRIPTIONS_TEXT.trim()
      .split("\n")
      .map((line): [string, FieldDescriptions] => {
        const [name = "", text = "{}"] = line.split("\t");
        const found: Readonly<Record<string, string>> = JSON.parse(text);
        return [name, new Map(Object.entries(found))];
      }),
  );
  return known.get(`${group}/${kind}`) ?? NONE;
}
