import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { AUTH_TIMEOUT_MS, type AuthClient, type Origin } from './auth-client.ts'
import { notSignedIn, upstreamTimeout } from './problems.ts'
import { SessionRecord, type TokenAnswer } from './schemas/session.ts'
import { csrfToken, csrfTokenMatches, newTicket, seal, type Ticket, unseal } from './seal.ts'
import type { SessionStore } from './session-store.ts'

const LOCK_MS = AUTH_TIMEOUT_MS + 5000
const LOCK_POLL_MS = 40
/** A token younger than this that is refused will not be accepted by being renewed. */
const YOUNG_SECONDS = 5

/** A session that a request may act in. */
export type Session = { readonly ticket: Ticket; readonly record: SessionRecord }

export type SessionRules = {
  secrets: readonly [string, ...string[]]
  idleSeconds: number
  maxSeconds: number
}

/** Is told what happens behind a request's back. */
export type SessionObserver = {
  renewed(result: 'renewed' | 'dead' | 'failed'): void
  failed(error: unknown): void
}

/** Browser sessions: how they begin, are read, get new tokens, and end. */
export class Sessions {
  readonly #store: SessionStore
  readonly #auth: AuthClient
  readonly #rules: SessionRules
  readonly #renewals = new Map<string, Promise<Session>>()
  readonly #observer: SessionObserver

  constructor(
    store: SessionStore,
    auth: AuthClient,
    rules: SessionRules,
    observer: SessionObserver,
  ) {
    this.#store = store
    this.#auth = auth
    this.#rules = rules
    this.#observer = observer
  }

  /** Begins a session for tokens just issued, under an id that nobody has seen before.
   *
   * When it cannot be kept, the tokens are given back, so that auth-service lists no session that nobody has.
   */
  async begin(tokens: TokenAnswer, from: Origin): Promise<Session> {
    const now = seconds()
    const record = {
      ...tokenPart(tokens, now),
      generation: 1,
      ends_at: now + this.#rules.maxSeconds,
    }
    const ticket = newTicket()
    try {
      await this.#store.create(ticket.name, this.#sealed(record, ticket), this.#rules.idleSeconds)
    } catch (error) {
      await this.#auth.signOut(tokens.refresh_token, from).catch(this.#observer.failed)
      throw error
    }
    return { ticket, record }
  }

  /** The session of a ticket with an access token that is still good; undefined when there is none.
   *
   * A token that ends soon is renewed while the request goes on with the old one.
   */
  async open(ticket: Ticket, from: Origin): Promise<Session | undefined> {
    const session = await this.#read(ticket)
    if (!session) return undefined
    const { access_issued_at: issued, access_expires_at: expires } = session.record
    const left = expires - seconds()
    if (left > Math.min(60, (expires - issued) * 0.2)) return session
    const renewal = this.renew(session, from)
    if (left <= Math.min(5, (expires - issued) * 0.05)) return renewal
    renewal.catch(this.#observer.failed)
    return session
  }

  /** What to try after a service refused the session's token: the session with a newer one, or undefined.
   *
   * Throws not-signed-in when auth-service no longer knows the session.
   */
  async afterRefusal(session: Session, from: Origin): Promise<Session | undefined> {
    const current = await this.#read(session.ticket)
    if (!current) throw notSignedIn()
    if (current.record.access_token !== session.record.access_token) return current
    if (seconds() - current.record.access_issued_at < YOUNG_SECONDS) return undefined
    return this.renew(current, from)
  }

  /** New tokens for a session; any number of callers at once cause one refresh and share its result.
   *
   * Within a process they share a promise, across processes a lock in the store. Throws not-signed-in,
   * and removes the session, when the refresh token is dead.
   */
  renew(session: Session, from: Origin): Promise<Session> {
    const { name } = session.ticket
    const running = this.#renewals.get(name)
    if (running) return running
    const renewal = this.#renewLocked(session, from).finally(() => this.#renewals.delete(name))
    this.#renewals.set(name, renewal)
    return renewal
  }

  async #renewLocked(session: Session, from: Origin): Promise<Session> {
    const { ticket } = session
    const holder = randomUUID()
    const deadline = Date.now() + LOCK_MS
    while (!(await this.#store.lock(ticket.name, holder, LOCK_MS))) {
      await delay(LOCK_POLL_MS)
      const current = await this.#read(ticket)
      if (!current) throw notSignedIn()
      if (current.record.generation > session.record.generation) return current
      if (Date.now() > deadline) throw upstreamTimeout(new Error('the renewal lock stayed taken'))
    }
    try {
      const current = await this.#read(ticket)
      if (!current) throw notSignedIn()
      if (current.record.generation > session.record.generation) return current
      return await this.#refresh(current, from)
    } finally {
      // A lock that cannot be given back ends by itself.
      await this.#store.unlock(ticket.name, holder).catch(this.#observer.failed)
    }
  }

  async #refresh({ ticket, record }: Session, from: Origin): Promise<Session> {
    const tokens = await this.#ask(record.refresh_token, from)
    if (!tokens) {
      await this.#store.remove(ticket.name)
      throw notSignedIn()
    }
    const next = {
      ...record,
      ...tokenPart(tokens, seconds()),
      generation: record.generation + 1,
    }
    const kept = await this.#store.replace(
      ticket.name,
      this.#sealed(next, ticket),
      this.#rules.idleSeconds,
    )
    if (!kept) {
      // Signed out while the refresh was under way: the new tokens must not outlive the session.
      await this.#auth.signOut(tokens.refresh_token, from).catch(this.#observer.failed)
      throw notSignedIn()
    }
    return { ticket, record: next }
  }

  async #ask(refreshToken: string, from: Origin): Promise<TokenAnswer | undefined> {
    try {
      const tokens = await this.#auth.refresh(refreshToken, from)
      this.#observer.renewed(tokens ? 'renewed' : 'dead')
      return tokens
    } catch (error) {
      this.#observer.renewed('failed')
      throw error
    }
  }

  /** Ends a session here at once, then at auth-service, whose absence does not bring it back. */
  async end(session: Session, from: Origin): Promise<void> {
    await this.#store.remove(session.ticket.name)
    await this.#auth.signOut(session.record.refresh_token, from).catch(this.#observer.failed)
  }

  /** The session of a ticket as it stands in the store, whatever the state of its tokens. */
  async peek(ticket: Ticket): Promise<Session | undefined> {
    return this.#read(ticket)
  }

  csrfToken(session: Session): string {
    return csrfToken(session.ticket, this.#rules.secrets[0])
  }

  csrfTokenMatches(token: string | undefined, session: Session): boolean {
    return csrfTokenMatches(token, session.ticket, this.#rules.secrets)
  }

  async #read(ticket: Ticket): Promise<Session | undefined> {
    const sealed = await this.#store.read(ticket.name, this.#rules.idleSeconds)
    if (!sealed) return undefined
    const text = unseal(sealed, ticket, this.#rules.secrets)
    if (text === undefined) return undefined
    const { success, output: record } = v.safeParse(SessionRecord, JSON.parse(text))
    // Written by a version that kept other things: the person signs in again.
    if (!success) return undefined
    if (record.ends_at > seconds()) return { ticket, record }
    await this.#store.remove(ticket.name)
    return undefined
  }

  #sealed(record: SessionRecord, ticket: Ticket): Buffer {
    return seal(JSON.stringify(record), ticket, this.#rules.secrets[0])
  }
}

function tokenPart(tokens: TokenAnswer, now: number) {
  return {
    access_token: tokens.access_token,
    access_issued_at: now,
    access_expires_at: now + tokens.expires_in,
    refresh_token: tokens.refresh_token,
  }
}

function seconds(): number {
  return Date.now() / 1000
}
