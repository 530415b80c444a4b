import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { assertProblem, type Browser, type Stage, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'
import { type Node, startValkeyCluster } from './support/valkey-cluster.ts'

const PATIENCE_MS = 30_000
const EVENTS = '/api/v1/runs/1/metrics/stream'

/** Browsers that are signed in, at least one with its session on each of the nodes. */
async function signedInOnAll(nodes: Node[], signIn: () => Promise<Browser>) {
  const found = new Map<Node, Browser>()
  for (let tries = 0; tries < 60 && found.size < nodes.length; tries += 1) {
    const before = await Promise.all(nodes.map(({ client }) => client.dbsize()))
    const browser = await signIn()
    const after = await Promise.all(nodes.map(({ client }) => client.dbsize()))
    const grown = nodes[after.findIndex((size, number) => size > (before[number] as number))]
    if (grown) found.set(grown, browser)
  }
  assert.equal(found.size, nodes.length)
  return found
}

test('sessions lie on all nodes of a cluster, and a node that is away takes only its own along', {
  skip,
}, async (t) => {
  const cluster = await startValkeyCluster()
  t.after(() => cluster.dispose())
  const stage = await startProxy(t, { TELEMETRY_BROKER_URL: cluster.url })
  const elsewhere = await stage.another()
  const browsers = await signedInOnAll(cluster.nodes, stage.signIn)
  for (const browser of browsers.values()) {
    assert.equal((await browser.ask('/auth/me')).status, 200)
    assert.equal((await browser.ask('/api/v1/projects', { at: elsewhere })).status, 200)
  }
  assert.equal((await stage.ask('/ready')).json().dependencies.valkey, 'ok')

  const [gone] = cluster.nodes as [Node]
  const mine = browsers.get(gone) as Browser
  await gone.kill()
  const asked = Date.now()
  assertProblem(await mine.ask('/auth/me'), 503, 'session-store-unavailable')
  assert.ok(Date.now() - asked < 10_000)
  for (const [node, browser] of browsers) {
    if (node !== gone) assert.equal((await browser.ask('/auth/me')).status, 200)
  }
  assert.equal((await stage.ask('/ready')).json().dependencies.valkey, 'ok')

  gone.start()
  await cluster.untilWhole()
  let status = 0
  for (const giveUp = Date.now() + PATIENCE_MS; status !== 200 && Date.now() < giveUp; ) {
    status = (await mine.ask('/auth/me')).status
    if (status !== 200) await delay(50)
  }
  assert.equal(status, 200)

  // A session that ends does so at once for every process, on whichever node it lay.
  for (const browser of browsers.values()) {
    assert.equal((await browser.ask('/auth/logout', { method: 'POST' })).status, 204)
    assertProblem(await browser.ask('/auth/me', { at: elsewhere }), 401, 'not-signed-in')
  }
})

/** Signs in, follows a stream through another process and signs out, until the stream ends by that. */
async function untilAnEndIsHeard(stage: Stage, elsewhere: string): Promise<void> {
  for (const giveUp = Date.now() + PATIENCE_MS; Date.now() < giveUp; ) {
    const browser = await stage.signIn().catch(() => undefined)
    if (!browser) continue
    const { statusCode, body } = await request(elsewhere + EVENTS, {
      headers: { accept: 'text/event-stream', cookie: browser.cookie },
    })
    const ended = body.dump({ limit: 1 << 30 }).then(
      () => 'ended',
      () => 'broken',
    )
    if (statusCode !== 200) continue
    if ((await browser.ask('/auth/logout', { method: 'POST' })).status !== 204) continue
    if ((await Promise.race([ended, delay(1000)])) === 'ended') return
    body.destroy()
  }
  assert.fail('no stream ended with its session')
}

test('a session that ends is heard of by every process, also after the node died that told it', {
  skip,
}, async (t) => {
  const cluster = await startValkeyCluster()
  t.after(() => cluster.dispose())
  const stage = await startProxy(t, { TELEMETRY_BROKER_URL: cluster.url })
  const elsewhere = await stage.another()
  stage.behind.handlers.set(EVENTS, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write('event: metrics\ndata: {}\n\n'), 50)
    response.on('close', () => clearInterval(timer))
  })
  await untilAnEndIsHeard(stage, elsewhere)
  for (const node of cluster.nodes.slice(0, 2)) {
    await node.kill()
    await untilAnEndIsHeard(stage, elsewhere)
    node.start()
    await cluster.untilWhole()
  }
})
