import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'iovalkey'
import { freePorts, serverBinary } from './valkey.ts'

const SLOTS = 16_384
const NODES = 3
const PATIENCE_MS = 30_000

/** One primary of the cluster; what it has is there again after it was killed. */
export type Node = {
  port: number
  client: Redis
  kill(): Promise<void>
  start(): void
}

/** Three primaries on loopback, which serve their own slots while another is away. */
export type ValkeyCluster = {
  url: string
  nodes: Node[]
  untilWhole(): Promise<void>
  dispose(): Promise<void>
}

export async function startValkeyCluster(): Promise<ValkeyCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-proxy-valkey-cluster-'))
  const ports = await freePorts(2 * NODES)
  const nodes = Array.from({ length: NODES }, (_, number) =>
    nodeAt(ports[2 * number] as number, ports[2 * number + 1] as number, folder),
  )
  for (const node of nodes) node.start()
  const share = Math.ceil(SLOTS / NODES)
  for (const [number, { client }] of nodes.entries()) {
    await until(async () => (await client.ping()) === 'PONG')
    const last = Math.min(SLOTS, (number + 1) * share) - 1
    await client.call('CLUSTER', 'ADDSLOTSRANGE', number * share, last)
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', number + 1)
  }
  for (const [number, { port }] of nodes.entries()) {
    if (number > 0)
      await nodes[0]?.client.call(
        'CLUSTER',
        'MEET',
        '127.0.0.1',
        port,
        ports[2 * number + 1] as number,
      )
  }
  const untilWhole = () =>
    until(async () => {
      const told = await Promise.all(nodes.map(({ client }) => client.cluster('INFO')))
      return told.every(
        (info) => info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`),
      )
    })
  await untilWhole()
  return {
    url: `valkey+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    untilWhole,
    async dispose() {
      for (const node of nodes) {
        node.client.disconnect()
        await node.kill()
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function nodeAt(port: number, busPort: number, folder: string): Node {
  const client = new Redis(`redis://127.0.0.1:${port}`, {
    lazyConnect: true,
    retryStrategy: () => 50,
    commandTimeout: 5000,
  })
  client.on('error', () => {})
  const options = {
    port,
    'cluster-port': busPort,
    'cluster-enabled': 'yes',
    'cluster-config-file': `nodes-${port}.conf`,
    'cluster-node-timeout': 3000,
    'cluster-require-full-coverage': 'no',
    bind: '127.0.0.1',
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    appenddirname: `log-${port}`,
    dir: folder,
  }
  let child: ChildProcess | undefined
  return {
    port,
    client,
    start() {
      const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
      child = spawn(serverBinary() as string, words, { stdio: 'ignore' })
    },
    async kill() {
      const running = child
      child = undefined
      if (!running || running.exitCode !== null) return
      const gone = once(running, 'exit')
      running.kill('SIGKILL')
      await gone
    },
  }
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  const giveUp = Date.now() + PATIENCE_MS
  while (!(await happened().catch(() => false))) {
    if (Date.now() > giveUp) throw new Error('the Valkey cluster did not get ready')
    await delay(25)
  }
}
