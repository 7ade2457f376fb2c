/**
 * Reads a view as it came over the wire. Strict: a field that is missing, of another shape or unknown refuses the
 * whole view, because a rule half understood is a rule not enforced.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  AUTHORIZATION_ACTIONS,
  OPERATION_FIELDS,
  SOURCE_FIELDS,
} from "../api/authorization-policy.ts";
import { PATH_NORMALIZATIONS } from "../api/mesh-settings.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { WORKLOAD_VIEW_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { PackedView } from "../wire/workload-view-resource.ts";

/** A view whose shape is not the one this sidecar knows; the last good one stays. */
export class InvalidWorkloadViewError extends HauberkError {
  readonly code = "HAUBERK_INVALID_WORKLOAD_VIEW";
}

/** @throws InvalidWorkloadViewError naming the first field that is wrong */
export function decodeWorkloadView({ format, json }: PackedView): WorkloadView {
  if (format !== WORKLOAD_VIEW_FORMAT)
    throw new InvalidWorkloadViewError(
      `the view has format ${format}; only ${WORKLOAD_VIEW_FORMAT} is understood`,
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new InvalidWorkloadViewError("the view is not JSON", { cause });
  }
  return workloadView(value, "view");
}

type Decoder<T> = (value: unknown, path: string) => T;
type Fields = Readonly<Record<string, Decoder<unknown>>>;
type Decoded<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]> };
type PerhapsDecoded<F extends Fields> = { readonly [K in keyof F]?: ReturnType<F[K]> };

const text: Decoder<string> = (value, path) => {
  if (typeof value !== "string") throw unexpected(path, "a text");
  return value;
};

const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw unexpected(path, "true or false");
  return value;
};

/** Of a field that is either there or not. */
const trueOnly: Decoder<true> = (value, path) => {
  if (value !== true) throw unexpected(path, "true");
  return value;
};

function integer(min: number, max: number): Decoder<number> {
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max)
      return value;
    throw unexpected(path, `an integer from ${min} to ${max}`);
  };
}

function choice<const C extends readonly string[]>(choices: C): Decoder<C[number]> {
  return (value, path) => {
    const chosen = choices.find((candidate) => candidate === value);
    if (chosen === undefined) throw unexpected(path, `one of ${choices.join(", ")}`);
    return chosen;
  };
}

function list<T>(element: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw unexpected(path, "a list");
    return value.map((one: unknown, index) => element(one, `${path}[${index}]`));
  };
}

/** Turns whatever a parser throws into a refusal of the view. */
function parsed<T>(parse: (value: string) => T, expected: string): Decoder<T> {
  return (value, path) => {
    try {
      return parse(text(value, path));
    } catch (cause) {
      throw unexpected(path, expected, { cause });
    }
  };
}

function mapOfTexts(value: unknown, path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(section(value, path)).map(([key, one]) => [key, text(one, `${path}.${key}`)]),
  );
}

function object<R extends Fields>(required: R): Decoder<Decoded<R>> {
  return (value, path) => {
    const given = section(value, path);
    refuseUnknown(given, { known: Object.keys(required), path });
    return decodeFields(required, { given, path });
  };
}

function objectWith<R extends Fields, O extends Fields>(
  required: R,
  optional: O,
): Decoder<Decoded<R> & PerhapsDecoded<O>> {
  return (value, path) => {
    const given = section(value, path);
    refuseUnknown(given, { known: [...Object.keys(required), ...Object.keys(optional)], path });
    return {
      ...decodeFields(required, { given, path }),
      ...decodePresent(optional, { given, path }),
    };
  };
}

function decodeFields<F extends Fields>(fields: F, { given, path }: Place): Decoded<F> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, decode]) => [name, decode(given[name], `${path}.${name}`)]),
  ) as Decoded<F>;
}

function decodePresent<F extends Fields>(fields: F, at: Place): PerhapsDecoded<F> {
  const present = Object.entries(fields).filter(([name]) => at.given[name] !== undefined);
  return decodeFields(Object.fromEntries(present), at) as PerhapsDecoded<F>;
}

/** Lists of texts by field name, each of which may be absent. */
function textsByField<const N extends readonly string[]>(
  names: N,
): Decoder<{ readonly [name in N[number]]?: readonly string[] }> {
  const texts = list(text);
  return (value, path) => {
    const given = section(value, path);
    refuseUnknown(given, { known: names, path });
    const present = Object.fromEntries(Object.keys(given).map((name) => [name, texts]));
    return decodeFields(present, { given, path }) as { [name in N[number]]?: readonly string[] };
  };
}

type Given = Readonly<Record<string, unknown>>;

interface Place {
  readonly given: Given;
  readonly path: string;
}

function section(value: unknown, path: string): Given {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw unexpected(path, "an object");
  return { ...value };
}

function refuseUnknown(
  given: Given,
  { known, path }: { readonly known: readonly string[]; readonly path: string },
): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InvalidWorkloadViewError(`${path}.${unknown} is not a known field`);
}

function unexpected(
  path: string,
  expected: string,
  options?: ErrorOptions,
): InvalidWorkloadViewError {
  return new InvalidWorkloadViewError(`${path} is not ${expected}`, options);
}

function certificate(pem: string): string {
  if (!new X509Certificate(pem).ca) throw new InvalidWorkloadViewError("it is no CA's certificate");
  return pem;
}

function ipAddress(value: string): string {
  if (isIP(value) === 0) throw new InvalidWorkloadViewError("it is no IP address");
  return value;
}

const portNumber = integer(1, 65_535);
const protocol = choice(["http", "tcp", "auto"]);
const identity = parsed(parseSpiffeId, "a SPIFFE ID");
const ipText = parsed(ipAddress, "an IP address");
const address = object({ address: ipText, port: portNumber });
const reference = object({ kind: text, namespace: text, name: text });
const location = object({ file: text, line: integer(0, Number.MAX_SAFE_INTEGER) });
const originOfResource = object({ ref: reference, source: location });

const mutualTls = object({
  mode: choice(["DISABLE", "PERMISSIVE", "STRICT"]),
  origin: (value: unknown, path: string) =>
    value === "default" ? ("default" as const) : originOfResource(value, path),
});

const policy = objectWith(
  {
    ref: reference,
    source: location,
    action: choice(AUTHORIZATION_ACTIONS),
    rules: list(
      object({
        line: integer(0, Number.MAX_SAFE_INTEGER),
        from: list(textsByField(SOURCE_FIELDS)),
        to: list(textsByField(OPERATION_FIELDS)),
        when: list(object({ key: text, values: list(text), notValues: list(text) })),
      }),
    ),
  },
  { provider: text, dryRun: trueOnly },
);

const refusal = object({ direction: choice(["egress", "ingress"]), policies: list(reference) });

const endpoint = objectWith(
  { workload: text, address, mutualTls: flag },
  { podAddresses: list(ipText), hostname: text, refusedBy: refusal },
);

const destination = objectWith(
  {
    serviceNamespace: text,
    serviceName: text,
    host: text,
    servicePort: portNumber,
    protocol,
    identities: list(identity),
    serverName: text,
    endpoints: list(endpoint),
  },
  {
    listen: address,
    addresses: list(ipText),
    headless: trueOnly,
    clientTls: object({ mode: choice(["DISABLE", "ISTIO_MUTUAL"]), origin: originOfResource }),
  },
);

const inboundPort = objectWith(
  { containerPort: portNumber, protocol, mutualTls, listen: address, application: address },
  { admission: object({ policies: list(reference), identities: list(identity), anyone: flag }) },
);

const interception = object({
  undeclaredPorts: object({
    mutualTls,
    ports: list(object({ containerPort: portNumber, mutualTls })),
  }),
  unknownDestinations: choice(["ALLOW_ANY", "REGISTRY_ONLY"]),
});

const workloadView: Decoder<WorkloadView> = objectWith(
  {
    workload: object({
      namespace: text,
      name: text,
      owner: text,
      labels: mapOfTexts,
      serviceAccount: text,
      identity,
    }),
    trust: objectWith(
      {
        trustDomain: text,
        trustDomainAliases: list(text),
        rootsPem: list(parsed(certificate, "a root certificate")),
        minimumTlsVersion: choice(["TLSv1.2", "TLSv1.3"]),
      },
      { taintedAuthorities: list(text), crlsPem: list(text) },
    ),
    inbound: object({
      ports: list(inboundPort),
      authorization: object({
        custom: list(policy),
        audit: list(policy),
        deny: list(policy),
        allow: list(policy),
      }),
      pathNormalization: choice(PATH_NORMALIZATIONS),
    }),
    outbound: objectWith({ destinations: list(destination) }, { httpProxy: address }),
  },
  { interception },
);
