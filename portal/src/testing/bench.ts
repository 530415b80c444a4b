import { Backend } from "@/testing/backend";

/** A backend with three people and the project "Motor bench", owned by Ada, who is signed in. */
export function bench() {
  const backend = new Backend();
  const ada = backend.addAccount("Ada Lovelace");
  const boris = backend.addAccount("Boris Rauschenbach");
  const wu = backend.addAccount("Chien-Shiung Wu");
  const project = backend.addProject("Motor bench", [
    [ada, "owner"],
    [boris, "editor"],
  ]);
  backend.user = ada;
  return { backend, ada, boris, wu, project };
}
