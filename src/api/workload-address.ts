/** What a WorkloadEntry says of one program outside, and an endpoint of a ServiceEntry in the same words. */
import type { Fields } from "./decoder.ts";
import type { Labels } from "./resource.ts";

export interface WorkloadAddress {
  /** An IP address, or the name of a host, as written. */
  readonly address: string;
  /** By the name of a service's port: the number to connect to instead of the service's own. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  /** As whom it proves itself, in the namespace of its resource; absent: as nobody of the mesh. */
  readonly serviceAccount?: string;
}

/** @param fields an endpoint, or `spec` of a WorkloadEntry; schema and webhook have checked it */
export function workloadAddress(fields: Fields): WorkloadAddress {
  const address = fields.text("address") ?? "";
  if (address === "") fields.reportHere("has no address, which only another network could do with");
  if (address.startsWith("unix://")) {
    fields.report("address", "not supported yet: a socket of the file system");
  }
  const serviceAccount = fields.text("serviceAccount") ?? "";
  fields.unused(["locality", "network", "weight"]);
  return {
    address,
    ports: portsOf(fields.section("ports")),
    labels: fields.stringMap("labels"),
    ...(serviceAccount !== "" && { serviceAccount }),
  };
}

function portsOf(ports: Fields): Readonly<Record<string, number>> {
  return Object.fromEntries(
    ports.names().flatMap((name) => {
      const number = ports.integer(name, { min: 1, max: 65_535 });
      return number === undefined ? [] : [[name, number]];
    }),
  );
}
