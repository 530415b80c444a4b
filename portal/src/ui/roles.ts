import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Role } from "@/api/generated/models/role";

export const roleNames: Record<Role, MessageDescriptor> = {
  owner: msg`Owner`,
  editor: msg`Editor`,
  viewer: msg`Viewer`,
};

export const roleMeanings: Record<Role, MessageDescriptor> = {
  owner: msg`Manages members, tokens and the project itself`,
  editor: msg`Records and edits experiments and runs`,
  viewer: msg`Reads everything, changes nothing`,
};

/** From most to least rights. */
export const roles: readonly Role[] = ["owner", "editor", "viewer"];

/** The roles that somebody with `role` may hand on: nobody grants more than they have. */
export function rolesUpTo(role: Role): readonly Role[] {
  return roles.slice(roles.indexOf(role));
}
