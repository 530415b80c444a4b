import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import plugin from 'fastify-plugin'
import type { AddressOf } from '../addresses.ts'
import { headerRepeated, hostUnknown, targetMalformed } from '../problems.ts'
import { isLoopback, type Settings } from '../settings.ts'
import { canonicalTarget } from '../target.ts'

type Rules = Pick<Settings, 'hosts' | 'production'>

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's address as far as the trusted proxies tell it. */
    address: string
  }
}

/** Headers of which a second one would be read by one server and overlooked by the next. */
const UNIQUE = new Set([
  'host',
  'authorization',
  'content-type',
  'content-length',
  'origin',
  'sec-fetch-site',
  'x-csrf-token',
])
const PROBES = new Set(['/health', '/ready', '/metrics'])

/** Refuses what no well-meaning client sends, before anything else looks at the request. */
export const door = plugin<{ rules: Rules; addressOf: AddressOf }>(async (app, parts) => {
  const { rules, addressOf } = parts
  app.decorateRequest('address', '')
  app.addHook('onRequest', async (request) => {
    request.address = addressOf(request.raw)
    requireSound(request.raw, request.originalUrl, rules)
  })
})

/** Throws 400 or 421 for a target, a Host or a repeated header that could mean two things. */
export function requireSound(message: IncomingMessage, target: string, rules: Rules): void {
  const path = canonicalTarget(target)
  if (path === undefined) throw targetMalformed()
  const repeated = repeatedHeader(message.rawHeaders)
  if (repeated) throw headerRepeated(repeated)
  const host = (message.headers.host ?? '').toLowerCase()
  const known = rules.hosts.has(host) || (!rules.production && isLoopback(host))
  // A probe addresses a process by its address; a rebinding attack needs a name.
  if (!known && !(PROBES.has(path) && isAddress(host))) throw hostUnknown()
}

function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    if (!UNIQUE.has(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

function isAddress(host: string): boolean {
  return isIP(host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')) !== 0
}
