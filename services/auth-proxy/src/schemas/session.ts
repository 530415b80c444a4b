import * as v from 'valibot'

/** Somebody as auth-service describes them; passed on whole. */
export const Person = v.looseObject({})
export type Person = v.InferOutput<typeof Person>

/** What auth-service answers to register, login and refresh, as far as this service depends on it. */
export const TokenAnswer = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  expires_in: v.pipe(v.number(), v.gtValue(0)),
  refresh_token: v.pipe(v.string(), v.minLength(1)),
  user: Person,
})
export type TokenAnswer = v.InferOutput<typeof TokenAnswer>

/** A session as it is sealed into the store. Times are seconds since the epoch. */
export const SessionRecord = v.object({
  access_token: v.string(),
  access_issued_at: v.number(),
  access_expires_at: v.number(),
  refresh_token: v.string(),
  /** Counts renewals; tells whether another process has renewed meanwhile. */
  generation: v.number(),
  ends_at: v.number(),
})
export type SessionRecord = v.InferOutput<typeof SessionRecord>
