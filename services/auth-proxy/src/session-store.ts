import type { Logger } from 'pino'
import { sessionStoreUnavailable } from './problems.ts'
import { connect, takesCommands, type Valkey } from './valkey.ts'

const COMMAND_TIMEOUT_MS = 1500
const ENDED = 'runbench:session:ended'
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/** Where sealed session records live. Every method throws the 503 problem when the store does not answer. */
export interface SessionStore {
  /** The record, kept alive for another `idleSeconds`. */
  read(name: string, idleSeconds: number): Promise<Buffer | null>
  create(name: string, record: Buffer, idleSeconds: number): Promise<void>
  /** Writes over a record that still exists; false when it was removed meanwhile. */
  replace(name: string, record: Buffer, idleSeconds: number): Promise<boolean>
  /** Removes the record and tells every process, whose streams of that session then end. */
  remove(name: string): Promise<void>
  /** True for the one holder that may renew the session's tokens. */
  lock(name: string, holder: string, milliseconds: number): Promise<boolean>
  unlock(name: string, holder: string): Promise<void>
  /** Calls back with the name of each session that ends, in whichever process. */
  onEnded(listener: (name: string) => void): void
  ping(): Promise<boolean>
  close(): void
}

/** The sessions in Valkey (or Redis), one key each, on whichever node of a cluster.
 *
 * Commands fail at once while there is no connection and after 1.5 s where there is one that does
 * not answer; the client reconnects by itself.
 */
export function openSessionStore(url: string, log: Logger): SessionStore {
  const valkey = connect(url, { commandMs: COMMAND_TIMEOUT_MS, whileAway: 'fail' })
  const subscriber = connect(url, { commandMs: COMMAND_TIMEOUT_MS, whileAway: 'wait' })
  reportOutages(valkey, log)
  subscriber.on('error', () => {})

  const record = (name: string) => `runbench:session:${name}`
  const mutex = (name: string) => `runbench:session:${name}:renewal`

  return {
    read: (name, idleSeconds) => answered(valkey.getexBuffer(record(name), 'EX', idleSeconds)),
    create: async (name, sealed, idleSeconds) => {
      await answered(valkey.set(record(name), sealed, 'EX', idleSeconds))
    },
    replace: async (name, sealed, idleSeconds) =>
      (await answered(valkey.set(record(name), sealed, 'EX', idleSeconds, 'XX'))) === 'OK',
    remove: async (name) => {
      await answered(valkey.del(record(name)))
      await answered(valkey.publish(ENDED, name))
    },
    lock: async (name, holder, milliseconds) =>
      (await answered(valkey.set(mutex(name), holder, 'PX', milliseconds, 'NX'))) === 'OK',
    unlock: async (name, holder) => {
      await answered(valkey.eval(UNLOCK, 1, mutex(name), holder))
    },
    onEnded: (listener) => {
      subscriber.on('message', (_channel, name) => listener(name))
      subscriber.subscribe(ENDED).catch(() => {})
    },
    ping: () => takesCommands(valkey),
    close: () => {
      valkey.disconnect()
      subscriber.disconnect()
    },
  }
}

async function answered<T>(command: Promise<T>): Promise<T> {
  try {
    return await command
  } catch (cause) {
    throw sessionStoreUnavailable(cause)
  }
}

function reportOutages(valkey: Valkey, log: Logger): void {
  let down = false
  valkey.on('error', (err: Error) => {
    if (!down) log.error({ error: err.message }, 'the session store cannot be reached')
    down = true
  })
  valkey.on('ready', () => {
    if (down) log.info('the session store is back')
    down = false
  })
}
