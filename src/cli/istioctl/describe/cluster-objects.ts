/** The objects of a cluster that `x describe` reads, as the Kubernetes API tells them: what is read of each kind. */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface PodObject {
  readonly metadata: ObjectMeta;
  readonly spec?: {
    readonly containers?: readonly PodContainer[];
    readonly initContainers?: readonly PodContainer[];
    readonly securityContext?: { readonly runAsUser?: number };
  };
  readonly status?: {
    readonly phase?: string;
    readonly hostIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface PodContainer {
  readonly name: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
  readonly securityContext?: { readonly runAsUser?: number };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
}

export interface ServiceObject {
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly selector?: Labels; readonly ports?: readonly ServicePortObject[] };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
  };
}

export interface ServicePortObject {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
}

export interface DestinationRuleObject {
  readonly metadata: ObjectMeta;
  readonly spec?: {
    readonly host?: string;
    readonly subsets?: readonly { readonly name?: string; readonly labels?: Labels }[];
    readonly trafficPolicy?: TrafficPolicyPart & {
      readonly portLevelSettings?: readonly (TrafficPolicyPart & {
        readonly port?: { readonly number?: number };
      })[];
    };
  };
}

export interface TrafficPolicyPart {
  readonly tls?: { readonly mode?: string };
  readonly loadBalancer?: object;
  readonly connectionPool?: object;
  readonly outlierDetection?: object;
}

export interface VirtualServiceObject {
  readonly metadata: ObjectMeta;
  readonly spec?: {
    readonly gateways?: readonly string[];
    readonly http?: readonly HttpRouteObject[];
    readonly tls?: readonly object[];
    readonly tcp?: readonly {
      readonly match?: readonly object[];
      readonly route?: readonly RouteTarget[];
    }[];
  };
}

export interface HttpRouteObject {
  readonly match?: readonly HttpMatchObject[];
  readonly route?: readonly RouteTarget[];
  readonly fault?: object;
}

export interface HttpMatchObject {
  readonly uri?: StringMatchObject;
  readonly ignoreUriCase?: boolean;
  readonly headers?: Readonly<Record<string, StringMatchObject>>;
}

export interface StringMatchObject {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}

export interface RouteTarget {
  readonly destination?: { readonly host?: string; readonly subset?: string };
  readonly weight?: number;
}

export interface GatewayObject {
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly selector?: Labels };
}

export interface PeerAuthenticationObject {
  readonly metadata: ObjectMeta & { readonly creationTimestamp?: string };
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Labels };
    readonly mtls?: { readonly mode?: string };
    readonly portLevelMtls?: Readonly<Record<string, { readonly mode?: string }>>;
  };
}

export interface ConfigMapObject {
  readonly metadata: ObjectMeta;
  readonly data?: Labels;
}

/** By the names of their collections. */
export interface ObjectOf {
  readonly pods: PodObject;
  readonly services: ServiceObject;
  readonly configmaps: ConfigMapObject;
  readonly destinationrules: DestinationRuleObject;
  readonly virtualservices: VirtualServiceObject;
  readonly gateways: GatewayObject;
  readonly peerauthentications: PeerAuthenticationObject;
}

export type Collection = keyof ObjectOf;

/** All objects of each collection; whoever describes looks for what it needs. */
export type ClusterObjects = { readonly [name in Collection]: readonly ObjectOf[name][] };

export function findObject<Kind extends { readonly metadata: ObjectMeta }>(
  objects: readonly Kind[],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Kind | undefined {
  return objects.find(
    ({ metadata }) => metadata.name === name && namespaceOf(metadata) === namespace,
  );
}

export function namespaceOf({ namespace }: ObjectMeta): string {
  return namespace ?? "default";
}

/** An empty selector fits all. */
export function hasLabels(labels: Labels = {}, selector: Labels = {}): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
