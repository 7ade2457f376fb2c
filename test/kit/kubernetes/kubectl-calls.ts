/** Command lines of kubectl, in order: what is played to a real kube-apiserver, and then to ours. */

export interface KubectlCall {
  readonly args: string;
  /** What `-f -` reads. */
  readonly input?: unknown;
  /** Of `kubectl edit`: a program of sed. */
  readonly edit?: string;
  /** Of a watch of something: calls made once it has told what is there. It ends when it has told so many lines. */
  readonly meanwhile?: readonly KubectlCall[];
  readonly lines?: number;
}

export const CALLS_NAMESPACE = "calls";

const configMap = (name: string, data: Record<string, string>, labels = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
  data,
});

const deployment = (image: string, replicas = 2) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", labels: { app: "web" } },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "app", image, ports: [{ containerPort: 80 }] }] },
    },
  },
});

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
};

const peerAuthentication = (mode: string) => ({
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name: "strict" },
  spec: { mtls: { mode } },
});

const list = (...items: readonly unknown[]) => ({ apiVersion: "v1", kind: "List", items });

const first = configMap("one", { a: "1" }, { app: "x" });
const second = configMap("one", { a: "2" }, { app: "x" });

export const KUBECTL_CALLS: readonly KubectlCall[] = [
  { args: "create namespace calls" },
  { args: "create namespace calls" },
  { args: "get namespace calls -o yaml --show-managed-fields" },
  { args: "apply -f -", input: first },
  { args: "apply -f -", input: first },
  { args: "diff -f -", input: second },
  { args: "diff -f -", input: first },
  { args: "apply -f - --dry-run=client", input: second },
  { args: "apply -f - --dry-run=server", input: second },
  { args: "get configmap one -o jsonpath={.data.a}" },
  { args: "apply -f -", input: second },
  { args: "get configmap one -o yaml --show-managed-fields" },
  { args: "apply -f - --server-side", input: configMap("one", { a: "3", b: "1" }) },
  { args: "apply -f - --server-side --field-manager=other", input: configMap("one", { a: "4" }) },
  {
    args: "apply -f - --server-side --field-manager=other --force-conflicts",
    input: configMap("one", { a: "4" }),
  },
  { args: "apply -f - --server-side --dry-run=server", input: configMap("new", { a: "4" }) },
  { args: "diff -f - --server-side", input: configMap("one", { b: "2" }) },
  { args: "get configmap one -o yaml --show-managed-fields" },
  { args: "apply -f -", input: list(deployment("shop:1"), service, peerAuthentication("STRICT")) },
  { args: "apply -f -", input: list(deployment("shop:2"), service, peerAuthentication("STRICT")) },
  { args: "get deployment,service,peerauthentication,configmap" },
  { args: "get deployment,service,peerauthentication -o wide" },
  { args: "get deployment web -o yaml --show-managed-fields" },
  { args: "get service web -o yaml" },
  { args: "get all" },
  { args: "get istio-io -A --field-selector metadata.namespace=calls" },
  { args: "get configmap -l app=x" },
  { args: "get configmap -l app!=x -o name" },
  { args: "get configmap -l app=x,a -o name" },
  { args: "get configmap --field-selector metadata.name=one -o name" },
  { args: "get configmap --field-selector data.a=1" },
  { args: "get configmap none" },
  { args: "get nonsense" },
  { args: "get configmap one --output=custom-columns=NAME:.metadata.name,A:.data.a" },
  { args: "get configmap --sort-by=.metadata.name -o name" },
  { args: "get configmap one --show-labels" },
  { args: "get configmap --chunk-size=1 -o name" },
  { args: "get --raw /api/v1/namespaces/calls/configmaps/none" },
  { args: "label configmap one tier=front" },
  { args: "label configmap one tier=front" },
  { args: "label configmap one tier=back" },
  { args: "label configmap one tier=back --overwrite" },
  { args: "label configmap one tier-" },
  { args: "label configmap one bad=a/b" },
  { args: "annotate configmap one note=hello" },
  { args: "annotate configmap one note-" },
  { args: 'patch configmap one -p {"data":{"z":"9"}}' },
  { args: 'patch configmap one -p {"data":{"z":"9"}}' },
  { args: 'patch configmap one --type=merge -p {"data":{"z":null}}' },
  { args: 'patch configmap one --type=json -p [{"op":"add","path":"/data/q","value":"1"}]' },
  { args: 'patch configmap one --type=json -p [{"op":"test","path":"/data/q","value":"2"}]' },
  { args: 'patch configmap one --type=json -p [{"op":"remove","path":"/data/nothing"}]' },
  { args: 'patch configmap one -p {"metadata":{"resourceVersion":"1"}}' },
  { args: 'patch peerauthentication strict --type=strategic -p {"spec":{}}' },
  { args: 'patch peerauthentication strict --type=merge -p {"spec":{"mtls":{"mode":"DISABLE"}}}' },
  {
    args: 'patch deployment web -p {"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}',
  },
  { args: "get deployment web -o jsonpath={.spec.template.spec.containers[*].name}" },
  { args: 'patch deployment web --subresource=status --type=merge -p {"status":{"replicas":2}}' },
  { args: "get deployment web --subresource=status" },
  { args: "get deployment web --subresource=scale -o yaml" },
  { args: "scale deployment web --replicas=5" },
  { args: "scale deployment web --replicas=6 --current-replicas=1" },
  { args: "set image deployment/web app=shop:3" },
  { args: "set env deployment/web A=b" },
  { args: "get deployment web -o jsonpath={.metadata.generation}" },
  { args: "rollout history deployment web" },
  { args: "edit configmap one", edit: 's/a: "4"/a: "5"/' },
  { args: "edit configmap one", edit: "s/nothing/nothing/" },
  { args: "get configmap one -o jsonpath={.data}" },
  { args: "replace -f -", input: configMap("one", { r: "1" }) },
  { args: "replace -f -", input: configMap("absent", { r: "1" }) },
  { args: "create -f -", input: configMap("one", {}) },
  { args: "create -f -", input: configMap("BAD_name", {}) },
  { args: "create -f -", input: { ...configMap("odd", {}), dta: { a: "b" } } },
  { args: "create -f - --validate=warn", input: { ...configMap("odd", {}), dta: { a: "b" } } },
  { args: "create -f - --validate=ignore", input: { ...configMap("odd2", {}), dta: { a: "b" } } },
  {
    args: "apply -f -",
    input: { ...peerAuthentication("STRICT"), spec: { mtls: { mode: "STRICT", typo: 1 } } },
  },
  { args: "create configmap made --from-literal=a=b" },
  { args: "create configmap made --from-literal=a=b --dry-run=server -o yaml" },
  { args: "create secret generic hidden --from-literal=a=b" },
  { args: "get secret hidden -o yaml" },
  { args: "create serviceaccount robot" },
  { args: "create service clusterip plain --tcp=80:8080" },
  { args: "create deployment made --image=shop:1 --replicas=3" },
  { args: "get deployment made -o yaml --show-managed-fields" },
  { args: "create job once --image=shop:1 -- sleep 1" },
  { args: "get job once" },
  { args: "create role reader --verb=get --resource=pods" },
  { args: "create rolebinding readers --role=reader --serviceaccount=calls:robot" },
  { args: "get role,rolebinding -o wide" },
  { args: "describe configmap one" },
  { args: "describe secret hidden" },
  { args: "describe role reader" },
  { args: "explain configmap" },
  { args: "explain deployment.spec.strategy" },
  { args: "explain pod.spec.containers.ports" },
  { args: "explain service.spec.nonsense" },
  { args: "explain networkpolicy.spec --recursive" },
  { args: "explain peerauthentication.spec.mtls" },
  { args: "explain authorizationpolicy.spec.rules.from.source" },
  { args: "explain virtualservice.spec.http.retries" },
  { args: "auth can-i create pods" },
  { args: "wait --for=jsonpath={.data.r}=1 configmap/one --timeout=5s" },
  { args: "wait --for=delete configmap/none --timeout=5s" },
  { args: "label configmap odd watched=yes" },
  {
    args: "get configmap -w -l watched=yes",
    lines: 5,
    meanwhile: [
      { args: "label configmap made watched=yes" },
      { args: 'patch configmap made -p {"data":{"c":"d"}}' },
      { args: "label configmap made watched-" },
    ],
  },
  {
    args: "get configmap made -w --output-watch-events",
    lines: 4,
    meanwhile: [{ args: "annotate configmap made a=b" }, { args: "delete configmap made" }],
  },
  { args: "delete configmap none" },
  { args: "delete configmap none --ignore-not-found" },
  { args: "delete configmap one --dry-run=server" },
  { args: "delete configmap one" },
  { args: "delete -f -", input: list(deployment("shop:2"), service, peerAuthentication("STRICT")) },
  { args: "delete secret,serviceaccount --all" },
  { args: "get configmap,secret,serviceaccount -o name" },
  { args: "delete namespace default" },
  { args: "delete namespace calls --wait=false" },
];
