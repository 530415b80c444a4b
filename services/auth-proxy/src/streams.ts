import type { Session } from './sessions.ts'

const SHORTEST_MS = 1000

/** The reason of an abort by which this process ends a stream in good order. */
export const ENDED = Symbol('ended')

/** The live answers and sockets that are open.
 *
 * None outlives what allowed it: a stream of a browser session ends when the session does, in whichever
 * process, and when the access token that opened it ends. EventSource comes back by itself and is let in
 * with a new token. The tokens of programs are for the services to check.
 */
export class Streams {
  readonly #all = new Set<AbortController>()
  readonly #ofSession = new Map<string, Set<AbortController>>()

  /** Registers a stream; the function that is returned forgets it. */
  add(stream: AbortController, session: Session | undefined): () => void {
    this.#all.add(stream)
    const forgetSession = session && this.#addToSession(stream, session)
    return () => {
      forgetSession?.()
      this.#all.delete(stream)
    }
  }

  #addToSession(stream: AbortController, { ticket, record }: Session): () => void {
    const siblings = this.#ofSession.get(ticket.name) ?? new Set()
    this.#ofSession.set(ticket.name, siblings.add(stream))
    const left = record.access_expires_at * 1000 - Date.now()
    const expiry = setTimeout(() => stream.abort(ENDED), Math.max(SHORTEST_MS, left))
    return () => {
      clearTimeout(expiry)
      siblings.delete(stream)
      if (siblings.size === 0) this.#ofSession.delete(ticket.name)
    }
  }

  get size(): number {
    return this.#all.size
  }

  /** Ends the streams of one session. */
  endSession(name: string): void {
    for (const stream of this.#ofSession.get(name) ?? []) stream.abort(ENDED)
  }

  /** Ends every stream, so that the process can stop. */
  endAll(): void {
    for (const stream of this.#all) stream.abort(ENDED)
  }
}
