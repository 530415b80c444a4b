/** What the audited actions are called; one that is not listed shows its code. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";

export const actionNames: Record<string, MessageDescriptor> = {
  register: msg`Account registered`,
  login: msg`Sign-in`,
  "login.throttled": msg`Sign-in refused: too many attempts`,
  logout: msg`Sign-out`,
  "logout.everywhere": msg`Sign-out everywhere`,
  "session.revoke": msg`Session ended`,
  "refresh.reuse": msg`Session ended: its token was used twice`,
  "profile.change": msg`Profile changed`,
  "password.change": msg`Password changed`,
  "password.reset-request": msg`Password reset asked for`,
  "password.reset": msg`Password reset`,
  "project.create": msg`Project created`,
  "project.change": msg`Project changed`,
  "project.archive": msg`Project archived`,
  "project.restore": msg`Project restored`,
  "member.set": msg`Member added or role changed`,
  "member.remove": msg`Member removed`,
  "token.create": msg`Token created`,
  "token.revoke": msg`Token revoked`,
  "user.change": msg`Account changed`,
  "user.activate": msg`Account activated`,
  "user.deactivate": msg`Account deactivated`,
  "admin.bootstrap": msg`First administrator made`,
  "signing-key.begin": msg`New signing key`,
};
