/** What the audited actions are called; tests/contract/test_audit_words.py holds that none is without words. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";

type Names = Record<string, MessageDescriptor>;

/** Names by what they are about; one that ends in a dot stands for all that begin so. */
export const actionGroups: { title: MessageDescriptor; names: Names }[] = [
  {
    title: msg`Accounts and sessions`,
    names: {
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
      "user.change": msg`Account changed`,
      "user.activate": msg`Account activated`,
      "user.deactivate": msg`Account deactivated`,
      "admin.bootstrap": msg`First administrator made`,
      "access.denied": msg`Access denied`,
      "notification.test": msg`Test mail asked for`,
    },
  },
  {
    title: msg`Projects, members and tokens`,
    names: {
      "project.create": msg`Project created`,
      "project.change": msg`Project changed`,
      "project.archive": msg`Project archived`,
      "project.restore": msg`Project restored`,
      "member.set": msg`Member added or role changed`,
      "member.remove": msg`Member removed`,
      "token.create": msg`Token created`,
      "token.revoke": msg`Token revoked`,
    },
  },
  {
    title: msg`Experiments`,
    names: {
      "experiment.": msg`Everything about experiments`,
      "experiment.created": msg`Experiment created`,
      "experiment.changed": msg`Experiment changed`,
      "experiment.archived": msg`Experiment archived`,
      "experiment.restored": msg`Experiment restored`,
      "experiment.baseline_set": msg`Baseline of an experiment set`,
    },
  },
  {
    title: msg`Runs`,
    names: {
      "run.": msg`Everything about runs`,
      "run.created": msg`Run recorded as a draft`,
      "run.started": msg`Run started`,
      "run.succeeded": msg`Run succeeded`,
      "run.failed": msg`Run failed`,
      "run.interrupted": msg`Run interrupted`,
      "run.archived": msg`Run archived`,
      "run.restored": msg`Run restored`,
      "metric.threshold_crossed": msg`Limit of a metric crossed`,
    },
  },
  {
    title: msg`Files`,
    names: {
      "artifact.": msg`Everything about files`,
      "artifact.stored": msg`File stored`,
      "artifact.changed": msg`Details of a file changed`,
      "artifact.approved": msg`File approved`,
      "artifact.approval_withdrawn": msg`Approval of a file withdrawn`,
      "artifact.removed": msg`File removed`,
      "artifact.folder_removed": msg`Folder of files removed`,
      "artifact.read": msg`File read`,
      "artifact.folder_exported": msg`Folder of files taken as a zip`,
      "model.folder_removed": msg`Folder of a model’s files removed`,
    },
  },
  {
    title: msg`Comparisons`,
    names: {
      "comparison.": msg`Everything about comparisons`,
      "comparison.created": msg`Comparison saved`,
      "comparison.changed": msg`Comparison changed`,
      "comparison.removed": msg`Comparison removed`,
      "comparison.exported": msg`Comparison of runs taken as a file`,
    },
  },
  {
    title: msg`Sensors and recordings`,
    names: {
      "sensor.": msg`Everything about sensors`,
      "sensor.created": msg`Sensor registered`,
      "sensor.changed": msg`Sensor changed`,
      "sensor.decommissioned": msg`Sensor taken out of use`,
      "sensor.token_rotated": msg`New token for a sensor`,
      "sensor.token_revoked": msg`Token of a sensor revoked`,
      "sensor.offline": msg`Sensor offline`,
      "sensor.online": msg`Sensor back online`,
      "sensor.threshold_crossed": msg`Limit of a sensor crossed`,
      "capture.": msg`Everything about recordings`,
      "capture.started": msg`Recording started`,
      "capture.stopped": msg`Recording stopped`,
    },
  },
  {
    title: msg`Webhooks`,
    names: {
      "webhook.": msg`Everything about webhooks`,
      "webhook.created": msg`Webhook added`,
      "webhook.changed": msg`Webhook changed`,
      "webhook.paused": msg`Webhook paused: nobody accepts its calls`,
      "webhook.secret_rotated": msg`New secret for a webhook`,
      "webhook.removed": msg`Webhook removed`,
      "webhook.test": msg`Test sent to a webhook`,
    },
  },
  {
    title: msg`The audit itself`,
    names: {
      "audit.export": msg`Audit taken as a file`,
      "audit.forget": msg`Old months of the audit forgotten`,
      "signing-key.begin": msg`New signing key`,
    },
  },
];

export const actionNames: Names = Object.assign({}, ...actionGroups.map(({ names }) => names));

/** What things are called that something is done to. */
export const targetNames: Names = {
  artifact: msg`file`,
  audit: msg`audit`,
  capture_session: msg`recording`,
  comparison: msg`comparison`,
  experiment: msg`experiment`,
  model: msg`model`,
  project: msg`project`,
  run: msg`run`,
  sensor: msg`sensor`,
  session: msg`session`,
  token: msg`token`,
  user: msg`person`,
  webhook: msg`webhook`,
};
