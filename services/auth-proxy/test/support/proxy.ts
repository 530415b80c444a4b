import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { request } from 'undici'
import { createApp } from '../../src/app.ts'
import { openSessionStore } from '../../src/session-store.ts'
import { readSettings } from '../../src/settings.ts'
import { Behind } from './behind.ts'
import { startValkey, type Valkey } from './valkey.ts'

export type Answer = {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test states what it expects of it
  json: () => any
}

export type Asked = {
  method?: string
  headers?: Record<string, string | string[]>
  body?: string | Buffer
}

/** auth-proxy on a free port, with a Valkey of its own and a server that plays what stands behind. */
export type Stage = {
  url: string
  host: string
  behind: Behind
  valkey: Valkey
  app: ReturnType<typeof createApp>
  logs: string[]
  ask(path: string, asked?: Asked): Promise<Answer>
  /** A browser page of the proxy's own origin, signed in. */
  signIn(email?: string): Promise<Browser>
  /** A second process on the same Valkey and the same servers behind. */
  another(environment?: Record<string, string>): Promise<string>
}

export type Browser = {
  cookie: string
  csrf: string
  ask(path: string, asked?: Asked & { at?: string }): Promise<Answer>
}

export const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }
export const JSON_BODY = { 'content-type': 'application/json' }
export const PASSWORD = 'correct horse battery'

export async function startProxy(
  t: TestContext,
  environment: Record<string, string> = {},
): Promise<Stage> {
  const behind = new Behind()
  const behindUrl = await behind.start()
  t.after(() => behind.stop())
  const valkey = await startValkey()
  t.after(() => valkey.dispose())
  const logs: string[] = []

  async function start(changed: Record<string, string> = {}) {
    const settings = readSettings({
      AUTH_URL: behindUrl,
      TARGET_EXPERIMENT_URL: behindUrl,
      TELEMETRY_BROKER_URL: valkey.url,
      PORT: '0',
      LOG_LEVEL: 'debug',
      ...environment,
      ...changed,
    })
    const logger = pino({ level: 'debug' }, { write: (line: string) => void logs.push(line) })
    const store = openSessionStore(settings.valkeyUrl, logger)
    const app = createApp({ settings, store, logger })
    t.after(() => app.close())
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    while (!(await store.ping())) await new Promise((done) => setTimeout(done, 10))
    return { url, app }
  }

  const { url, app } = await start()
  const ask = (path: string, asked: Asked = {}) => send(url + path, asked)
  return {
    url,
    host: new URL(url).host,
    behind,
    valkey,
    app,
    logs,
    ask,
    async signIn(email = 'ada@example.org') {
      const answer = await ask('/auth/login', {
        method: 'POST',
        headers: { ...SAME_ORIGIN, ...JSON_BODY },
        body: JSON.stringify({ email, password: PASSWORD }),
      })
      assert.equal(answer.status, 200, answer.text)
      return browserOf(url, answer)
    },
    another: async (changed) => (await start(changed)).url,
  }
}

function browserOf(url: string, signedIn: Answer): Browser {
  const cookie = cookieOf(signedIn)
  const csrf = signedIn.json().csrf_token as string
  return {
    cookie,
    csrf,
    ask: (path, { at = url, ...asked } = {}) =>
      send(at + path, {
        ...asked,
        headers: {
          cookie,
          ...(isUnsafe(asked.method) && { ...SAME_ORIGIN, 'x-csrf-token': csrf }),
          ...(asked.body !== undefined && JSON_BODY),
          ...asked.headers,
        },
      }),
  }
}

function isUnsafe(method = 'GET'): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method)
}

/** `name=value` of the one cookie that an answer sets. */
export function cookieOf(answer: Answer): string {
  const set = [answer.headers['set-cookie'] ?? []].flat()
  assert.equal(set.length, 1)
  return (set[0] as string).split(';', 1)[0] as string
}

export async function send(url: string, { method = 'GET', headers, body }: Asked): Promise<Answer> {
  const answer = await request(url, { method, headers: headers ?? {}, body: body ?? null } as never)
  const text = await answer.body.text()
  return { status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) }
}

/** Asserts that an answer is the problem of that code, in the shape that every service shares. */
export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  const document = answer.json()
  assert.equal(document.type, `/problems/${code}`)
  assert.equal(document.status, status)
  assert.ok(document.title)
  assert.match(document.trace_id, /^[0-9a-f]{32}$/)
}

/** Sends bytes as they are and answers with all bytes that come back until the connection closes. */
export async function sendRaw(
  url: string,
  text: string,
  { waitMs = 5000 }: { waitMs?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setEncoding('latin1')
  socket.write(text, 'latin1')
  let answered = ''
  const timer = setTimeout(() => socket.destroy(), waitMs)
  try {
    for await (const chunk of socket) answered += chunk
  } catch {
    // A reset ends the answer as well.
  }
  clearTimeout(timer)
  return answered
}
