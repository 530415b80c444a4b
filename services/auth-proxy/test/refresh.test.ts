import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertProblem, startProxy } from './support/proxy.ts'
import { withoutValkey as skip } from './support/valkey.ts'

const times = (count: number) => Array.from({ length: count })

test('twenty parallel requests at expiry cause one refresh and get twenty answers', {
  skip,
}, async (t) => {
  const { signIn, behind } = await startProxy(t)
  behind.tokenSeconds = 0.5
  const browser = await signIn()
  behind.tokenSeconds = 900
  behind.refreshDelayMs = 200
  await delay(600)
  const answers = await Promise.all(times(20).map(() => browser.ask('/api/v1/projects')))
  assert.deepEqual(
    answers.map(({ status }) => status),
    times(20).map(() => 200),
  )
  assert.equal(behind.refreshes, 1)
})

test('the same holds over three processes on one store', { skip }, async (t) => {
  const { url, signIn, behind, another } = await startProxy(t)
  const processes = [url, await another(), await another()]
  behind.tokenSeconds = 0.5
  const browser = await signIn()
  behind.tokenSeconds = 900
  behind.refreshDelayMs = 200
  await delay(600)
  const answers = await Promise.all(
    times(21).map((_, index) =>
      browser.ask('/api/v1/projects', { at: processes[index % 3] as string }),
    ),
  )
  for (const answer of answers) assert.equal(answer.status, 200, answer.text)
  assert.equal(behind.refreshes, 1)
})

test('a token that ends soon is renewed while requests still go on with it', {
  skip,
}, async (t) => {
  const { signIn, behind } = await startProxy(t)
  behind.tokenSeconds = 3
  const browser = await signIn()
  const [before] = behind.live.values()
  behind.tokenSeconds = 900
  await delay(2550)
  const answer = await browser.ask('/auth/sessions')
  assert.equal(answer.status, 200)
  for (let waited = 0; behind.refreshes === 0 && waited < 100; waited += 1) await delay(20)
  assert.equal(behind.refreshes, 1)
  await browser.ask('/api/v1/projects')
  assert.notEqual(behind.last('/api/').headers.authorization, `Bearer ${before?.access}`)
})

test('a browser that asks for a refresh gets a new token and its CSRF token', {
  skip,
}, async (t) => {
  const { signIn, behind } = await startProxy(t)
  const browser = await signIn()
  const answer = await browser.ask('/auth/refresh', { method: 'POST' })
  assert.deepEqual(Object.keys(answer.json()), ['user', 'csrf_token'])
  assert.equal(answer.json().csrf_token, browser.csrf)
  assert.equal(behind.refreshes, 1)
  const [tokens] = behind.live.values()
  assert.ok(tokens && !answer.text.includes(tokens.access) && !answer.text.includes(tokens.refresh))
})

test('a dead refresh token ends the session', { skip }, async (t) => {
  const { signIn, behind, valkey } = await startProxy(t)
  behind.tokenSeconds = 0.2
  const browser = await signIn()
  behind.revokeAll()
  await delay(250)
  const answers = await Promise.all(times(5).map(() => browser.ask('/api/v1/projects')))
  for (const answer of answers) assertProblem(answer, 401, 'not-signed-in')
  assert.deepEqual(await valkey.client.keys('*'), [])
  assert.equal(behind.refreshes, 1)
})

test('a token that the services refuse before its time is renewed once and the request repeated', {
  skip,
}, async (t) => {
  const { signIn, behind } = await startProxy(t)
  const browser = await signIn()
  await delay(5100)
  for (const tokens of behind.live.values()) tokens.access = 'rotated-away'
  const answer = await browser.ask('/api/v1/projects', { method: 'POST', body: '{"name":"a"}' })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.json().body, '{"name":"a"}')
  assert.equal(behind.refreshes, 1)
})

test('a session revoked behind our back is found dead at the next request', { skip }, async (t) => {
  const { signIn, behind, valkey } = await startProxy(t)
  const browser = await signIn()
  await delay(5100)
  behind.revokeAll()
  assertProblem(await browser.ask('/api/v1/projects'), 401, 'not-signed-in')
  assert.deepEqual(await valkey.client.keys('*'), [])
})

test('a request that raced a refresh elsewhere is repeated with the new token', {
  skip,
}, async (t) => {
  const { signIn, behind, another } = await startProxy(t)
  const elsewhere = await another()
  const browser = await signIn()
  let refused = 0
  behind.handlers.set('/api/v1/raced', async (request, response) => {
    const [tokens] = behind.live.values()
    if (refused === 0) {
      refused += 1
      await browser.ask('/auth/refresh', { method: 'POST', at: elsewhere })
      response.writeHead(401).end()
      return
    }
    response.end(String(request.headers.authorization === `Bearer ${tokens?.access}`))
  })
  const answer = await browser.ask('/api/v1/raced')
  assert.equal(answer.text, 'true')
  assert.equal(behind.refreshes, 1)
})

test('auth-service being away at expiry is 502, and the session lives on', { skip }, async (t) => {
  const { signIn, behind } = await startProxy(t)
  behind.tokenSeconds = 0.2
  const browser = await signIn()
  await delay(250)
  behind.authIsDown = true
  assertProblem(await browser.ask('/api/v1/projects'), 502, 'upstream-unreachable')
  behind.authIsDown = false
  behind.tokenSeconds = 900
  assert.equal((await browser.ask('/api/v1/projects')).status, 200)
})

test('signing out during a refresh leaves no token alive', { skip }, async (t) => {
  const { signIn, behind, valkey } = await startProxy(t)
  behind.tokenSeconds = 0.2
  const browser = await signIn()
  await delay(250)
  behind.tokenSeconds = 900
  behind.refreshDelayMs = 300
  const under_way = browser.ask('/api/v1/projects')
  await delay(100)
  assert.equal((await browser.ask('/auth/logout', { method: 'POST' })).status, 204)
  assertProblem(await under_way, 401, 'not-signed-in')
  assert.deepEqual(await valkey.client.keys('*'), [])
  assert.equal(behind.live.size, 0)
})

test('a process that dies while it renews holds nobody up for long', { skip }, async (t) => {
  const { signIn, behind, valkey } = await startProxy(t)
  behind.tokenSeconds = 0.2
  const browser = await signIn()
  await delay(250)
  behind.tokenSeconds = 900
  const [key] = await valkey.client.keys('*')
  await valkey.client.set(`${key}:renewal`, 'a process that is gone', 'PX', 500)
  assert.equal((await browser.ask('/api/v1/projects')).status, 200)
  assert.equal(behind.refreshes, 1)
})
