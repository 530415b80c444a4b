import { getExperiment } from "@/api/generated/experiments/experiments";
import { readProject } from "@/api/generated/projects/projects";
import { getRun } from "@/api/generated/runs/runs";

const link = /^\/experiments\/([0-9a-f]{32})(?:\/runs\/([0-9a-f]{32})(?:\/.*)?)?\/?$/;

/** Whether the part of an address behind `#` is one that MLflow's clients print. */
export function isMlflowLink(hash: string): boolean {
  return link.test(hash);
}

/** Our page for `/experiments/<id>/runs/<id>`, which MLflow's clients print behind a `#`. */
export async function pageOfMlflowLink(hash: string): Promise<string> {
  const [, experiment = "", run] = link.exec(hash) ?? [];
  const found = run ? await getRun(uuid(run)) : await getExperiment(uuid(experiment));
  const { slug } = await readProject(found.project_id);
  return `/p/${slug}/${run ? "r" : "x"}/${found.id}`;
}

/** MLflow's clients know our ids as 32 digits. */
function uuid(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
