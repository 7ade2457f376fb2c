/** Plain JSON as YAML for people to read. A door to the YAML library, for writing alone. */
import { stringify } from "yaml";

/**
 * @param value of JSON; what is undefined is left out
 * @param style lists stand within what they are of, or, as kubectl and istioctl write them, below its name
 */
export function yamlText(value: object, style: { readonly indentSeq?: boolean } = {}): string {
  // Kubernetes reads YAML 1.1 words such as `on` as booleans: the library puts quotes around what it would.
  return stringify(value, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false, ...style });
}
