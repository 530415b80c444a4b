import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'iovalkey'

/** The server to test with: VALKEY_SERVER, else what PATH has. */
export function serverBinary(): string | undefined {
  if (process.env.VALKEY_SERVER) return process.env.VALKEY_SERVER
  const folders = (process.env.PATH ?? '').split(delimiter)
  return ['valkey-server', 'redis-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}

const binary = serverBinary()
if (!binary && process.env.CI) throw new Error('CI has to set VALKEY_SERVER or have valkey-server')

/** Why tests that need a server are skipped here; false when they run. */
export const withoutValkey: string | false = binary
  ? false
  : 'no Valkey: set VALKEY_SERVER or put valkey-server on PATH'

/** A Valkey of its own, in memory only, on a port that was free. */
export type Valkey = {
  url: string
  client: Redis
  /** Stops answering without closing anything, until `resume`. */
  pause(): void
  resume(): void
  /** Ends the server; `start` brings an empty one back on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
  dispose(): Promise<void>
}

export async function startValkey(): Promise<Valkey> {
  const [port] = (await freePorts(1)) as [number]
  const folder = await mkdtemp(join(tmpdir(), 'auth-proxy-valkey-'))
  const url = `redis://127.0.0.1:${port}`
  const client = new Redis(url, { lazyConnect: true })
  client.on('error', () => {})
  let child: ChildProcess | undefined

  async function start() {
    const started = spawn(
      binary as string,
      [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        folder,
      ],
      { stdio: 'ignore' },
    )
    child = started
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (started.exitCode !== null) throw new Error('Valkey did not start')
      if (await client.ping().catch(() => undefined)) return
      await delay(25)
    }
    throw new Error('Valkey did not answer within 5 s')
  }

  async function stop() {
    const running = child
    child = undefined
    if (!running || running.exitCode !== null) return
    const gone = once(running, 'exit')
    running.kill('SIGKILL')
    await gone
  }

  await start()
  return {
    url,
    client,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    stop,
    start,
    async dispose() {
      client.disconnect()
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** So many ports that nobody listens on now, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(probes.map((probe) => once(probe, 'listening')))
  const ports = probes.map((probe) => (probe.address() as { port: number }).port)
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')))
  return ports
}
