import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'

/** What auth-service answers to register, login and refresh, as far as this service depends on it. */
export const TokenAnswer = Type.Object({
  access_token: Type.String({ minLength: 1 }),
  expires_in: Type.Number({ exclusiveMinimum: 0 }),
  refresh_token: Type.String({ minLength: 1 }),
  user: Type.Object({}),
})
export type TokenAnswer = Static<typeof TokenAnswer>

/** A session as it is sealed into the store. Times are seconds since the epoch. */
export const SessionRecord = Type.Object({
  access_token: Type.String(),
  access_issued_at: Type.Number(),
  access_expires_at: Type.Number(),
  refresh_token: Type.String(),
  /** Counts renewals; tells whether another process has renewed meanwhile. */
  generation: Type.Integer(),
  ends_at: Type.Number(),
})
export type SessionRecord = Static<typeof SessionRecord>

export const tokenAnswer = Compile(TokenAnswer)
export const sessionRecord = Compile(SessionRecord)
