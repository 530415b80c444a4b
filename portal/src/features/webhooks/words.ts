import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { DeliveryState } from "@/api/generated/models/deliveryState";
import type { EventType } from "@/api/generated/models/eventType";
import type { MailLanguage } from "@/api/generated/models/mailLanguage";
import type { NotificationState } from "@/api/generated/models/notificationState";

/** What a webhook can be told of, in the order of a run's life, then what is watched. */
export const eventNames: Record<EventType, MessageDescriptor> = {
  "run.created": msg`A run is recorded as a draft`,
  "run.started": msg`A run starts, or runs again`,
  "run.succeeded": msg`A run succeeds`,
  "run.failed": msg`A run fails`,
  "run.interrupted": msg`A run is interrupted`,
  "run.archived": msg`A run is archived`,
  "run.restored": msg`A run is restored`,
  "metric.threshold_crossed": msg`A metric crosses a limit`,
  "sensor.offline": msg`A sensor is offline`,
  "sensor.online": msg`A sensor is back`,
  "sensor.threshold_crossed": msg`A sensor crosses a limit`,
};

export const eventTypes = Object.keys(eventNames) as EventType[];

/** These, in the order in which one chooses from them. */
export function inOrder(types: readonly EventType[]): EventType[] {
  return eventTypes.filter((type) => types.includes(type));
}

export const stateNames: Record<DeliveryState, MessageDescriptor> = {
  pending: msg`On its way`,
  delivered: msg`Delivered`,
  dead: msg`Given up`,
};

/** Why there was no answer, by the code that the server gives. */
export const failureNames: Record<string, MessageDescriptor> = {
  "bad-address": msg`The address is not valid`,
  "address-refused": msg`The address is not public`,
  "unknown-host": msg`There is no such host`,
  timeout: msg`No answer in time`,
  "no-connection": msg`No connection`,
  tls: msg`The certificate is not accepted`,
  protocol: msg`The answer is no HTTP`,
  "no-secret": msg`The secret can no longer be read; make a new one`,
};

export const notificationStateNames: Record<NotificationState, MessageDescriptor> = {
  pending: msg`On its way`,
  sent: msg`Sent`,
  dead: msg`Given up`,
  dropped: msg`Not sent: no active member any more`,
};

/** Why a mail was not taken, by the code that the server gives. */
export const mailFailureNames: Record<string, MessageDescriptor> = {
  off: msg`mail is not set up here`,
  "no-connection": msg`the mail server does not answer`,
  refused: msg`the mail server refuses it`,
  failed: msg`the mail server does not take it`,
};

/** Each by its own name, as whoever reads it looks for it. */
export const mailLanguages: { value: MailLanguage; label: string }[] = [
  { value: "en", label: "English" },
  { value: "ru", label: "Русский" },
];

/** What mails are written in for who reads the portal in a language. */
export function mailLanguage(locale: string): MailLanguage {
  return locale === "ru" ? "ru" : "en";
}
