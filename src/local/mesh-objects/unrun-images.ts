/**
 * Images that a change names and that nobody will run: pods here are processes of this machine, and what a container runs is
 * its `command`, or what ImageCommands say of its image.
 */
import { type ImageCommand, imageCommand } from "../../api/image-commands.ts";
import type { Resource } from "../../api/resource.ts";
import { formatLocation } from "../../api/resource.ts";
import { listAt, textAt, valueAt } from "../api-server/kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ObjectChange } from "../api-server/objects/object-change.ts";

const CONTAINERS = ["spec", "template", "spec"];

/**
 * @param resources of the mesh, with its ImageCommands
 * @returns a warning for each container whose image alone became another, and that runs what it ran before
 */
export function unrunImages(
  { before, after }: Pick<ObjectChange, "before" | "after">,
  resources: readonly Resource[],
): readonly string[] {
  if (before === undefined || after === undefined) return [];
  const images = resources.flatMap((one) => (one.kind === "ImageCommands" ? one.images : []));
  const earlier = new Map(containersOf(before).map((one) => [textAt(one, "name"), one]));
  return containersOf(after).flatMap((container, index) => {
    const was = earlier.get(textAt(container, "name"));
    const image = textAt(container, "image");
    if (was === undefined || image === textAt(was, "image")) return [];
    const why = sameProgram(was, container, images);
    if (why === undefined) return [];
    const path = `${CONTAINERS.join(".")}.containers[${index}].image`;
    return [`${path}: ${JSON.stringify(image)} is not what runs here: ${why}`];
  });
}

/** Why both run the same; undefined where they do not, or where the change says that they are not to. */
function sameProgram(
  before: JsonValue,
  after: JsonValue,
  images: readonly ImageCommand[],
): string | undefined {
  const name = textAt(after, "name");
  const [command, earlier] = [wordsAt(after, "command"), wordsAt(before, "command")];
  if (command !== earlier) return undefined;
  if (command !== "") {
    const [program = ""] = listAt(after, "command");
    return `container ${name} runs its command on this machine, ${JSON.stringify(program)} and what follows; change the command, or leave it out and map the image by ImageCommands`;
  }
  const mapped = imageCommand(images, textAt(after, "image"));
  if (mapped === undefined || mapped !== imageCommand(images, textAt(before, "image")))
    return undefined;
  return `container ${name} runs what ImageCommands say of both images (${formatLocation(mapped.source)}, ${JSON.stringify(mapped.image)}); map the new one to a command of its own`;
}

function containersOf(object: KubernetesObject): readonly JsonValue[] {
  return listAt(valueAt(object, CONTAINERS), "containers");
}

/** To be compared alone; "" where there are none. */
function wordsAt(container: JsonValue, field: string): string {
  const words = listAt(container, field);
  return words.length === 0 ? "" : JSON.stringify(words);
}
