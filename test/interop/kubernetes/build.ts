/**
 * Builds what `record.ts` needs: etcd and a kube-apiserver, from their modules, kept for later runs.
 *
 * The first build takes ten minutes and more: `GOFLAGS=-p=1 nice -n 15 node --import tsx test/interop/kubernetes/build.ts`.
 */
import { fileURLToPath } from "node:url";
import { buildGoModule } from "../../kit/go-program.ts";

for (const name of ["etcd", "kube-apiserver"]) {
  const folder = await buildGoModule(fileURLToPath(new URL(`./${name}`, import.meta.url)));
  console.log(`${folder}/${name}`);
}
